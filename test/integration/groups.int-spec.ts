import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { AccessService, GrantService } from '#libs/access';
import { type Group, type GroupListener, GroupListeners, GroupMembers, GroupsModule, GroupService } from '#libs/groups';
import type { AccountActor } from '#libs/kernel';
import { NodeResolver } from '#libs/nodes';
import { FilesModule, FolderService } from '#libs/files';

import { type BytesHarness, codeOf, startBytes } from './bytes-harness.js';

let house: BytesHarness;
let groups: GroupService;
let members: GroupMembers;
let admin: AccountActor;
let companyId: number;

beforeAll(async () => {
  house = await startBytes({}, undefined, [GroupsModule, FilesModule]);
  await house.app.init();
  groups = house.app.get(GroupService, { strict: false });
  members = house.app.get(GroupMembers, { strict: false });
});
afterAll(() => house.close());

async function company(): Promise<{ companyId: number; admin: AccountActor }> {
  const row = await house.database.queryOne<{ id: number }>(`INSERT INTO companies (name) VALUES ('c') RETURNING id`);
  return { companyId: row!.id, admin: await member(row!.id, true) };
}

async function member(inCompany: number | null, isAdmin = false): Promise<AccountActor> {
  const actor = await house.account();
  await house.database.run('UPDATE accounts SET company_id = $2, is_company_admin = $3 WHERE id = $1', [actor.accountId, inCompany, isAdmin]);
  return { ...actor, companyId: inCompany };
}

beforeEach(async () => {
  ({ companyId, admin } = await company());
});

describe('who may', () => {
  it('is the administrator or the owner of the company, and a system administrator, by what the database says now', async () => {
    const plain = await member(companyId);
    expect(await codeOf(groups.create(plain, { name: 'g' }))).toBe('FORBIDDEN');
    await house.database.run('UPDATE companies SET owner_id = $2 WHERE id = $1', [companyId, plain.accountId]);
    const group = await groups.create(plain, { name: 'g' });
    expect(group).toMatchObject({ companyId, name: 'g', membersCount: 0, canPrint: true, useWatermarks: false, allowedIps: '' });

    await house.database.run('UPDATE accounts SET is_company_admin = false WHERE id = $1', [admin.accountId]);
    expect(await codeOf(groups.get(admin, group.id))).toBe('FORBIDDEN');
    const system = await member(null);
    await house.database.run(`UPDATE accounts SET role = 'admin' WHERE id = $1`, [system.accountId]);
    expect(await groups.get(system, group.id)).toMatchObject({ id: group.id });
    expect(await codeOf(groups.create(system, { name: 'x' }))).toBe('COMPANY_NOT_FOUND');
    expect(await groups.create(system, { name: 'x', companyId })).toMatchObject({ companyId });
    expect(await codeOf(groups.create(system, { name: 'x', companyId: 999_999 }))).toBe('COMPANY_NOT_FOUND');
    expect(await codeOf(groups.list({ ...plain, byPair: true }, { orderBy: 'name', offset: 0, limit: 0 }))).toBe('FORBIDDEN');
  });

  it('sees nothing of another company', async () => {
    const other = await company();
    const group = await groups.create(other.admin, { name: 'theirs' });
    for (const work of [
      () => groups.get(admin, group.id),
      () => groups.rename(admin, group.id, 'mine'),
      () => groups.setPolicies(admin, group.id, { canPrint: false }),
      () => members.add(admin, group.id, [admin.accountId]),
      () => members.remove(admin, group.id, [admin.accountId]),
      () => members.list(admin, group.id, 0, 0),
      () => groups.remove(admin, { name: 'theirs' }),
    ]) {
      expect(await codeOf(work())).toBe('GROUP_NOT_FOUND');
    }
    expect(await codeOf(groups.list(admin, { companyId: other.companyId, orderBy: 'name', offset: 0, limit: 0 }))).toBe('COMPANY_NOT_FOUND');
    expect(await groups.get(other.admin, group.id)).toEqual(group);
  });
});

describe('names', () => {
  it('are unique in a company whatever their case and composition, also when many come at once', async () => {
    const outcomes = await Promise.allSettled(
      ['Rosé', 'rosé', 'ROSE\u0301', ' Rosé ', 'rose\u0301', 'Rosé', 'rosÉ', 'Rosé'].map((name) => groups.create(admin, { name })),
    );
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'GROUP_EXISTS' });
    const other = await company();
    expect(await groups.create(other.admin, { name: 'Rosé' })).toMatchObject({ name: 'Rosé' });
    const second = await groups.create(admin, { name: 'b' });
    expect(await codeOf(groups.rename(admin, second.id, 'ROSÉ'))).toBe('GROUP_EXISTS');
    expect(await groups.rename(admin, second.id, 'B')).toMatchObject({ name: 'B' });
    const renames = await Promise.allSettled([groups.rename(admin, second.id, 'same'), groups.create(admin, { name: 'SAME' })]);
    expect(renames.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  it.each(['', '  ', 'a\nb', 'x'.repeat(257), '\ud800'])('%j is none', async (name) => {
    expect(await codeOf(groups.create(admin, { name }))).toBe('INVALID_ARGUMENT');
  });

  it('list in the order asked for', async () => {
    for (const name of ['b', 'A', 'c']) await groups.create(admin, { name });
    const [people, page] = [
      await Promise.all([member(companyId), member(companyId)]),
      await groups.list(admin, { orderBy: 'name', offset: 0, limit: 0 }),
    ];
    expect(page.groups.map((group) => group.name)).toEqual(['A', 'b', 'c']);
    await members.add(
      admin,
      page.groups[1]!.id,
      people.map((person) => person.accountId),
    );
    const names = async (orderBy: 'name' | '-name' | 'members_count' | '-members_count', offset = 0, limit = 0) =>
      (await groups.list(admin, { orderBy, offset, limit })).groups.map((group) => group.name);
    expect(await names('-name')).toEqual(['c', 'b', 'A']);
    expect((await names('-members_count'))[0]).toBe('b');
    expect((await names('members_count')).at(-1)).toBe('b');
    expect(await names('name', 1, 1)).toEqual(['b']);
    expect((await groups.list(admin, { orderBy: 'name', offset: 9, limit: 1 })).count).toBe(3);
  });
});

describe('members', () => {
  it('come from the company alone, each with an outcome of its own', async () => {
    const group = await groups.create(admin, { name: 'g' });
    const [one, two, gone, stranger] = [await member(companyId), await member(companyId), await member(companyId), await member(null)];
    await house.database.run(`UPDATE accounts SET state = 'deleted' WHERE id = $1`, [gone.accountId]);
    const wanted = [two, stranger, one, gone].map((actor) => actor.accountId);
    const outcomes = await members.add(admin, group.id, [...wanted, 0, two.accountId]);
    expect(outcomes.map(({ accountId, error }) => [accountId, error?.code ?? 'ok'])).toEqual([
      [two.accountId, 'ok'],
      [stranger.accountId, 'ACCOUNT_NOT_FOUND'],
      [one.accountId, 'ok'],
      [gone.accountId, 'ACCOUNT_NOT_FOUND'],
      [0, 'ACCOUNT_NOT_FOUND'],
    ]);
    const page = await members.list(admin, group.id, 0, 0);
    expect(page.profiles.map(({ account }) => account.id)).toEqual([one.accountId, two.accountId]);
    expect(page.count).toBe(2);
    expect((await members.list(admin, group.id, 1, 1)).profiles.map(({ account }) => account.id)).toEqual([two.accountId]);
    const removed = await members.remove(admin, group.id, [one.accountId, stranger.accountId]);
    expect(removed.map(({ error }) => error?.code ?? 'ok')).toEqual(['ok', 'ACCOUNT_NOT_FOUND']);
    expect((await groups.get(admin, group.id)).membersCount).toBe(1);
    expect(
      await codeOf(
        members.add(
          admin,
          group.id,
          Array.from({ length: 1001 }, (_, index) => index + 1),
        ),
      ),
    ).toBe('INVALID_ARGUMENT');
  });

  it('are told of in the transaction of the change: what a listener refuses does not happen', async () => {
    const told: [string, number[]][] = [];
    const listener: GroupListener = {
      membersAdded: (_: Group, ids) => (told.push(['added', [...ids]]), ids.length > 1 ? Promise.reject(new Error('no')) : Promise.resolve()),
      membersRemoved: (_: Group, ids) => (told.push(['removed', [...ids]]), Promise.resolve()),
    };
    house.app.get(GroupListeners, { strict: false }).add(listener);
    const group = await groups.create(admin, { name: 'g' });
    const [one, two] = [await member(companyId), await member(companyId)];
    await expect(members.add(admin, group.id, [one.accountId, two.accountId])).rejects.toThrow('no');
    expect((await groups.get(admin, group.id)).membersCount).toBe(0);
    await members.add(admin, group.id, [one.accountId]);
    await members.add(admin, group.id, [one.accountId]);
    expect(await groups.remove(admin, { name: 'G' })).toMatchObject({ id: group.id, membersCount: 1 });
    expect(told).toEqual([
      ['added', [one.accountId, two.accountId]],
      ['added', [one.accountId]],
      ['removed', [one.accountId]],
    ]);
  });

  it('have what is shared with the group for as long as they and it are there', async () => {
    const group = await groups.create(admin, { name: 'readers' });
    const [owner, reader] = [await member(companyId), await member(companyId)];
    const folder = await house.app.get(FolderService, { strict: false }).create(owner, { path: ['team'], createParents: true });
    const right = { write: false, delete: false, download: true };
    await house.app.get(GrantService, { strict: false }).grant(owner, { node: folder, subject: { groupId: group.id }, right, accepted: true });
    const access = house.app.get(AccessService, { strict: false });
    const may = async () => (await access.allowed(reader, 'node.read', [folder])).size === 1;
    expect(await may()).toBe(false);
    await members.add(admin, group.id, [reader.accountId]);
    const rows = await house.database.query<{ id: number }>('SELECT account_id AS id FROM invitations');
    expect(rows.map((row) => row.id)).toContain(reader.accountId);
    await house.database.run(`UPDATE invitations SET state = 'accepted' WHERE account_id = $1`, [reader.accountId]);
    expect(await may()).toBe(true);
    await members.remove(admin, group.id, [reader.accountId]);
    expect(await may()).toBe(false);
    await members.add(admin, group.id, [reader.accountId]);
    await groups.remove(admin, { name: 'readers' });
    expect(await may()).toBe(false);
    expect(await house.app.get(NodeResolver, { strict: false }).find(reader, { path: ['team'] })).toBeNull();
  });
});

describe('policies', () => {
  it('are kept one by one', async () => {
    const group = await groups.create(admin, { name: 'g' });
    expect(await groups.setPolicies(admin, group.id, { canPrint: false })).toMatchObject({ canPrint: false, canDownload: true });
    expect(await groups.setPolicies(admin, group.id, { useWatermarks: true, ipRestriction: true, allowedIps: '10.0.0.0/8 ::1' })).toMatchObject({
      canPrint: false,
      useWatermarks: true,
      ipRestriction: true,
      allowedIps: '10.0.0.0/8,::1',
    });
    expect(await groups.setPolicies(admin, group.id, { allowedIps: '' })).toMatchObject({ ipRestriction: true, allowedIps: '' });
    expect(await codeOf(groups.setPolicies(admin, group.id, { allowedIps: 'somewhere' }))).toBe('INVALID_ARGUMENT');
  });
});
