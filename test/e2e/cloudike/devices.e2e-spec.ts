import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { call, CompanyTown, PASSWORD } from '../../support/companies.js';
import { HttpSession } from '../../support/http-session.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';

// Devices and how they are wiped from afar, by real HTTP: docs/contracts/cloudike.md 13.

let stack: SharedStack;
let db: pg.Client;
let town: CompanyTown;
let system: CloudikeUser;
let admin: CloudikeUser;
let member: CloudikeUser;
let colleague: CloudikeUser;
let rival: CloudikeUser;
let stranger: CloudikeUser;
let companyId: number;

beforeAll(async () => {
  stack = await sharedStack();
  db = new pg.Client(stack.databaseUrl);
  await db.connect();
  town = new CompanyTown(stack.baseUrl);
  system = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
  ({ admin, companyId } = await town.found('Acme'));
  ({ admin: rival } = await town.found('Rival'));
  [member, colleague] = [await town.hire(admin, companyId), await town.hire(admin, companyId)];
  stranger = await CloudikeUser.register(stack.baseUrl);
});
afterAll(async () => {
  await db?.end();
  town?.close();
  await stack?.stop();
});

const deviceHttp = (token: string) => new HttpSession(stack.baseUrl, { 'mountbit-auth': token });
const wiping = (id: string, who = admin) => call(who.http, 'company/user_permanent_token/remove', { token_id: id, remote_wipe: true });
const stateOf = async (id: string) => {
  const { body } = await call(admin.http, 'company/user_permanent_tokens', { userid: member.userId });
  const token = (body['content'] as Record<string, unknown>[]).find((entry) => entry['id'] === id);
  return token && `${String(token['remote_wipe'])} ${String(token['wipe_state'])}`;
};

describe('the devices of a member', () => {
  it.each(['company/user_permanent_tokens', 'accounts/company/user_permanent_tokens/', 'company/user_tokens', 'accounts/company/user_tokens/'])(
    'are listed for administrators (%s)',
    async (path) => {
      const { id } = await town.device(member.email, `device at ${path}`);
      const { body } = await call(admin.http, path, { userid: member.userId });
      expect((body['content'] as Record<string, unknown>[]).find((entry) => entry['id'] === id)).toMatchObject({
        device_description: `device at ${path}`,
        created: expect.any(Number),
        last_action: expect.any(Number),
        remote_wipe: false,
        permanent: true,
      });
      expect((body['content'] as object[]).some((entry) => 'token' in entry)).toBe(false);
      const all = (await call(admin.http, path, { user_id: member.userId, include_not_permanent: true })).body['content'] as object[];
      expect(all.length).toBeGreaterThan((body['content'] as object[]).length);
      expect((await call(town.anonymous, path, { userid: member.userId })).said).toBe('401 Unauthorized');
      expect((await call(colleague.http, path, { userid: member.userId })).said).toBe('403 Forbidden');
      for (const other of [rival, stranger]) expect((await call(other.http, path, { userid: member.userId })).said).toBe('404 UserNotFound');
      expect((await call(admin.http, path, { userid: 999_999 })).said).toBe('404 UserNotFound');
      expect((await call(admin.http, path)).said).toBe('400 InvalidParameters');
    },
  );

  it.each(['company/user_permanent_token/remove', 'accounts/company/user_permanent_token/remove/', 'company/user_tokens/remove/'])(
    'are ended by administrators (%s)',
    async (path) => {
      const { id, token } = await town.device(member.email);
      const device = deviceHttp(token);
      expect((await call(device, 'accounts/get/')).said).toBe('200');
      expect((await call(town.anonymous, path, { token_id: id })).said).toBe('401 Unauthorized');
      for (const other of [colleague, stranger]) expect((await call(other.http, path, { token_id: id })).said).toBe('403 Forbidden');
      const foreign = await call(rival.http, path, { token_id: id });
      const unknown = await call(rival.http, path, { token_id: 'f'.repeat(24) });
      expect([foreign.said, foreign.body]).toEqual(['404 TokenNotFound', unknown.body]);
      expect((await call(admin.http, path, { token_id: id })).said).toBe('200');
      expect((await call(device, 'accounts/get/')).said).toBe('401 Unauthorized');
      expect((await call(admin.http, path, { token_id: id })).said, 'again').toBe('404 TokenNotFound');
      expect((await call(admin.http, path)).said).toBe('400 InvalidParameters');
      device.close();
    },
  );
});

describe('wiping from afar', () => {
  it('closes the data at once, is delivered, and ends with the word of the device', async () => {
    await member.upload('/secret.txt', Buffer.from('secret'));
    const { id, token } = await town.device(member.email, 'lost phone');
    const device = deviceHttp(token);
    const { url } = (await call(device, 'files/get/secret.txt')).body as { url: string };
    expect((await town.anonymous.send(url)).status).toBe(200);
    expect((await call(device, 'accounts/token_wiped')).said, 'nobody asked').toBe('404 TokenNotFound');

    expect((await wiping(id)).said).toBe('200');
    expect((await wiping(id)).said, 'again').toBe('200');
    expect(await stateOf(id)).toBe('true pending');
    for (const path of [
      'files/get/secret.txt',
      'metadata/',
      'accounts/get/',
      'accounts/set_value/?key=a&value=b',
      'accounts/generate_login_key/',
      'links/create/?path=/secret.txt',
    ]) {
      const { said, body } = await call(device, path);
      expect([said, body['reason']], path).toEqual(['401 Unauthorized', 'remote_wipe']);
    }
    expect(await stateOf(id)).toBe('true delivered');
    const own = await device.get<Record<string, unknown>[]>('/api/1/accounts/permanent_tokens/');
    expect(own).toEqual([expect.objectContaining({ id, remote_wipe: true, wipe_state: 'delivered' })]);
    expect((await call(device, 'accounts/cancel_token_remote_wipe', { token_id: id })).said, 'the device itself may not').toBe('401 Unauthorized');

    // however often it tries, the account is not locked
    for (let turn = 0; turn < 30; turn++) expect((await call(device, 'metadata/')).said).toBe('401 Unauthorized');
    expect((await call(town.anonymous, 'accounts/login/', { login: `email:${member.email}`, password: PASSWORD })).said).toBe('200');

    expect((await call(device, 'accounts/token_wiped')).said).toBe('200');
    expect((await call(device, 'accounts/token_wiped')).said, 'again').toBe('200');
    expect(await stateOf(id)).toBe('true confirmed');
    expect((await call(admin.http, 'company/user_permanent_token/cancel_remove', { token_id: id })).said, 'too late').toBe('404 TokenNotFound');
    expect((await call(device, 'metadata/')).said).toBe('401 Unauthorized');
    expect((await call(admin.http, 'company/user_permanent_token/remove', { token_id: id })).said).toBe('200');
    expect(await stateOf(id)).toBeUndefined();
    expect((await call(device, 'accounts/token_wiped')).said).toBe('401 Unauthorized');
    device.close();
  });

  it.each([
    'company/user_permanent_token/cancel_remove',
    'accounts/company/user_permanent_token/cancel_remove/',
    'company/user_tokens/cancel_remove/',
  ])('is taken back by administrators (%s)', async (path) => {
    const { id, token } = await town.device(member.email);
    const device = deviceHttp(token);
    expect((await call(admin.http, path, { token_id: id })).said, 'nothing to take back').toBe('404 TokenNotFound');
    await wiping(id);
    expect((await call(device, 'metadata/')).said).toBe('401 Unauthorized');
    for (const other of [colleague, stranger]) expect((await call(other.http, path, { token_id: id })).said).toBe('403 Forbidden');
    expect((await call(rival.http, path, { token_id: id })).said).toBe('404 TokenNotFound');
    expect((await call(town.anonymous, path, { token_id: id })).said).toBe('401 Unauthorized');
    expect((await call(admin.http, path, { token_id: id })).said).toBe('200');
    expect((await call(device, 'metadata/')).said).toBe('200');
    device.close();
  });

  it('is taken back by the person', async () => {
    const path = 'accounts/cancel_token_remote_wipe';
    const { id, token } = await town.device(member.email);
    await wiping(id);
    for (const other of [colleague, stranger, admin]) expect((await call(other.http, path, { token_id: id })).said).toBe('404 TokenNotFound');
    expect((await call(town.anonymous, path, { token_id: id })).said).toBe('401 Unauthorized');
    expect((await call(member.http, path)).said).toBe('400 InvalidParameters');
    expect((await call(member.http, path, { token_id: id })).said).toBe('200');
    expect((await call(member.http, path, { token_id: id })).said).toBe('404 TokenNotFound');
    expect((await deviceHttp(token).get<{ userid: number }>('/api/1/accounts/get/')).userid).toBe(member.userId);
    expect((await call(member.http, 'accounts/token_wiped')).said).toBe('404 TokenNotFound');
    expect((await call(town.anonymous, 'accounts/token_wiped')).said).toBe('401 Unauthorized');
  });

  it('is for devices alone, and of those below', async () => {
    const { rows } = await db.query<{ id: string }>('SELECT id FROM auth_tokens WHERE account_id = $1 AND NOT permanent LIMIT 1', [member.userId]);
    expect((await wiping(rows[0]!.id)).said, 'a temporary token').toBe('400 InvalidParameters');
    const owners = await town.device(admin.email);
    await call(admin.http, 'accounts/change_admin_rights', { user_id: colleague.userId, value: true });
    expect((await wiping(owners.id, colleague)).said, 'that of the owner').toBe('403 Forbidden');
    await call(admin.http, 'accounts/change_admin_rights', { user_id: colleague.userId, value: false });
    expect((await wiping(owners.id, system)).said).toBe('200');
  });

  it('comes with switching a member off', async () => {
    const leaver = await town.hire(admin, companyId);
    const [one, two] = [await town.device(leaver.email), await town.device(leaver.email)];
    expect((await call(admin.http, `company/${companyId}/users_disable/`, { user_id: leaver.userId, remote_wipe: true })).said).toBe('200');
    expect((await call(leaver.http, 'accounts/get/')).said).toBe('401 Unauthorized');
    for (const { token, id } of [one, two]) {
      const device = deviceHttp(token);
      expect((await call(device, 'metadata/')).body).toMatchObject({ code: 'Unauthorized', reason: 'remote_wipe' });
      expect(await device.get('/api/1/accounts/permanent_tokens/')).toEqual([expect.objectContaining({ id, remote_wipe: true })]);
      expect((await call(device, 'accounts/token_wiped')).said).toBe('200');
      device.close();
    }
    for (let turn = 0; turn < 12; turn++)
      expect((await call(town.anonymous, 'accounts/login/', { login: `email:${leaver.email}`, password: PASSWORD })).said).toMatch(
        /^(403 UserDisabled|429 TooManyRequests)$/,
      );
    await call(admin.http, `company/${companyId}/users_enable/`, { user_id: leaver.userId });
    const { rows } = await db.query<{ n: number }>('SELECT count(*)::int AS n FROM login_guards WHERE locked_until > now()');
    expect(rows[0]!.n).toBe(0);
  });
});
