import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { HttpSession } from '../../support/http-session.js';
import { type Stack, startStack } from '../../support/stack.js';

// Administrators and the people they look after: docs/contracts/cloudike.md 2.

interface WireUser {
  userid: number;
  name: string;
  role: string;
  is_active: boolean;
  is_deleted: boolean;
  deleted_date: number;
  quota_size: number;
  hard_quota_size: number;
  region: string;
  status: string;
  logins: string[];
  unapproved_logins: string[];
  need_password_change: boolean;
  company_id: number;
}

const PASSWORD = 'correct horse battery';

let stack: Stack;
let anonymous: HttpSession;
let system: CloudikeUser;
let boss: CloudikeUser;
let member: CloudikeUser;
let plain: CloudikeUser;
let otherBoss: CloudikeUser;
let companyId: number;
let count = 0;

beforeAll(async () => {
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
  anonymous = new HttpSession(stack.baseUrl);
  system = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
  [boss, companyId] = await founder('one');
  [otherBoss] = await founder('two');
  member = await employee(boss);
  plain = await CloudikeUser.register(stack.baseUrl);
});
afterAll(async () => {
  await stack?.stop();
});

async function founder(name: string): Promise<[CloudikeUser, number]> {
  const email = `founder-${name}@example.org`;
  await anonymous.form('/api/1/accounts/create/', { email, password: PASSWORD, name, company_name: name });
  const user = await CloudikeUser.login(stack.baseUrl, email, PASSWORD);
  return [user, (await user.http.get<{ company_id: number }>('/api/1/accounts/get/')).company_id];
}

async function employee(of: CloudikeUser): Promise<CloudikeUser> {
  const email = `employee-${++count}@example.org`;
  await of.http.form('/api/1/accounts/create/', { email, password: PASSWORD, name: `e${count}`, created_manually: true });
  return CloudikeUser.login(stack.baseUrl, email, PASSWORD);
}

const person = () => CloudikeUser.register(stack.baseUrl, `person-${++count}@example.org`);

/** Calls a route by POST; status, and the code of an error. */
async function call(path: string, params: Record<string, string | number | boolean> = {}, http = system.http) {
  const body = new URLSearchParams(Object.entries(params).map(([name, value]): [string, string] => [name, String(value)]));
  const reply = await http.send(`/api/1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
  });
  const { code } = reply.json<{ code?: string }>();
  return code === undefined || code === 'OK' ? { status: reply.status } : { status: reply.status, code };
}

const admin = <T = WireUser>(name: string, params: Record<string, string | number | boolean>, http = system.http) =>
  http.form<T>(`/api/1/admin/${name}/`, params);
const login = (email: string, password = PASSWORD) => call('accounts/login/', { login: `email:${email}`, password }, anonymous);
const works = async (http: HttpSession) => (await http.send('/api/1/accounts/get/')).status;

/** The newest mail to an address. */
async function mailTo(address: string): Promise<string> {
  const outbox = join(stack.dataDir, 'outbox');
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(100)) {
    for (const name of (await readdir(outbox).catch(() => [])).sort().reverse()) {
      const text = await readFile(join(outbox, name), 'utf8').catch(() => '');
      if (text.includes(address)) return text;
    }
  }
  throw new Error(`no mail to ${address}`);
}

describe('every route for administrators of the system', () => {
  const ROUTES: [string, Record<string, string | number | boolean>][] = [
    ['admin/accounts_disable/', {}],
    ['admin/accounts_enable/', {}],
    ['admin/accounts_unlock/', {}],
    ['admin/accounts_generate_login_key/', {}],
    ['admin/set_effective_userid/', {}],
    ['admin/assign_role/', { role: 'admin' }],
    ['admin/accounts_delete/', { immediately: false }],
    ['admin/accounts_restore/', {}],
    ['admin/edit_user/', { region: 'north' }],
    ['moderators/add/', {}],
    ['moderators/remove/', {}],
  ];

  it.each(ROUTES)('%s refuses whoever is none, and knows no unknown user', async (route, params) => {
    const target = plain.userId;
    const named = (id: number | string) => ({ ...params, user_id: id, euser_id: id });
    expect(await call(route, named(target), anonymous)).toEqual({ status: 401, code: 'Unauthorized' });
    for (const user of [plain, member, boss]) {
      expect(await call(route, named(target), user.http)).toEqual({ status: 403, code: 'Forbidden' });
      expect(await call(route, named(member.userId), user.http)).toEqual({ status: 403, code: 'Forbidden' });
      expect(await call(route, named(999_999_999), user.http)).toEqual({ status: 403, code: 'Forbidden' });
    }
    expect(await call(route, named(999_999_999))).toEqual({ status: 404, code: 'UserNotFound' });
    expect(await call(route, named('first'))).toEqual({ status: 400, code: 'InvalidParameters' });
    expect(await call(route, params)).toEqual({ status: 400, code: 'InvalidParameters' });
  });

  it('takes no HEAD where something is written', async () => {
    for (const [route] of ROUTES) expect((await system.http.send(`/api/1/${route}`, { method: 'HEAD' })).status).toBe(405);
  });
});

describe('accounts_disable and accounts_enable', () => {
  it('end tokens and HTTP Basic at once, and let in again', async () => {
    const user = await person();
    const basic = new HttpSession(stack.baseUrl, { authorization: `Basic ${Buffer.from(`${user.email}:${PASSWORD}`).toString('base64')}` });
    expect(await works(basic)).toBe(200);
    const disabled = await admin('accounts_disable', { user_id: user.userId, reason: 'left the company' });
    expect(disabled).toMatchObject({ userid: user.userId, is_active: false, is_deleted: false, status: 'inactive' });
    expect(await works(user.http)).toBe(401);
    expect(await works(basic)).toBe(403);
    expect(await login(user.email)).toEqual({ status: 403, code: 'UserDisabled' });
    expect(await admin('accounts_disable', { user_id: user.userId })).toMatchObject({ is_active: false });
    expect(await admin('accounts_enable', { user_id: user.userId, reason: 'is back' })).toMatchObject({ is_active: true, status: 'active' });
    expect(await works(user.http)).toBe(401);
    expect(await login(user.email)).toEqual({ status: 200 });
  });

  it('do not lock out the last administrator', async () => {
    expect(await call('admin/accounts_disable/', { user_id: system.userId })).toEqual({ status: 403, code: 'Forbidden' });
    expect(await call('admin/accounts_delete/', { user_id: system.userId, immediately: false })).toEqual({ status: 403, code: 'Forbidden' });
    expect(await call('admin/assign_role/', { user_id: system.userId, role: 'user' })).toEqual({ status: 403, code: 'Forbidden' });
    expect(await works(system.http)).toBe(200);
  });
});

describe('accounts_delete and accounts_restore', () => {
  it('mark a user as deleted and bring him back with what he has', async () => {
    const user = await person();
    await user.upload('/kept.txt', Buffer.from('kept'));
    const deleted = await admin('accounts_delete', { user_id: user.userId, immediately: false, migrate_file: false });
    expect(deleted).toMatchObject({ is_deleted: true, is_active: false, status: 'deleted' });
    expect(deleted.deleted_date).toBeGreaterThan(Date.now() - 60_000);
    expect(await works(user.http)).toBe(401);
    expect(await login(user.email)).toEqual({ status: 401, code: 'Unauthorized' });
    expect(await call('accounts/create/', { email: user.email, password: PASSWORD, name: 'x' }, anonymous)).toMatchObject({ status: 404 });
    expect(await call('admin/accounts_delete/', { user_id: user.userId, immediately: false })).toEqual({ status: 404, code: 'UserNotFound' });
    for (const route of ['accounts_disable', 'accounts_enable', 'accounts_generate_login_key', 'accounts_set_password']) {
      expect(await call(`admin/${route}/`, { user_id: user.userId })).toEqual({ status: 404, code: 'UserNotFound' });
    }
    expect(await admin('accounts_restore', { user_id: user.userId })).toMatchObject({ is_deleted: false, is_active: true, deleted_date: 0 });
    expect(await call('admin/accounts_restore/', { user_id: user.userId })).toEqual({ status: 404, code: 'UserNotFound' });
    const back = await CloudikeUser.login(stack.baseUrl, user.email, PASSWORD);
    expect((await back.download('/kept.txt')).toString()).toBe('kept');
  });

  it('needs to be told how', async () => {
    expect(await call('admin/accounts_delete/', { user_id: plain.userId })).toEqual({ status: 400, code: 'InvalidParameters' });
    expect(await works(plain.http)).toBe(200);
  });
});

describe('accounts_unlock and blocked_logins', () => {
  it('show and end a lock', async () => {
    const user = await person();
    for (let i = 0; i < 10; i++) await login(user.email, `wrong ${i}`);
    expect(await login(user.email)).toEqual({ status: 403, code: 'UserTemporarilyLocked' });
    const blocked =
      await system.http.get<{ login: string; userid: number; attempts: number; blocked_until: number }[]>('/api/1/admin/blocked_logins/');
    const mine = blocked.find((entry) => entry.userid === user.userId)!;
    expect(mine).toEqual({ login: `email:${user.email}`, userid: user.userId, attempts: 10, blocked_until: expect.any(Number) });
    expect(mine.blocked_until).toBeGreaterThan(Date.now());
    expect(await admin('accounts_unlock', { login: mine.login })).toMatchObject({ userid: user.userId });
    expect(await login(user.email)).toEqual({ status: 200 });
    expect(await call('admin/accounts_unlock/', { login: 'email:nobody@example.org' })).toEqual({ status: 404, code: 'UserNotFound' });
    expect(await call('admin/blocked_logins/', {}, boss.http)).toEqual({ status: 403, code: 'Forbidden' });
    expect(await call('admin/blocked_logins/', {}, anonymous)).toEqual({ status: 401, code: 'Unauthorized' });
  });
});

describe('accounts_set_password', () => {
  it('ends the old password and its tokens', async () => {
    const user = await person();
    expect(await admin('accounts_set_password', { user_id: user.userId, new_password: 'the next one' })).toMatchObject({
      userid: user.userId,
      need_password_change: true,
    });
    expect(await works(user.http)).toBe(401);
    expect(await login(user.email)).toEqual({ status: 401, code: 'Unauthorized' });
    expect(await login(user.email, 'the next one')).toEqual({ status: 200 });
  });

  it('makes one up and mails it, and tells it nowhere else', async () => {
    const user = await person();
    const answer = JSON.stringify(await admin('accounts_set_password', { user_id: user.userId }));
    const mail = await mailTo(user.email);
    const password = /^[\w-]{20}\r?$/m.exec(mail)![0].trim();
    expect(await login(user.email, password)).toEqual({ status: 200 });
    expect(answer).not.toContain(password);
    expect(stack.logs('api') + stack.logs('worker')).not.toContain(password);
  });

  it('serves administrators of a company for their own members only', async () => {
    const colleague = await employee(boss);
    expect(await call('admin/accounts_set_password/', { user_id: colleague.userId, new_password: 'by the boss' }, boss.http)).toEqual({
      status: 200,
    });
    expect(await login(colleague.email, 'by the boss')).toEqual({ status: 200 });
    const foreign = { status: 404, code: 'UserNotFound' };
    const set = (user_id: number, http: HttpSession) => call('admin/accounts_set_password/', { user_id, new_password: 'no way' }, http);
    expect(await set(colleague.userId, otherBoss.http)).toEqual(foreign);
    expect(await set(plain.userId, boss.http)).toEqual(foreign);
    expect(await set(999_999_999, boss.http)).toEqual(foreign);
    expect(await set(boss.userId, member.http)).toEqual({ status: 403, code: 'Forbidden' });
    expect(await set(member.userId, plain.http)).toEqual(foreign);
    expect(await set(member.userId, anonymous)).toEqual({ status: 401, code: 'Unauthorized' });
    expect(await call('admin/accounts_set_password/', { user_id: member.userId, new_password: 'x'.repeat(257) })).toMatchObject({ status: 400 });
  });
});

describe('accounts_generate_login_key', () => {
  it('answers the id and a key that is good once', async () => {
    const user = await person();
    const [id, key] = await admin<[number, string]>('accounts_generate_login_key', { user_id: user.userId });
    expect(id).toBe(user.userId);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(await anonymous.form('/api/0/accounts/login/', { key })).toMatchObject({ userid: user.userId });
    expect(await call('accounts/login/', { key }, anonymous)).toMatchObject({ status: 403 });
    await admin('accounts_disable', { user_id: user.userId });
    expect(await call('admin/accounts_generate_login_key/', { user_id: user.userId })).toEqual({ status: 403, code: 'UserDisabled' });
  });
});

describe('accounts_find_users', () => {
  const find = (query: string, http = system.http) =>
    http.form<{ count: number; limit: number; offset: number; users: WireUser[] }>(`/api/1/admin/accounts_find_users/?${query}`, {});
  const ids = async (query: string, http?: HttpSession) => (await find(query, http)).users.map((user) => user.userid);

  it('filters by each parameter', async () => {
    const user = await person();
    await user.upload('/a.bin', Buffer.alloc(5000));
    await admin('edit_user', { user_id: user.userId, region: 'Utopia', quota_size: 9000 });
    const [found] = (await find(`user_id=${user.userId}`)).users;
    expect(found).toMatchObject({ userid: user.userId, storage_size: 5000, quota_size: 9000, region: 'Utopia', logins: [`email:${user.email}`] });
    const { registration_date: registered, last_login: loggedIn } = found as unknown as Record<string, number>;
    const fitting = [
      `login=${encodeURIComponent(user.email.toUpperCase())}`,
      `login=email:${user.email}`,
      `name=${user.email.split('@')[0]!.toUpperCase()}`,
      'region=Utopia',
      'region=Utopia&has_region=true&is_active=true&is_deleted=false&role=user',
      `registration_date_from=${registered}&registration_date_to=${registered}&user_id=${user.userId}`,
      `last_login_from=${loggedIn}&last_login_to=${loggedIn}&user_id=${user.userId}`,
      `storage_size_from=5000&storage_size_to=5000`,
    ];
    for (const query of fitting) expect([query, await ids(query)]).toEqual([query, [user.userId]]);
    const others = [
      'has_region=false',
      'is_active=false',
      'is_deleted=true',
      'role=admin',
      'storage_size_to=4999',
      'company_id=1',
      'company_name=one',
    ];
    others.push(`registration_date_from=${registered! + 1}`, `last_login_to=${loggedIn! - 1}`, 'deleted_date=1', 'block_date=1', 'region=utopia');
    for (const query of others) expect([query, await ids(`user_id=${user.userId}&${query}`)]).toEqual([query, []]);
    const { deleted_date: deletedAt } = await admin('accounts_delete', { user_id: user.userId, immediately: false });
    expect(await ids(`is_deleted=true&deleted_date=${deletedAt}`)).toEqual([user.userId]);
    expect(await ids(`user_id=${user.userId}&is_active=true`)).toEqual([]);
    expect(await ids('registration_date_from=8640000000000000')).toEqual([]);
  });

  it('pages and orders', async () => {
    const all = await find('limit=0');
    expect(all).toMatchObject({ limit: 2000, offset: 0, count: all.users.length });
    const sorted = all.users.map((user) => user.userid);
    expect(sorted).toEqual([...sorted].sort((a, b) => a - b));
    expect((await find('')).limit).toBe(20);
    expect((await find('limit=99999')).limit).toBe(2000);
    expect(await ids('limit=2&offset=1')).toEqual(sorted.slice(1, 3));
    expect(await ids('limit=0&order_direction=DESCENDING')).toEqual([...sorted].reverse());
    for (const field of ['name', 'registration_date', 'last_login', 'deleted_date', 'storage_size', 'role', 'company_id', 'constructor']) {
      expect((await find(`limit=0&order_field=${field}`)).users).toHaveLength(sorted.length);
    }
    expect(await call('admin/accounts_find_users/', { limit: -1 })).toEqual({ status: 400, code: 'InvalidParameters' });
    expect(await call('admin/accounts_find_users/', { user_id: 'x' })).toEqual({ status: 400, code: 'InvalidParameters' });
  });

  it('shows administrators of a company their own people and nobody else', async () => {
    const found = await find('limit=0', boss.http);
    expect(found.users.map((user) => user.userid)).toEqual(expect.arrayContaining([boss.userId, member.userId]));
    expect(found.users.every((user) => user.company_id === companyId)).toBe(true);
    expect(await ids(`user_id=${plain.userId}`, boss.http)).toEqual([]);
    expect(await ids(`user_id=${otherBoss.userId}`, boss.http)).toEqual([]);
    expect(await ids('company_id=999999', boss.http)).toEqual([]);
    expect((await find(`company_id=${companyId}`, otherBoss.http)).count).toBe(0);
    for (const user of [member, plain]) expect(await call('admin/accounts_find_users/', {}, user.http)).toEqual({ status: 403, code: 'Forbidden' });
    expect(await call('admin/accounts_find_users/', {}, anonymous)).toEqual({ status: 401, code: 'Unauthorized' });
  });
});

describe('set_effective_userid', () => {
  const whoIs = async (http: HttpSession) => (await http.get<WireUser>('/api/1/accounts/get/')).userid;

  it('lets the own token act as a user, and as the administrator again', async () => {
    const own = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
    expect(await admin('set_effective_userid', { euser_id: plain.userId }, own.http)).toMatchObject({ userid: plain.userId });
    expect(await whoIs(own.http)).toBe(plain.userId);
    expect(await whoIs(system.http)).toBe(system.userId);
    expect(await call('admin/accounts_find_users/', {}, own.http)).toEqual({ status: 403, code: 'Forbidden' });
    expect(await admin('set_effective_userid', { euser_id: system.userId }, own.http)).toMatchObject({ userid: system.userId });
    expect(await whoIs(own.http)).toBe(own.userId);
    await admin('set_effective_userid', { euser_id: member.userId, token: own.token });
    expect(await whoIs(own.http)).toBe(member.userId);
    expect(await works(member.http)).toBe(200);
    await admin('accounts_disable', { user_id: member.userId });
    expect(await works(own.http)).toBe(401);
    await admin('accounts_enable', { user_id: member.userId });
    member = await CloudikeUser.login(stack.baseUrl, member.email, PASSWORD);
  });

  it('takes no token of others, and acts as no other administrator', async () => {
    const second = await person();
    await admin('assign_role', { user_id: second.userId, role: 'admin' });
    expect(await call('admin/set_effective_userid/', { euser_id: second.userId })).toEqual({ status: 403, code: 'Forbidden' });
    expect(await call('admin/set_effective_userid/', { euser_id: plain.userId, token: second.token })).toEqual({
      status: 404,
      code: 'TokenNotFound',
    });
    expect(await call('admin/set_effective_userid/', { euser_id: plain.userId, token: plain.token })).toEqual({ status: 404, code: 'TokenNotFound' });
    await admin('assign_role', { user_id: second.userId, role: 'user' });
  });
});

describe('assign_role and moderators', () => {
  it('give and take roles, at once', async () => {
    const user = await person();
    expect(await admin('assign_role', { user_id: user.userId, role: 'admin' })).toMatchObject({ role: 'admin' });
    expect(await call('admin/blocked_logins/', {}, user.http)).toEqual({ status: 200 });
    expect(await call('moderators/add/', { user_id: user.userId })).toEqual({ status: 403, code: 'Forbidden' });
    expect(await admin('assign_role', { user_id: user.userId, role: 'user' })).toMatchObject({ role: 'user' });
    expect(await call('admin/blocked_logins/', {}, user.http)).toEqual({ status: 403, code: 'Forbidden' });
    expect(await call('admin/assign_role/', { user_id: user.userId, role: 'king' })).toEqual({ status: 400, code: 'InvalidParameters' });
    expect(await call('admin/assign_role/', { user_id: user.userId })).toEqual({ status: 400, code: 'InvalidParameters' });
  });

  it('add, list and remove moderators by id or login', async () => {
    const [one, two] = [await person(), await person()];
    expect(await call('moderators/add/', { user_id: one.userId })).toEqual({ status: 200 });
    expect(await call('moderators/add/', { login: `email:${two.email}` })).toEqual({ status: 200 });
    expect(await call('moderators/add/', { login: `email:${two.email}` })).toEqual({ status: 200 });
    expect(await call('moderators/add/', { login: 'email:nobody@example.org' })).toEqual({ status: 404, code: 'UserNotFound' });
    const list = () => system.http.get<{ userid: number; name: string; login: string }[]>('/api/1/moderators/get/');
    expect(await list()).toEqual([one, two].map((user) => ({ userid: user.userId, name: user.email.split('@')[0], login: `email:${user.email}` })));
    expect(await call('moderators/remove/', { user_id: one.userId })).toEqual({ status: 200 });
    expect(await call('moderators/remove/', { user_id: one.userId })).toEqual({ status: 404, code: 'UserNotFound' });
    expect((await list()).map((entry) => entry.userid)).toEqual([two.userId]);
    expect(await call('moderators/get/', {}, two.http)).toEqual({ status: 403, code: 'Forbidden' });
    expect(await call('moderators/get/', {}, anonymous)).toEqual({ status: 401, code: 'Unauthorized' });
  });
});

describe('invite_user', () => {
  it('makes a waiting user whose mail lets him register', async () => {
    const email = 'invited@example.org';
    const invited = await admin('invite_user', { email, invitation: 'Come and see', lang: 'de' });
    expect(invited).toMatchObject({ is_active: false, status: 'waiting', unapproved_logins: [`email:${email}`], logins: [] });
    const mail = await mailTo(email);
    expect(mail).toContain('Come and see');
    const hash = /hash=3?D?([0-9a-f]{64})/.exec(mail.replace(/=\r?\n/g, ''))![1]!;
    expect(await anonymous.get(`/api/1/accounts/getinvited/?hash=${hash}`)).toEqual({ login: `email:${email}` });
    expect(await call('admin/invite_user/', { email })).toEqual({ status: 403, code: 'AlreadyExists' });
    const joined = await anonymous.form<WireUser>('/api/1/accounts/create/', { email, password: PASSWORD, name: 'Invited', invite_hash: hash });
    expect(joined).toMatchObject({ userid: invited.userid, is_active: true });
    expect(await call('admin/invite_user/', { email: 'no address' })).toEqual({ status: 400, code: 'InvalidParameters' });
    expect(await call('admin/invite_user/', {})).toEqual({ status: 400, code: 'InvalidParameters' });
    for (const user of [boss, plain]) {
      expect(await call('admin/invite_user/', { email: 'x@example.org' }, user.http)).toEqual({ status: 403, code: 'Forbidden' });
    }
    expect(await call('admin/invite_user/', { email: 'x@example.org' }, anonymous)).toEqual({ status: 401, code: 'Unauthorized' });
  });
});

describe('edit_user', () => {
  it('sets limits that hold, before and after the first file', async () => {
    const user = await person();
    expect(await admin('edit_user', { user_id: user.userId, hard_quota_size: 1000, quota_size: 600, region: 'north' })).toMatchObject({
      hard_quota_size: 1000,
      quota_size: 600,
      region: 'north',
    });
    expect(await user.http.get('/api/1/accounts/get/')).toMatchObject({ hard_quota_size: 1000, quota_size: 600 });
    await user.upload('/a.bin', Buffer.alloc(900));
    expect(await call('files/create/', { path: '/b.bin', size: 200 }, user.http)).toEqual({ status: 402, code: 'QuotaExceeded' });
    expect(await admin('edit_user', { user_id: user.userId, quota_size: -1 })).toMatchObject({
      hard_quota_size: 1000,
      quota_size: 1000,
      region: 'north',
    });
    expect(await admin('edit_user', { user_id: user.userId, hard_quota_size: 0, region: '' })).toMatchObject({ hard_quota_size: 0, region: '' });
    await user.upload('/b.bin', Buffer.alloc(200));
    expect(await admin('edit_user', { user_id: user.userId, hard_quota_size: 10 })).toMatchObject({ hard_quota_size: 10 });
    expect(await call('files/create/', { path: '/c.bin', size: 1 }, user.http)).toEqual({ status: 402, code: 'QuotaExceeded' });
  });

  it('refuses what makes no sense', async () => {
    const wrong = { status: 400, code: 'InvalidParameters' };
    expect(await call('admin/edit_user/', { user_id: plain.userId })).toEqual(wrong);
    expect(await call('admin/edit_user/', { user_id: plain.userId, quota_size: -2 })).toEqual(wrong);
    expect(await call('admin/edit_user/', { user_id: plain.userId, quota_size: 2, hard_quota_size: 1 })).toEqual(wrong);
    expect(await call('admin/edit_user/', { user_id: plain.userId, region: 'a\nb' })).toEqual(wrong);
  });
});
