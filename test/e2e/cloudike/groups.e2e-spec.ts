import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { HttpSession } from '../../support/http-session.js';
import { type Stack, startStack } from '../../support/stack.js';

// Groups of a company: docs/contracts/cloudike.md 7.

interface WireGroup {
  group_id: string;
  name: string;
  company_id: number;
  members_count: number;
  [policy: string]: unknown;
}

let stack: Stack;
let anonymous: HttpSession;
let system: CloudikeUser;
let admin: CloudikeUser;
let member: CloudikeUser;
let stranger: CloudikeUser;
let otherAdmin: CloudikeUser;
let companyId: number;
let otherCompanyId: number;
let database: pg.Client;

beforeAll(async () => {
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
  anonymous = new HttpSession(stack.baseUrl);
  database = new pg.Client(stack.databaseUrl);
  await database.connect();
  system = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
  [admin, companyId] = await founder('one');
  [otherAdmin, otherCompanyId] = await founder('two');
  member = await employee(admin);
  stranger = await CloudikeUser.register(stack.baseUrl);
});
afterAll(async () => {
  await database?.end();
  await stack?.stop();
});

const PASSWORD = 'correct horse battery';

async function founder(name: string): Promise<[CloudikeUser, number]> {
  const email = `founder-${name}@example.org`;
  await anonymous.form('/api/1/accounts/create/', { email, password: PASSWORD, name, company_name: name });
  const user = await CloudikeUser.login(stack.baseUrl, email, PASSWORD);
  return [user, (await user.http.get<{ company_id: number }>('/api/1/accounts/get/')).company_id];
}

let count = 0;
async function employee(of: CloudikeUser): Promise<CloudikeUser> {
  const email = `employee-${++count}@example.org`;
  await of.http.form('/api/1/accounts/create/', { email, password: PASSWORD, name: `e${count}`, created_manually: true });
  return CloudikeUser.login(stack.baseUrl, email, PASSWORD);
}

async function call(path: string, params: object, http = admin.http): Promise<{ status: number; code?: string }> {
  const reply = await http.send(`/api/1/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(params) });
  const { code } = reply.json<{ code?: string }>();
  return { status: reply.status, ...(code === undefined ? {} : { code }) };
}

const create = (name: string, user = admin, more: Record<string, string | number> = {}) =>
  user.http.form<WireGroup>('/api/1/groups/create/', { name, ...more });
const list = (query = '', user = admin) =>
  user.http.get<{ count: number; limit: number; offset: number; groups: WireGroup[]; group_users?: object[] }>(`/api/1/groups/list/?${query}`);

describe('a group', () => {
  it('is made, listed, renamed and removed by the administrator', async () => {
    const group = await create(' Sales ');
    expect(group).toEqual({
      group_id: expect.stringMatching(/^\d+$/),
      name: 'Sales',
      company_id: companyId,
      members_count: 0,
      can_print: true,
      can_download: true,
      can_upload: true,
      pc_can_download: true,
      use_watermarks: false,
      mobile_restriction: false,
      ip_restriction: false,
      allowed_ips: '',
    });
    await create('Art');
    expect(await list('limit=1&offset=1&order_by=name')).toEqual({ count: 2, limit: 1, offset: 1, groups: [group] });
    expect((await list('order_by=-name')).groups.map(({ name }) => name)).toEqual(['Sales', 'Art']);
    expect((await list('order_by=constructor')).groups.map(({ name }) => name)).toEqual(['Art', 'Sales']);
    const renamed = await admin.http.form<WireGroup>(`/api/1/groups/${group.group_id}/change/`, { name: 'Trade' });
    expect(renamed).toEqual({ ...group, name: 'Trade' });
    expect(await admin.http.form('/api/1/groups/delete/', { name: 'trade' })).toEqual(renamed);
    expect(await admin.http.form('/api/1/groups/delete/', { name: 'Art' })).toMatchObject({ name: 'Art' });
    expect((await list()).count).toBe(0);
  });

  it.each([
    ['groups/create', { name: 'taken' }, { status: 403, code: 'GroupAlreadyExists' }],
    ['groups/create', { name: 'TAKEN' }, { status: 403, code: 'GroupAlreadyExists' }],
    ['groups/create', {}, { status: 400, code: 'InvalidParameters' }],
    ['groups/create', { name: ' ' }, { status: 400, code: 'InvalidParameters' }],
    ['groups/create', { name: 'x'.repeat(300) }, { status: 400, code: 'InvalidParameters' }],
    ['groups/create', { name: 'a', company_id: 424_242 }, { status: 404, code: 'CompanyNotFound' }],
    ['groups/delete', { name: 'nothing' }, { status: 404, code: 'GroupNotFound' }],
    ['groups/delete', {}, { status: 400, code: 'InvalidParameters' }],
    ['groups/list', { company_id: 424_242 }, { status: 404, code: 'CompanyNotFound' }],
    ['groups/list', { limit: -1 }, { status: 400, code: 'InvalidParameters' }],
    ['groups/GROUP/change', { name: 'taken' }, { status: 403, code: 'GroupAlreadyExists' }],
    ['groups/GROUP/change', {}, { status: 400, code: 'InvalidParameters' }],
    ['groups/999999/change', { name: 'x' }, { status: 404, code: 'GroupNotFound' }],
    ['groups/none/change', { name: 'x' }, { status: 404, code: 'GroupNotFound' }],
    ['groups/99999999999999999999/users', {}, { status: 404, code: 'GroupNotFound' }],
    ['groups/GROUP/add_user', {}, { status: 400, code: 'InvalidParameters' }],
    ['groups/GROUP/add_user', { user_ids: 'x' }, { status: 400, code: 'InvalidParameters' }],
    ['groups/999999/add_user', { user_ids: [1] }, { status: 404, code: 'GroupNotFound' }],
    ['groups/GROUP/remove_user', { user_ids: [] }, { status: 400, code: 'InvalidParameters' }],
    ['groups/GROUP/change_can_print', {}, { status: 400, code: 'InvalidParameters' }],
    ['groups/GROUP/change_can_print', { value: 'maybe' }, { status: 400, code: 'InvalidParameters' }],
    ['groups/GROUP/change_group_ip_restriction', {}, { status: 400, code: 'InvalidParameters' }],
    ['groups/GROUP/change_group_ip_restriction', { allowed_ips: 'home' }, { status: 400, code: 'InvalidParameters' }],
  ])('%s with %.60j is refused', async (path, params, refusal) => {
    const names = (await list()).groups.map(({ name }) => name);
    for (const name of ['taken', 'other']) if (!names.includes(name)) await create(name);
    const group = (await list()).groups.find(({ name }) => name === 'other')!;
    expect(await call(path.replace('GROUP', group.group_id), params)).toEqual(refusal);
    expect((await list()).groups.find(({ name }) => name === 'other')).toEqual(group);
  });

  it('made twice at once is made once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => call('groups/create', { name: 'rush' })));
    expect(outcomes.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(11).fill(403)]);
    const removals = await Promise.all(Array.from({ length: 6 }, () => call('groups/delete', { name: 'rush' })));
    expect(removals.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(5).fill(404)]);
  });
});

describe('members', () => {
  it('come and go, each with a result of his own', async () => {
    const { group_id } = await create('team');
    const second = await employee(admin);
    const ids = [member.userId, second.userId, stranger.userId];
    const refused = { userid: stranger.userId, status: 'error', code: 403, message: 'User not found' };
    expect(await admin.http.form(`/api/1/groups/${group_id}/add_user/`, { user_ids: ids })).toEqual([
      { userid: member.userId, status: 'added' },
      { userid: second.userId, status: 'added' },
      refused,
    ]);
    const page = await admin.http.get<{ users: Record<string, unknown>[]; count: number }>(`/api/1/groups/${group_id}/users/?limit=1&offset=1`);
    expect(page).toMatchObject({
      count: 2,
      limit: 1,
      offset: 1,
      users: [{ userid: second.userId, company_id: companyId, login: `email:${second.email}` }],
    });
    expect(page.users[0]).toEqual(await admin.http.get(`/api/1/accounts/get/?user_id=${second.userId}`));
    const { group_users } = await list('include_users=true&order_by=-members_count');
    expect(group_users![0]).toMatchObject({ group_id, count: 2, users: [{ userid: member.userId }, { userid: second.userId }] });

    expect(await admin.http.form(`/api/1/groups/${group_id}/remove_user/`, { user_ids: `${second.userId},${stranger.userId}` })).toEqual([
      { userid: second.userId, status: 'removed' },
      refused,
    ]);
    expect((await list('order_by=-members_count')).groups[0]).toMatchObject({ group_id, members_count: 1 });
  });

  it('are the people with whom a folder is shared', async () => {
    const { group_id } = await create('readers');
    const owner = await employee(admin);
    await admin.http.form(`/api/1/groups/${group_id}/add_user/`, { user_ids: member.userId });
    await owner.upload('/shared/a.txt', Buffer.from('a'));
    await owner.http.form('/api/1/shares/add/', { path: '/shared', group_id });
    const invites = await member.http.get<{ hash?: string; invite_hash?: string }[]>('/api/1/shares/invites/');
    const hash = invites.map((invite) => invite.hash ?? invite.invite_hash).at(-1)!;
    await member.http.form('/api/1/shares/accept/', { hash });
    expect((await member.download('/shared/a.txt')).toString()).toBe('a');
    await admin.http.form(`/api/1/groups/${group_id}/remove_user/`, { user_ids: member.userId });
    expect((await member.http.send('/api/1/metadata/shared')).status).toBe(404);
  });
});

describe('policies', () => {
  it.each(['can_print', 'can_download', 'can_upload', 'pc_can_download', 'use_watermarks', 'mobile_restriction'])(
    '%s is kept and shown',
    async (policy) => {
      const { group_id, [policy]: before } = await create(`p-${policy}`);
      for (const value of [!before, before as boolean]) {
        const changed = await admin.http.form<WireGroup>(`/api/1/groups/${group_id}/change_${policy}`, { value, group_id });
        expect(changed[policy]).toBe(value);
        expect((await list()).groups.find((group) => group.group_id === group_id)).toEqual(changed);
      }
    },
  );

  it('by address are kept and shown', async () => {
    const { group_id } = await create('p-ip');
    const changed = await admin.http.form(`/api/1/groups/${group_id}/change_group_ip_restriction/`, {
      ip_restriction: true,
      allowed_ips: '10.0.0.0/8, ::1',
    });
    expect(changed).toMatchObject({ ip_restriction: true, allowed_ips: '10.0.0.0/8,::1' });
  });
});

describe('who may not', () => {
  const routes: [string, object][] = [
    ['groups/create', { name: 'x' }],
    ['groups/delete', { name: 'guarded' }],
    ['groups/list', {}],
    ['groups/GROUP/change', { name: 'x' }],
    ['groups/GROUP/add_user', { user_ids: [1] }],
    ['groups/GROUP/remove_user', { user_ids: [1] }],
    ['groups/GROUP/users', {}],
    ...['can_print', 'can_download', 'can_upload', 'pc_can_download', 'use_watermarks', 'mobile_restriction'].map((policy): [string, object] => [
      `groups/GROUP/change_${policy}`,
      { value: false },
    ]),
    ['groups/GROUP/change_group_ip_restriction', { ip_restriction: true }],
  ];
  let guarded: WireGroup;
  beforeAll(async () => {
    guarded = await create('guarded');
  });

  it.each(routes)('%s: nobody, strangers, plain members, administrators of others', async (route, params) => {
    const path = route.replace('GROUP', guarded.group_id);
    expect((await call(path, params, anonymous)).status).toBe(401);
    for (const user of [stranger, member]) expect(await call(path, params, user.http)).toEqual({ status: 403, code: 'GroupForbidden' });
    if (route.includes('GROUP') || route === 'groups/delete')
      expect(await call(path, params, otherAdmin.http)).toEqual({ status: 404, code: 'GroupNotFound' });
    expect(await call(path, { ...params, company_id: companyId }, otherAdmin.http)).toMatchObject({ status: 404 });
    expect((await list()).groups.find(({ name }) => name === 'guarded')).toEqual(guarded);
  });

  it('a disabled administrator, and one who is none any more', async () => {
    const assistant = await employee(admin);
    await database.query('UPDATE accounts SET is_company_admin = true WHERE id = $1', [assistant.userId]);
    expect((await call('groups/list', {}, assistant.http)).status).toBe(200);
    await database.query('UPDATE accounts SET is_company_admin = false WHERE id = $1', [assistant.userId]);
    expect(await call('groups/list', {}, assistant.http)).toEqual({ status: 403, code: 'GroupForbidden' });
  });

  it('a system administrator may, in the company he names', async () => {
    const group = await create('from above', system, { company_id: otherCompanyId });
    expect(group.company_id).toBe(otherCompanyId);
    expect((await list('', otherAdmin)).groups).toContainEqual(group);
    expect(await call('groups/create', { name: 'nowhere' }, system.http)).toEqual({ status: 404, code: 'CompanyNotFound' });
    expect((await call(`groups/${group.group_id}/change_can_print`, { value: false }, system.http)).status).toBe(200);
    expect((await call('groups/delete', { name: 'from above', company_id: otherCompanyId }, system.http)).status).toBe(200);
  });
});
