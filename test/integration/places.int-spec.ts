import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FULL_RIGHT, GrantService, InvitationService, type Right } from '#libs/access';
import { Identities } from '#libs/accounts';
import { FolderService, UploadTickets } from '#libs/files';
import { GroupDirectory, GroupMembers, GroupService } from '#libs/groups';
import type { AccountActor } from '#libs/kernel';
import { PlaceActions, PlaceReader, PlacesModule } from '#libs/places';

import { countStatements } from '../support/statement-count.js';
import { type BytesHarness, codeOf, startBytes } from './bytes-harness.js';

let bytes: BytesHarness;
let reader: PlaceReader;
let actions: PlaceActions;
let folders: FolderService;
let tickets: UploadTickets;

const service = <T>(type: abstract new (...args: never[]) => T): T => bytes.app.get<T>(type, { strict: false });
const HOME = { place: 'home', ownerId: null } as const;
const INCOMING = { place: 'incoming', ownerId: null } as const;

beforeAll(async () => {
  bytes = await startBytes({}, undefined, [PlacesModule]);
  [reader, actions, folders, tickets] = [service(PlaceReader), service(PlaceActions), service(FolderService), service(UploadTickets)];
});
afterAll(() => bytes?.close());

async function publicId({ accountId }: AccountActor): Promise<string> {
  return (await service(Identities).of([accountId])).get(accountId)!.publicId;
}

const names = async (actor: AccountActor, spot: Parameters<PlaceReader['list']>[1]) => (await reader.list(actor, spot)).map(({ node }) => node.name);

describe('reading places', () => {
  it('takes as many statements for many entries as for one, and makes nothing', async () => {
    const actor = await bytes.account({});
    const parent = await folders.create(actor, { path: ['parent'], createParents: true });
    await folders.create(actor, { path: ['parent', 'one'], createParents: true });
    const statements = () => countStatements(() => reader.list(actor, { id: parent.id }));
    const few = await statements();
    for (let at = 0; at < 40; at++) await folders.create(actor, { path: ['parent', `n${at}`], createParents: true });
    expect(await statements()).toBe(few);
    expect(few).toBeLessThanOrEqual(4);
    const deep = await folders.create(actor, { path: ['parent', 'a', 'b', 'c', 'd'], createParents: true });
    expect(await countStatements(() => reader.way(actor, { id: deep.id }))).toBeLessThanOrEqual(4);
    expect(await names(actor, INCOMING)).toEqual([]);
    expect(await names(actor, HOME)).toEqual(['parent']);
  });
});

describe('tickets', () => {
  it('let in one of many that come at once, and end with their time', async () => {
    const actor = await bytes.account({});
    const { id } = await folders.create(actor, { path: ['t'], createParents: true });
    const issued = Date.now();
    const ticket = await tickets.issue(actor, { node: { id }, lifeMs: 5_000 });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => tickets.redeem(ticket, issued)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'UPLOAD_NOT_FOUND' } });
    const late = await tickets.issue(actor, { node: { id }, lifeMs: 5_000 });
    await expect(tickets.redeem(late, Date.now() + 5_001)).rejects.toMatchObject({ code: 'UPLOAD_NOT_FOUND' });
    expect(await tickets.redeem(late, Date.now() + 4_000)).toMatchObject({ target: { id } });
  });
});

describe('deliveries', () => {
  it('reach everybody or nobody', async () => {
    const [sender, roomy, full] = [await bytes.account({}), await bytes.account({}), await bytes.account({ limitBytes: 3 })];
    const file = await bytes.upload(sender, '/gift.bin', Buffer.from('12345'));
    const both = [await publicId(roomy), await publicId(full)];
    await expect(actions.deliver(sender, { id: file.id }, both)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect([await names(roomy, HOME), await names(roomy, INCOMING), await names(full, INCOMING)]).toEqual([[], [], []]);
    await actions.deliver(sender, { id: file.id }, both.slice(0, 1));
    expect([await names(roomy, HOME), await names(roomy, INCOMING)]).toEqual([['Incoming'], ['gift.bin']]);
    await expect(actions.deliver(sender, { id: file.id }, [])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(actions.deliver(full, { id: file.id }, both)).rejects.toMatchObject({ code: 'NODE_NOT_FOUND' });
  });
});

describe('what others have', () => {
  it('is open to each as far as his right goes, in place and in the trash', async () => {
    const owner = await bytes.account({ limitBytes: 5 });
    const [looking, removing, stranger] = [await bytes.account({}), await bytes.account({}), await bytes.account({})];
    const folder = await folders.create(owner, { path: ['top'], createParents: false });
    const file = await bytes.upload(owner, '/top/file.bin', '12345');
    const give = ({ accountId }: AccountActor, right: Right) =>
      service(GrantService).grant(owner, { node: folder, subject: { accountId }, right, accepted: true });
    await give(looking, { write: false, delete: false, download: true });
    await give(removing, { write: false, delete: true, download: true });
    const [top, it] = [{ id: folder.id }, { id: file.id }];
    expect(await reader.rights(looking, top)).toEqual({ read: true, write: false, delete: false, download: true });
    for (const [actor, refusal] of [
      [looking, 'FORBIDDEN'],
      // nor is he told that its owner has no space left
      [stranger, 'NODE_NOT_FOUND'],
    ] as const) {
      expect(await codeOf(actions.createFolder(actor, top, 'in'))).toBe(refusal);
      expect(await codeOf(tickets.issue(actor, { node: top, lifeMs: 5_000 }))).toBe(refusal);
      expect(await codeOf(tickets.issue(actor, { node: it, lifeMs: 5_000 }))).toBe(refusal);
    }
    const receivers = [await publicId(stranger)];
    await bytes.database.run('UPDATE accounts SET can_download = false WHERE id = $1', [owner.accountId]);
    expect(await codeOf(actions.deliver(owner, it, receivers))).toBe('FORBIDDEN');
    await bytes.database.run('UPDATE accounts SET can_download = true WHERE id = $1', [owner.accountId]);
    await actions.remove(owner, it);
    for (const actor of [looking, stranger]) {
      expect(await codeOf(actions.move(actor, it, top))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(actions.remove(actor, it))).toBe('NODE_NOT_FOUND');
    }
    expect(await codeOf(actions.move(removing, it, top))).toBe('FORBIDDEN');
    expect(await codeOf(actions.remove(removing, it))).toBe('FORBIDDEN');
    await actions.move(owner, it, top);
    expect(await names(looking, top)).toEqual(['file.bin']);
  });
});

describe('what a group has received', () => {
  it('is told to those of its members who have taken it', async () => {
    const [boss, member, giver] = [await bytes.account({}), await bytes.account({}), await bytes.account({})];
    const company = await bytes.database.queryOne<{ id: number }>(`INSERT INTO companies (name, owner_id) VALUES ('c', $1) RETURNING id`, [
      boss.accountId,
    ]);
    const people = [boss, member, giver].map((actor) => ({ ...actor, companyId: company!.id }));
    const ids = people.map(({ accountId }) => accountId);
    await bytes.database.run('UPDATE accounts SET company_id = $2 WHERE id = ANY($1::bigint[])', [ids, company!.id]);
    const { id: groupId } = await service(GroupService).create(people[0]!, { name: 'team' });
    await service(GroupMembers).add(people[0]!, groupId, ids.slice(0, 2));
    const ownerId = (await service(GroupDirectory).of([groupId])).get(groupId)!.publicId;
    await actions.createFolder(people[1]!, { place: 'home', ownerId }, 'first');
    const node = await folders.create(people[2]!, { path: ['for them'], createParents: false });
    const { invited } = await service(GrantService).grant(people[2]!, { node, subject: { groupId }, right: FULL_RIGHT });
    const received = () => Promise.all(people.slice(0, 2).map((actor) => names(actor, { place: 'received', ownerId })));
    expect(await received()).toEqual([[], []]);
    await service(InvitationService).accept(member.accountId, invited.find(({ accountId }) => accountId === member.accountId)!.hash);
    expect(await received()).toEqual([[], ['for them']]);
  });
});
