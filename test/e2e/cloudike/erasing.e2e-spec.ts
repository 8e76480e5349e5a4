import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { call, CompanyTown, PASSWORD } from '../../support/companies.js';
import { type Stack, startStack } from '../../support/stack.js';

// The end of people and companies, by real HTTP: docs/contracts/cloudike.md 2, 13 and 22.

let stack: Stack;
let town: CompanyTown;
let system: CloudikeUser;
let admin: CloudikeUser;
let plain: CloudikeUser;
let rival: CloudikeUser;
let stranger: CloudikeUser;
let companyId: number;

beforeAll(async () => {
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_BLOB_GRACE_SECONDS: '0' } });
  town = new CompanyTown(stack.baseUrl);
  system = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
  ({ admin, companyId } = await town.found('Acme'));
  ({ admin: rival } = await town.found('Rival'));
  plain = await town.hire(admin, companyId);
  stranger = await CloudikeUser.register(stack.baseUrl);
});
afterAll(async () => {
  town?.close();
  await stack?.stop();
});

type Params = Parameters<typeof call>[2];
const said = async (who: Parameters<typeof call>[0], path: string, params: Params = {}) => (await call(who, path, params)).said;

async function member(name: string): Promise<CloudikeUser> {
  const user = await town.hire(admin, companyId, name);
  await user.upload('/docs/a.txt', Buffer.from('hello'));
  await user.upload('/b.txt', Buffer.from('world'));
  return user;
}

const fsck = () => spawnSync(process.execPath, [resolve('dist/apps/worker/src/fsck.js')], { env: { ...stack.env }, encoding: 'utf8' });

describe('admin/accounts_delete', () => {
  const path = 'admin/accounts_delete/';

  it('erases a user with all he has, and his address is free', async () => {
    const user = await member('Zacharias');
    const { said: answer, body } = await call(system.http, path, { user_id: user.userId, immediately: true, migrate_file: false });
    expect(answer).toBe('200');
    expect(body).toMatchObject({
      userid: user.userId,
      is_deleted: true,
      status: 'deleted',
      deleted_date: expect.any(Number),
      taskid: expect.any(String),
    });
    expect(await system.finished(body['taskid'] as string)).toEqual({});
    expect(await said(user.http, 'accounts/get/')).toBe('401 Unauthorized');
    expect(await said(system.http, 'admin/accounts_restore/', { user_id: user.userId })).toBe('404 UserNotFound');
    expect(await said(system.http, path, { user_id: user.userId, immediately: true })).toBe('404 UserNotFound');
    expect((await call(system.http, 'admin/accounts_find_users/', { userid: user.userId })).body).toMatchObject({ count: 0 });
    const again = await CloudikeUser.register(stack.baseUrl, user.email);
    expect(again.userId).not.toBe(user.userId);
    expect((await again.metadata('/')).content).toEqual([]);
    expect(fsck()).toMatchObject({ status: 0, stdout: expect.stringContaining(': 0 findings') });
  });

  it.each([
    ['whom he names', (heir: CloudikeUser) => ({ migrate_login: `email:${heir.email}` })],
    ['the owner of the company', () => ({})],
  ])('gives the files to %s first', async (_who, more) => {
    const user = await member('Yolanda');
    const heir = 'migrate_login' in more(plain) ? plain : admin;
    const { body } = await call(system.http, path, { user_id: user.userId, immediately: true, migrate_file: true, ...more(plain) });
    await system.finished(body['taskid'] as string);
    expect((await heir.download('/Yolanda/docs/a.txt')).toString()).toBe('hello');
    expect((await heir.download('/Yolanda/b.txt')).toString()).toBe('world');
  });

  it('refuses everybody else, and heirs who are nobody', async () => {
    const user = await member('Xaver');
    const params = { user_id: user.userId, immediately: true, migrate_file: true };
    expect(await said(town.anonymous, path, params)).toBe('401 Unauthorized');
    for (const who of [plain, admin, rival, stranger]) expect(await said(who.http, path, params)).toBe('403 Forbidden');
    expect(await said(system.http, path, { ...params, user_id: 999_999 })).toBe('404 UserNotFound');
    expect(await said(system.http, path, { ...params, migrate_login: 'email:nobody@nowhere.example' })).toBe('404 UserNotFound');
    expect(await said(system.http, path, { ...params, migrate_login: `userid:${user.userId}` })).toBe('400 InvalidParameters');
    expect(await said(system.http, path, { ...params, user_id: stranger.userId })).toBe('400 InvalidParameters');
    expect(await said(system.http, path, { user_id: user.userId, immediately: 'x' })).toBe('400 InvalidParameters');
    expect(await said(user.http, 'accounts/get/')).toBe('200');
  });
});

describe.each(['company', 'accounts/company'])('%s/<id>/remove_user', (prefix) => {
  const at = (call: string, id: number | string = companyId) => `${prefix}/${id}/${call}`;

  it('keeps a member out until it is confirmed or cancelled', async () => {
    const user = await member('Wilma');
    const removed = await call(admin.http, at('remove_user/'), { user_id: user.userId });
    expect(removed.body).toMatchObject({ userid: user.userId, status: 'removing', is_active: false, is_deleted: false });
    expect(await said(user.http, 'accounts/get/')).toBe('401 Unauthorized');
    expect(await said(admin.http, `company/${companyId}/users_enable/`, { user_id: user.userId })).toBe('200');
    expect(await said(town.anonymous, 'accounts/login/', { login: `email:${user.email}`, password: PASSWORD })).toBe('403 UserDisabled');
    expect((await call(admin.http, at('cancel_user_removing/'), { user_id: user.userId })).body).toMatchObject({ status: 'active', is_active: true });
    expect(await said(admin.http, at('cancel_user_removing/'), { user_id: user.userId })).toBe('412 WrongStatus');
    expect(await said(admin.http, at('confirm_user_removing/'), { user_id: user.userId })).toBe('412 WrongStatus');
    expect((await (await CloudikeUser.login(stack.baseUrl, user.email, PASSWORD)).download('/b.txt')).toString()).toBe('world');
  });

  it('gives the files to a colleague, once it is confirmed', async () => {
    const name = `Viktor ${prefix.length}`;
    const user = await member(name);
    const wish = { user_id: user.userId, transfer_file: true, transfer_login: `email:${plain.email}`, need_wipe: true };
    expect((await call(admin.http, at('remove_user/'), wish)).body).toMatchObject({ status: 'removing' });
    const both = await Promise.all([1, 2].map(() => call(admin.http, at('confirm_user_removing/'), { user_id: user.userId })));
    expect(both.map((answer) => answer.said).sort()).toEqual(['200', '412 WrongStatus']);
    const { body } = both.find((answer) => answer.said === '200')!;
    expect(body).toMatchObject({ status: 'deleted', is_deleted: true });
    await admin.finished(body['taskid'] as string);
    expect((await plain.download(`/${name}/docs/a.txt`)).toString()).toBe('hello');
    expect(await said(admin.http, at('cancel_user_removing/'), { user_id: user.userId })).toBe('404 UserNotFound');
    const { content } = (await call(admin.http, `company/${companyId}/users`)).body as { content: { userid: number }[] };
    expect(content.map(({ userid }) => userid)).not.toContain(user.userId);
  });

  it('is for administrators of that company', async () => {
    const user = await member('Ute');
    const params = { user_id: user.userId };
    for (const route of ['remove_user/', 'confirm_user_removing/', 'cancel_user_removing/']) {
      expect(await said(town.anonymous, at(route), params)).toBe('401 Unauthorized');
      expect(await said(plain.http, at(route), params)).toBe('403 Forbidden');
      for (const other of [rival, stranger]) expect(await said(other.http, at(route), params)).toBe('404 CompanyNotFound');
      for (const unknown of [999_999, 'abc']) expect(await said(admin.http, at(route, unknown), params)).toBe('404 CompanyNotFound');
      for (const nobody of [rival.userId, 999_999]) expect(await said(admin.http, at(route), { user_id: nobody })).toBe('404 UserNotFound');
      expect(await said(admin.http, at(route))).toBe('400 InvalidParameters');
    }
    expect(await said(admin.http, at('remove_user/'), { user_id: admin.userId })).toBe('403 Forbidden');
    for (const transfer_login of [`email:${rival.email}`, 'email:nobody@nowhere.example'])
      expect(await said(admin.http, at('remove_user/'), { ...params, transfer_file: true, transfer_login })).toBe('404 UserNotFound');
    expect(await said(user.http, 'accounts/get/')).toBe('200');
  });
});

describe('company/<id>/remove', () => {
  it('refuses as long as somebody could come back, and ends the company when all are erased', async () => {
    const { admin: founder, companyId: id } = await town.found('Short');
    await founder.upload('/x.txt', Buffer.from('x'));
    const remove = () => call(system.http, `company/${id}/remove/`);
    expect((await remove()).body).toMatchObject({ code: 'InvalidParameters', reason: 'users' });
    await call(system.http, 'admin/accounts_delete/', { user_id: founder.userId, immediately: false, migrate_file: false });
    expect((await remove()).body).toMatchObject({ code: 'InvalidParameters', reason: 'users' });
    const { body } = await call(system.http, 'admin/accounts_delete/', { user_id: founder.userId, immediately: true, migrate_file: false });
    await system.finished(body['taskid'] as string);
    const removed = await remove();
    expect(removed.said).toBe('200');
    await system.finished(removed.body['taskid'] as string);
    expect(await said(system.http, `company/${id}`)).toBe('404 CompanyNotFound');
  });
});
