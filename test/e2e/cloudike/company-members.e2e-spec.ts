import { readdir, readFile } from 'node:fs/promises';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { call, CompanyTown, PASSWORD } from '../../support/companies.js';
import { HttpSession } from '../../support/http-session.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';

// The people of a company, by real HTTP: docs/contracts/cloudike.md 2 and 13.

let stack: SharedStack;
let db: pg.Client;
let town: CompanyTown;
let system: CloudikeUser;
let admin: CloudikeUser;
let member: CloudikeUser;
let rival: CloudikeUser;
let theirs: CloudikeUser;
let stranger: CloudikeUser;
let companyId: number;
let rivalId: number;

beforeAll(async () => {
  stack = await sharedStack();
  db = new pg.Client(stack.databaseUrl);
  await db.connect();
  town = new CompanyTown(stack.baseUrl);
  system = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
  ({ admin, companyId } = await town.found('Acme'));
  ({ admin: rival, companyId: rivalId } = await town.found('Rival'));
  member = await town.hire(admin, companyId);
  theirs = await town.hire(rival, rivalId);
  stranger = await CloudikeUser.register(stack.baseUrl);
});
afterAll(async () => {
  await db?.end();
  town?.close();
  await stack?.stop();
});

type Params = Record<string, string | number | boolean | readonly number[]>;

/** What everybody but its administrators gets from a route of the company; `template` holds {id}. */
async function refusals(template: string, params: Params = {}, plainMember = '403 Forbidden'): Promise<void> {
  const at = (id: number | string) => template.replace('{id}', String(id));
  expect((await call(town.anonymous, at(companyId), params)).said, 'nobody').toBe('401 Unauthorized');
  expect((await call(member.http, at(companyId), params)).said, 'a plain member').toBe(plainMember);
  for (const other of [rival, stranger]) expect((await call(other.http, at(companyId), params)).said, 'a stranger').toBe('404 CompanyNotFound');
  for (const unknown of [999_999, 0, 'abc', '-1']) {
    expect((await call(admin.http, at(unknown), params)).said, String(unknown)).toBe('404 CompanyNotFound');
    expect((await call(system.http, at(unknown), params)).said, String(unknown)).toBe('404 CompanyNotFound');
  }
  expect((await call(admin.http, at(rivalId), params)).said, 'of another company').toBe('404 CompanyNotFound');
}

async function mailsTo(address: string): Promise<string[]> {
  const folder = `${stack.dataDir}/outbox`;
  const names = await readdir(folder).catch(() => []);
  const texts = await Promise.all(names.map((name) => readFile(`${folder}/${name}`, 'utf8')));
  return texts.filter((text) => text.includes(address));
}

describe('users', () => {
  const list = async (params: Params = {}, prefix = 'company') =>
    (await call(admin.http, `${prefix}/${companyId}/users`, params)).body as { content: Record<string, unknown>[]; count: number };

  it.each(['company', 'accounts/company'])('lists members and who is invited (%s)', async (prefix) => {
    const email = town.freshEmail();
    const invited = (await call(admin.http, `${prefix}/${companyId}/invite_user/`, { email, invitation: 'Come.', lang: 'de' })).body;
    expect(invited).toMatchObject({ company_id: companyId, is_active: false, is_approved: false, unapproved_logins: [`email:${email}`], lang: 'de' });
    const { content, count } = await list({}, prefix);
    expect(count).toBe(content.length);
    expect(content.find(({ userid }) => userid === member.userId)).toMatchObject({
      name: 'Member',
      position: '',
      is_active: true,
      quota_request: 0,
      logins: [`email:${member.email}`],
    });
    const waiting = content.find(({ userid }) => userid === invited['userid'])!;
    expect(waiting).toMatchObject({ login: `email:${email}`, company_id: companyId, company_name: 'Acme', is_approved: false, status: 'waiting' });
    expect(Number(waiting['expires'])).toBeGreaterThan(Number(waiting['created']));
    expect((await list({ name: email.toUpperCase() })).content).toHaveLength(1);
    expect((await list({ name: '%' })).content).toEqual([]);
    const ids = content.map(({ userid }) => userid);
    expect((await list({ order_by: '-userid', limit: 1 })).content[0]!['userid']).toBe(ids.at(-1));
    expect((await list({ offset: 1, limit: 1 })).content[0]!['userid']).toBe(ids[1]);
    expect((await call(admin.http, `admin/company/${companyId}/invite_user/cancel/`, { email })).body).toMatchObject({ userid: invited['userid'] });
    expect((await call(admin.http, `${prefix}/${companyId}/invite_user/cancel/`, { email })).said).toBe('404 UserNotFound');
  });

  it('is for administrators', () => refusals('company/{id}/users'));
});

describe('invitations', () => {
  it('are mailed, repeated, accepted, and good for nobody after they were taken back', async () => {
    const email = town.freshEmail();
    const first = await call(admin.http, `admin/company/${companyId}/invite_user/`, { email });
    const again = await call(admin.http, `company/${companyId}/invite_user/`, { email });
    expect(again.body['userid']).toBe(first.body['userid']);
    await expect.poll(async () => (await mailsTo(email)).length, { timeout: 20_000 }).toBe(2);
    const hash = /([0-9a-f]{64})/.exec((await mailsTo(email))[0]!)![1]!;
    expect((await call(town.anonymous, 'accounts/getinvited/', { hash })).body).toEqual({ login: `email:${email}` });
    const made = await call(town.anonymous, 'accounts/create/', { email, password: PASSWORD, name: 'Ina', invite_hash: hash });
    expect(made.body).toMatchObject({ userid: first.body['userid'], company_id: companyId });
    expect((await call(admin.http, `company/${companyId}/invite_user/cancel/`, { email })).said, 'a member by now').toBe('404 UserNotFound');
    expect((await call(admin.http, `company/${companyId}/invite_user/`, { email })).said).toBe('403 AlreadyExists');

    const other = town.freshEmail();
    await call(admin.http, `company/${companyId}/invite_user/`, { email: other });
    await expect.poll(async () => (await mailsTo(other)).length, { timeout: 20_000 }).toBe(1);
    expect((await call(rival.http, `company/${rivalId}/invite_user/cancel/`, { email: other })).said).toBe('404 UserNotFound');
    await call(admin.http, `company/${companyId}/invite_user/cancel/`, { email: other });
    const gone = /([0-9a-f]{64})/.exec((await mailsTo(other))[0]!)![1]!;
    expect((await call(town.anonymous, 'accounts/getinvited/', { hash: gone })).said).toBe('404 UserNotFound');
    expect((await call(rival.http, `company/${rivalId}/invite_user/`, { email: other })).said, 'the address is free again').toBe('200');
  });

  it('refuse bad addresses, strangers and more members than there may be', async () => {
    for (const email of ['', 'nobody', 'a@b@c'])
      expect((await call(admin.http, `company/${companyId}/invite_user/`, { email })).said).toBe('400 InvalidParameters');
    expect((await call(admin.http, `company/${companyId}/invite_user/`, { email: town.freshEmail(), lang: 'xx' })).said).toBe(
      '400 InvalidParameters',
    );
    for (const path of ['company/{id}/invite_user/', 'admin/company/{id}/invite_user/', 'accounts/company/{id}/invite_user/cancel/'])
      await refusals(path, { email: town.freshEmail() });
    const { rows } = await db.query<{ n: number }>(`SELECT count(*)::int AS n FROM accounts WHERE company_id = $1 AND state <> 'deleted'`, [
      companyId,
    ]);
    await call(system.http, `admin/company/${companyId}/edit_user/`, { quota_employees_count: rows[0]!.n + 1 });
    const all = await Promise.all(
      Array.from({ length: 4 }, () => call(admin.http, `company/${companyId}/invite_user/`, { email: town.freshEmail() })),
    );
    expect(all.map(({ said }) => said).sort()).toEqual(['200', '402 QuotaExceeded', '402 QuotaExceeded', '402 QuotaExceeded']);
    await call(system.http, `admin/company/${companyId}/edit_user/`, { quota_employees_count: 0 });
  });
});

describe('switching members off and on', () => {
  it('works for one, with its tokens, and for several', async () => {
    const [one, two] = [await town.hire(admin, companyId), await town.hire(admin, companyId)];
    const off = await call(admin.http, `company/${companyId}/users_disable/`, { user_id: one.userId, reason: 'Left.' });
    expect(off.body).toMatchObject({ userid: one.userId, is_active: false, status: 'inactive', success: 1, failed: 0 });
    expect((await call(one.http, 'accounts/get/')).said).toBe('401 Unauthorized');
    expect((await call(town.anonymous, 'accounts/login/', { login: `email:${one.email}`, password: PASSWORD })).said).toBe('403 UserDisabled');
    expect((await call(admin.http, `accounts/company/${companyId}/users_enable/`, { user_id: one.userId })).body).toMatchObject({
      userid: one.userId,
      is_active: true,
    });
    expect((await call(one.http, 'accounts/get/')).said, 'its tokens are gone').toBe('401 Unauthorized');
    await CloudikeUser.login(stack.baseUrl, one.email, PASSWORD);

    const several = await call(admin.http, `accounts/company/${companyId}/users_disable/`, {
      user_id: [one.userId, two.userId, theirs.userId, admin.userId, 999_999],
    });
    expect(several.body).toMatchObject({
      success: 2,
      failed: 3,
      nodes: [
        { userid: one.userId, is_active: false, error_code: null },
        { userid: two.userId, is_active: false, error_code: null },
        { userid: theirs.userId, error_code: 404 },
        { userid: admin.userId, error_code: 403 },
        { userid: 999_999, error_code: 404 },
      ],
    });
    expect((await call(theirs.http, 'accounts/get/')).said).toBe('200');
    expect((await call(admin.http, `company/${companyId}/users_enable/`, { users_id: `[${one.userId},${two.userId}]` })).body).toMatchObject({
      success: 2,
      failed: 0,
    });
  });

  it('is refused to others, and where it would lock all out', async () => {
    for (const path of ['users_enable', 'users_disable']) {
      await refusals(`company/{id}/${path}/`, { user_id: member.userId });
      for (const nobody of [theirs.userId, stranger.userId, 999_999])
        expect((await call(admin.http, `company/${companyId}/${path}/`, { user_id: nobody })).said).toBe('404 UserNotFound');
      for (const wrong of [{}, { user_id: '' }, { user_id: 'x' }])
        expect((await call(admin.http, `company/${companyId}/${path}/`, wrong)).said).toBe('400 InvalidParameters');
    }
    expect((await call(admin.http, `company/${companyId}/users_disable/`, { user_id: admin.userId })).said, 'oneself').toBe('403 Forbidden');
    await call(admin.http, 'accounts/change_admin_rights', { user_id: member.userId, value: true });
    expect((await call(member.http, `company/${companyId}/users_disable/`, { user_id: admin.userId })).said, 'the owner').toBe('403 Forbidden');
    await call(admin.http, 'accounts/change_admin_rights', { user_id: member.userId, value: false });
    expect((await call(member.http, `company/${companyId}/users_disable/`, { user_id: admin.userId })).said).toBe('403 Forbidden');
  });
});

describe('rules for a member', () => {
  it.each([
    ['change_user_can_print', 'can_print', false, 'can_print_changed'],
    ['change_user_can_download', 'can_download', false, 'can_download_changed'],
    ['change_user_can_upload', 'can_upload', false, null],
    ['change_user_pc_can_download', 'pc_can_download', false, 'pc_can_download_changed'],
    ['change_user_use_watermarks', 'use_watermarks', true, 'use_watermarks_changed'],
    ['change_mobile_restriction', 'user_mobile_restriction', true, 'user_mobile_restriction_changed'],
  ] as const)('%s sets %s and tells the member', async (route, field, value, event) => {
    const person = await town.hire(admin, companyId);
    for (const path of [`accounts/company/${route}`, `company/${route}/`, `accounts/company/${companyId}/${route}/`]) {
      expect((await call(admin.http, path, { user_id: person.userId, value })).body, path).toMatchObject({ userid: person.userId, [field]: value });
    }
    expect(await person.http.get('/api/1/accounts/get/')).toMatchObject({ [field]: value });
    if (event !== null) {
      const events = JSON.stringify(await person.http.get(`/api/1/events/?type=${event}`));
      expect(events).toContain(event);
    }
    const path = `accounts/company/${route}`;
    expect((await call(town.anonymous, path, { user_id: person.userId, value })).said).toBe('401 Unauthorized');
    expect((await call(member.http, path, { user_id: person.userId, value })).said).toBe('403 Forbidden');
    for (const nobody of [theirs.userId, stranger.userId, 999_999])
      expect((await call(admin.http, path, { user_id: nobody, value })).said).toBe('404 UserNotFound');
    for (const other of [rival, stranger]) expect((await call(other.http, path, { user_id: person.userId, value })).said).toBe('404 UserNotFound');
    expect((await call(admin.http, `accounts/company/${rivalId}/${route}`, { user_id: theirs.userId, value })).said).toBe('404 CompanyNotFound');
    for (const wrong of [{ user_id: person.userId }, { value }, { user_id: person.userId, value: 'perhaps' }])
      expect((await call(admin.http, path, wrong)).said).toBe('400 InvalidParameters');
    expect((await call(system.http, path, { user_id: person.userId, value: !value })).body).toMatchObject({ [field]: !value });
  });

  it('checks addresses', async () => {
    const path = 'accounts/company/change_user_ip_restriction';
    const person = await town.hire(admin, companyId);
    const set = await call(admin.http, path, {
      user_id: person.userId,
      ip_restriction: true,
      allowed_ips: '10.0.0.1; 192.168.0.0/16\n2001:db8::/32',
    });
    expect(set.body).toMatchObject({ ip_restriction: true, allowed_ips: '10.0.0.1,192.168.0.0/16,2001:db8::/32' });
    expect((await call(admin.http, path, { user_id: person.userId, ip_restriction: false })).body).toMatchObject({
      ip_restriction: false,
      allowed_ips: '10.0.0.1,192.168.0.0/16,2001:db8::/32',
    });
    for (const allowed_ips of ['10.0.0', '10.0.0.0/33', 'localhost', '::1/129'])
      expect((await call(admin.http, path, { user_id: person.userId, ip_restriction: true, allowed_ips })).said).toBe('400 InvalidParameters');
    expect((await call(admin.http, path, { user_id: person.userId })).said).toBe('400 InvalidParameters');
    expect((await call(rival.http, path, { user_id: person.userId, ip_restriction: true })).said).toBe('404 UserNotFound');
    expect((await call(member.http, path, { user_id: person.userId, ip_restriction: true })).said).toBe('403 Forbidden');
  });

  it('ends accounts at a time or after a period', async () => {
    const path = `accounts/company/${companyId}/change_user_expired/`;
    const person = await town.hire(admin, companyId);
    const at = Date.now() + 3_600_000;
    expect((await call(admin.http, path, { user_id: person.userId, expired: at })).body).toMatchObject({ expired: at, is_active: true });
    const { body } = await call(admin.http, 'company/change_user_expired', { user_id: person.userId, expired: 86_400_000 });
    expect(Math.abs(Number(body['expired']) - Date.now() - 86_400_000)).toBeLessThan(60_000);
    await call(admin.http, path, { user_id: person.userId, expired: Date.now() - 1 });
    expect((await call(person.http, 'accounts/get/')).said).toBe('401 Unauthorized');
    expect((await call(admin.http, path, { user_id: person.userId, expired: 0 })).body).toMatchObject({ expired: 0 });
    expect((await call(person.http, 'accounts/get/')).said).toBe('200');
    for (const wrong of [
      { user_id: person.userId },
      { user_id: person.userId, expired: '' },
      { user_id: person.userId, expired: -5 },
      { user_id: person.userId, expired: 'soon' },
    ])
      expect((await call(admin.http, path, wrong)).said).toBe('400 InvalidParameters');
    expect((await call(admin.http, path, { user_id: admin.userId, expired: at })).said, 'oneself').toBe('403 Forbidden');
    expect((await call(admin.http, path, { user_id: theirs.userId, expired: at })).said).toBe('404 UserNotFound');
    await refusals('accounts/company/{id}/change_user_expired/', { user_id: member.userId, expired: at });
  });

  it('gives and takes the right to administrate, but never from the last', async () => {
    const path = 'accounts/change_admin_rights';
    const person = await town.hire(admin, companyId);
    expect((await call(admin.http, path, { user_id: person.userId, value: true })).body).toMatchObject({
      userid: person.userId,
      is_company_admin: true,
    });
    expect((await call(person.http, `company/${companyId}/users`)).said).toBe('200');
    expect(JSON.stringify(await person.http.get('/api/1/events/?type=company_admin_right'))).toContain('company_admin_right');
    expect((await call(person.http, path, { user_id: admin.userId, value: false })).said, 'the owner').toBe('403 Forbidden');
    await db.query('UPDATE companies SET owner_id = NULL WHERE id = $1', [companyId]);
    const both = await Promise.all([
      call(person.http, path, { user_id: admin.userId, value: false }),
      call(admin.http, path, { user_id: person.userId, value: false }),
    ]);
    expect(both.map(({ said }) => said).sort()).toEqual(['200', '403 Forbidden']);
    const { rows } = await db.query<{ id: string }>('SELECT id FROM accounts WHERE company_id = $1 AND is_company_admin', [companyId]);
    expect(rows).toHaveLength(1);
    expect(
      (await call(rows[0]!.id === String(admin.userId) ? admin.http : person.http, path, { user_id: Number(rows[0]!.id), value: false })).said,
    ).toBe('403 Forbidden');
    await db.query('UPDATE accounts SET is_company_admin = (id = $2) WHERE company_id = $1', [companyId, admin.userId]);
    await db.query('UPDATE companies SET owner_id = $2 WHERE id = $1', [companyId, admin.userId]);
    for (const nobody of [theirs.userId, 999_999])
      expect((await call(admin.http, path, { user_id: nobody, value: true })).said).toBe('404 UserNotFound');
    expect((await call(member.http, path, { user_id: member.userId, value: true })).said).toBe('403 Forbidden');
    expect((await call(town.anonymous, path, { user_id: member.userId, value: true })).said).toBe('401 Unauthorized');
    expect((await call(admin.http, path, { user_id: member.userId })).said).toBe('400 InvalidParameters');
  });
});

describe('quotas', () => {
  it('of members never pass that of the company', async () => {
    const house = await town.found('Quota House');
    const people = [
      await town.hire(house.admin, house.companyId),
      await town.hire(house.admin, house.companyId),
      await town.hire(house.admin, house.companyId),
    ];
    const ids = people.map(({ userId }) => userId);
    const set = (params: Params, path = `accounts/company/${house.companyId}/change_users_quota/`) => call(house.admin.http, path, params);
    await call(system.http, `admin/company/${house.companyId}/edit_user/`, { quota_size: 2500 });
    const { body } = await set({ users_id: ids, quota_size: 1000 });
    expect(body).toMatchObject({
      success: 2,
      failed: 1,
      nodes: [
        { userid: ids[0], quota_size: 1000, hard_quota_size: 1000, error_code: null },
        { userid: ids[1], quota_size: 1000, error_code: null },
        { userid: ids[2], error_code: 402, error_info: 'Company quota need increase.' },
      ],
    });
    expect((await set({ user_ids: `${ids[2]}`, quota_size: 600 })).said).toBe('402 QuotaExceeded');
    expect((await set({ users_id: ids[2]!, quota_size: 400, hard_quota_size: 500 }, 'accounts/company/change_users_quota')).body).toMatchObject({
      quota_size: 400,
      hard_quota_size: 500,
    });
    const race = await Promise.all(ids.map((id) => set({ users_id: id, quota_size: 1200 })));
    expect(race.filter(({ said }) => said === '200')).toHaveLength(0);
    await set({ users_id: ids[0]!, quota_size: 100 });
    const second = await Promise.all([set({ users_id: ids[1]!, quota_size: 1900 }), set({ users_id: ids[2]!, quota_size: 1400 })]);
    expect(second.map(({ said }) => said).sort()).toEqual(['200', '402 QuotaExceeded']);
    expect((await set({ users_id: ids[0]!, quota_size: 0 })).body).toMatchObject({ quota_size: 0, hard_quota_size: 0 });

    // what the members store together never passes it either
    await call(system.http, `admin/company/${house.companyId}/edit_user/`, { quota_size: 50 });
    await people[0]!.upload('/a.txt', Buffer.alloc(30));
    const refused = await call(house.admin.http, 'files/create/', { path: '/b.txt', size: 30 });
    expect(refused.said).toBe('402 QuotaExceeded');
    expect((await call(house.admin.http, `company/${house.companyId}`)).body).toMatchObject({ storage_size: 30, quota_size: 50 });
    expect((await set({ users_id: [theirs.userId, ids[0]!], quota_size: 0 })).body).toMatchObject({
      success: 1,
      failed: 1,
      nodes: [{ error_code: 404 }, { error_code: null }],
    });
  });

  it('of members are changed by administrators alone', async () => {
    await refusals('accounts/company/{id}/change_users_quota/', { users_id: member.userId, quota_size: 5 });
    for (const wrong of [
      { users_id: member.userId },
      { quota_size: 5 },
      { users_id: member.userId, quota_size: 9, hard_quota_size: 5 },
      { users_id: 'x', quota_size: 5 },
    ])
      expect((await call(admin.http, `company/${companyId}/change_users_quota`, wrong as Params)).said).toBe('400 InvalidParameters');
  });

  it('are asked for, and the question is seen', async () => {
    const path = `company/${companyId}/request_quota/`;
    const requested = async () => {
      const { body } = await call(admin.http, `company/${companyId}/users`);
      return Number((body['content'] as Record<string, unknown>[]).find(({ userid }) => userid === member.userId)!['quota_request']) > 0;
    };
    expect((await call(member.http, path, { user_id: member.userId, company_id: companyId, comment: 'Films.' })).said).toBe('200');
    expect((await call(member.http, `accounts/${path}`, { user_id: member.userId, comment: 'Many films.' })).said, 'again').toBe('200');
    await expect.poll(async () => (await mailsTo(admin.email)).filter((text) => text.includes('Films.')).length, { timeout: 20_000 }).toBe(1);
    expect(await requested()).toBe(true);
    expect((await call(member.http, path, { user_id: member.userId, viewed: true })).said).toBe('403 Forbidden');
    expect((await call(admin.http, path, { user_id: member.userId, viewed: true })).said).toBe('200');
    expect(await requested()).toBe(false);
    expect((await call(member.http, path, { user_id: admin.userId })).said, 'for somebody else').toBe('403 Forbidden');
    for (const nobody of [theirs.userId, 999_999]) {
      expect((await call(member.http, path, { user_id: nobody })).said).toBe('404 UserNotFound');
      expect((await call(admin.http, path, { user_id: nobody, viewed: true })).said).toBe('404 UserNotFound');
    }
    expect((await call(member.http, path)).said).toBe('400 InvalidParameters');
    await refusals('company/{id}/request_quota/', { user_id: member.userId }, '200');
  });
});

describe('settings of the company', () => {
  let boss: CloudikeUser;
  let person: CloudikeUser;
  let id: number;

  const change = async (settings: Record<string, string | number | boolean>) =>
    expect((await call(boss.http, `company/${id}/change`, settings)).said).toBe('200');
  const refusedBy = (reason: string) => ({ code: 'Forbidden', reason });
  const as = (user: CloudikeUser, program: string) => new HttpSession(stack.baseUrl, { 'mountbit-auth': user.token, 'mountbit-user-agent': program });
  const login = (password: string, program = 'web-frontend/1') =>
    call(new HttpSession(stack.baseUrl, { 'mountbit-user-agent': program }), 'accounts/login', { email: person.email, password });
  const basic = (password: string) =>
    new HttpSession(stack.baseUrl, { authorization: `Basic ${Buffer.from(`${person.email}:${password}`).toString('base64')}` });

  beforeAll(async () => {
    ({ admin: boss, companyId: id } = await town.found('Rules'));
    person = await town.hire(boss, id);
  });

  it('leave folders to administrators', async () => {
    await person.mkdir('/mine');
    await boss.mkdir('/theirs');
    await change({ folder_create_admin_only: true, company_folder_creation_allow: false, folder_limit_creation_allow: false });
    const onlyAdmins = refusedBy('folder_create_admin_only');
    expect((await call(person.http, 'fileops/folder_create', { path: '/new' })).body).toMatchObject(onlyAdmins);
    expect((await call(person.http, 'files/create', { path: '/new/a.txt', size: 1 })).body).toMatchObject(onlyAdmins);
    expect((await call(person.http, 'fileops/copy', { from_path: '/mine', to_path: '/' })).body).toMatchObject(onlyAdmins);
    expect((await call(person.http, 'files/create', { path: '/mine/a.txt', size: 1 })).said).toBe('200');
    expect((await call(boss.http, 'fileops/folder_create', { path: '/new' })).said).toBe('200');
    const offer = (user: CloudikeUser, path: string) => call(user.http, 'shares/company/add', { path });
    expect((await offer(person, '/mine')).body).toMatchObject(refusedBy('company_folder_creation_allow'));
    expect((await offer(boss, '/theirs')).said).toBe('200');
    const limit = (user: CloudikeUser, path: string) => call(user.http, 'shares/sizelimit', { path, enable: true, size_limit: 1_000_000 });
    expect((await limit(person, '/mine')).body).toMatchObject(refusedBy('folder_limit_creation_allow'));
    expect((await limit(boss, '/theirs')).said).toBe('200');
    await change({ folder_create_admin_only: false, company_folder_creation_allow: true, folder_limit_creation_allow: true });
    expect((await call(person.http, 'fileops/folder_create', { path: '/new' })).said).toBe('200');
    expect((await offer(person, '/mine')).said).toBe('200');
    expect((await limit(person, '/mine')).said).toBe('200');
  });

  it('open phones at the hours of the company alone, in the time zone of its owner', async () => {
    const phone = as(person, 'mobile-ios/3');
    const said = async (http = phone) => (await call(http, 'metadata/', { listing: false })).body;
    /** The time of day this many hours from now. */
    const at = (hours: number, timeZone = 'UTC') =>
      new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone }).format(Date.now() + hours * 3_600_000);
    const hours = (from: string, until: string) => change({ restrict_mobile_using: true, mobile_using_start_at: from, mobile_using_end_at: until });
    expect(await said()).toMatchObject({ path: '/' });
    await hours(at(2), at(4));
    expect(await said()).toMatchObject(refusedBy('mobile_hours'));
    expect((await login(PASSWORD, 'mobile-ios/3')).body).toMatchObject(refusedBy('mobile_hours'));
    expect((await login(PASSWORD)).said).toBe('200');
    for (const program of ['web-frontend/1', 'desktop-client-win/1']) expect(await said(as(person, program))).toMatchObject({ path: '/' });
    await hours(at(-2), at(2));
    expect(await said()).toMatchObject({ path: '/' });
    expect((await call(boss.http, 'accounts/change_profile', { timezone: 'Asia/Seoul' })).said).toBe('200');
    await hours(at(-2), at(2));
    expect(await said()).toMatchObject(refusedBy('mobile_hours'));
    await hours(at(-2, 'Asia/Seoul'), at(2, 'Asia/Seoul'));
    expect(await said()).toMatchObject({ path: '/' });
    await change({ restrict_mobile_using: false, can_use_mobile: false, can_use_pc_client: false });
    expect(await said()).toMatchObject(refusedBy('can_use_mobile'));
    expect(await said(as(person, 'desktop-client-win/1'))).toMatchObject(refusedBy('can_use_pc_client'));
    expect(await said(as(person, 'web-frontend/1'))).toMatchObject({ path: '/' });
    await change({ can_use_mobile: true, can_use_pc_client: true });
    expect(await said()).toMatchObject({ path: '/' });
    for (const wrong of ['24:00', '8:00', 'noon'])
      expect((await call(boss.http, `company/${id}/change`, { mobile_using_start_at: wrong })).said).toBe('400 InvalidParameters');
  });

  it('end passwords after their time, and let none come back', async () => {
    await change({ password_lifetime: 30, password_reuse_allow: false });
    expect((await login(PASSWORD)).said).toBe('200');
    await db.query(`UPDATE accounts SET password_changed_at = now() - interval '30 days' WHERE id = $1`, [person.userId]);
    expect((await login(PASSWORD)).body).toMatchObject(refusedBy('password_lifetime'));
    expect((await call(basic(PASSWORD), 'metadata/')).body).toMatchObject(refusedBy('password_lifetime'));
    expect((await login('wrong')).said).toBe('401 Unauthorized');
    // tokens of before live on
    expect((await call(person.http, 'metadata/')).said).toBe('200');
    expect((await call(town.anonymous, 'accounts/recover_lost_password', { login: `email:${person.email}` })).said).toBe('200');
    await expect.poll(async () => (await mailsTo(person.email)).length, { timeout: 20_000 }).toBe(1);
    const key = /([0-9a-f]{64})/.exec((await mailsTo(person.email))[0]!)![1]!;
    const { body: session } = await call(town.anonymous, 'accounts/login_by_key', { key });
    const recovered = new HttpSession(stack.baseUrl, { 'mountbit-auth': String(session['token']) });
    const set = (password: string) => call(recovered, 'accounts/change_profile', { password });
    const again = { code: 'InvalidParameters', reason: 'password_reuse_allow' };
    expect((await set('second word')).said).toBe('200');
    expect((await set(PASSWORD)).body).toMatchObject(again);
    expect((await call(boss.http, 'admin/accounts_set_password', { user_id: person.userId, new_password: PASSWORD })).body).toMatchObject(again);
    expect((await call(boss.http, 'admin/accounts_set_password', { user_id: person.userId, new_password: 'second word' })).body).toMatchObject(again);
    expect((await call(boss.http, 'admin/accounts_set_password', { user_id: person.userId, new_password: 'third word' })).said).toBe('200');
    expect((await login('third word')).said).toBe('200');
    await change({ password_lifetime: 0, password_reuse_allow: true });
    expect((await call(boss.http, 'admin/accounts_set_password', { user_id: person.userId, new_password: PASSWORD })).said).toBe('200');
    expect((await login(PASSWORD)).said).toBe('200');
  });

  it('end what nobody used for as long as it says', async () => {
    const [left, used] = [(await login(PASSWORD)).body, (await login(PASSWORD)).body];
    const device = await town.device(person.email);
    const unused = `UPDATE auth_tokens SET last_used_at = now() - interval '32 minutes' WHERE id = ANY($1::text[])`;
    await db.query(unused, [[left['id'], device.id]]);
    await change({ logout_timeout: 30, logout_timeout_enable: true });
    const said = async (token: unknown) => (await call(new HttpSession(stack.baseUrl, { 'mountbit-auth': String(token) }), 'metadata/')).said;
    expect([await said(left['token']), await said(used['token']), await said(device.token)]).toEqual(['401 Unauthorized', '200', '200']);
    await change({ logout_timeout_enable: false });
    expect(await said(left['token'])).toBe('200');
  });
});
