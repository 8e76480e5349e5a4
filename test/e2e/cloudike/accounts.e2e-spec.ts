import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type HttpAnswer, HttpSession } from '../../support/http-session.js';
import { type Stack, startStack } from '../../support/stack.js';

const PASSWORD = 'correct horse battery';
let stack: Stack;
let http: HttpSession;
let count = 0;
const freshEmail = () => `user${++count}@example.org`;

beforeAll(async () => {
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'mail', STOWAGE_LOG_LEVEL: 'trace' } });
  http = new HttpSession(stack.baseUrl);
});
afterAll(() => stack?.stop());

const post = (path: string, params: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  http.send(path, {
    method: 'POST',
    body: new URLSearchParams(params).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
const json = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  http.send(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
const refusal = (answer: HttpAnswer) => ({ status: answer.status, code: answer.json<{ code?: string }>().code });

/** Files of the mail outbox that went to `email`, oldest first. */
async function mailsTo(email: string): Promise<string[]> {
  const outbox = join(stack.dataDir, 'outbox');
  const names = (await readdir(outbox).catch(() => [])).filter((name) => name.endsWith('.eml')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(outbox, name), 'utf8')));
  return texts.filter((text) => text.includes(`\r\nTo: ${email}\r\n`));
}

async function linkTo(email: string, number = 1): Promise<string> {
  await expect.poll(async () => (await mailsTo(email)).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(number);
  return (await mailsTo(email))[number - 1]!.split('\r\n').find((line) => line.startsWith('http'))!;
}

interface Login {
  token: string;
  userid: number;
}

/** Registers, follows the mail, signs in. */
async function person(): Promise<Login & { email: string; auth: Record<string, string> }> {
  const email = freshEmail();
  expect((await post('/api/1/accounts/create/', { email, password: PASSWORD, name: 'Иван' })).status).toBe(200);
  expect((await http.send(await linkTo(email))).status).toBe(200);
  const login = (await post('/api/1/accounts/login/', { login: `email:${email}`, password: PASSWORD })).json<Login>();
  return { ...login, email, auth: { 'mountbit-auth': login.token } };
}

describe('from registration to logout', () => {
  it('sends the mail of a registration again', async () => {
    const email = freshEmail();
    expect((await post('/api/1/accounts/create/', { email, password: PASSWORD, name: 'Twice' })).status).toBe(200);
    await linkTo(email);
    expect((await post('/api/1/accounts/resend_message_for_approve/', { login: `email:${email}` })).status).toBe(200);
    expect((await http.send(await linkTo(email, 2))).status).toBe(200);
    expect((await post('/api/1/accounts/login/', { login: `email:${email}`, password: PASSWORD })).status).toBe(200);
  });

  it('registers, is confirmed by the link of the mail, signs in and out', async () => {
    const email = freshEmail();
    const created = await post('/api/0/accounts/create', { email, password: PASSWORD, name: 'Иван Иванов' });
    expect(created.json()).toMatchObject({
      name: 'Иван Иванов',
      email,
      login: `email:${email}`,
      storage_size: 0,
      balance: 'n/a',
      is_active: false,
      is_approved: false,
      company_id: 0,
    });
    expect(created.json()).not.toHaveProperty('code');
    expect(created.json()).not.toHaveProperty('token');
    expect(refusal(await post('/api/1/accounts/create/', { email, password: PASSWORD, name: 'x' }))).toEqual({ status: 404, code: 'AlreadyExists' });
    expect(refusal(await post('/api/1/accounts/login/', { email, password: PASSWORD }))).toEqual({ status: 403, code: 'UserNotApproved' });
    const link = await linkTo(email);
    expect(link).toMatch(new RegExp(`^${stack.baseUrl}/api/1/accounts/approve/\\?hash=[0-9a-f]{64}$`));
    const approved = await http.send(link);
    expect(approved.json()).toMatchObject({ token: expect.stringMatching(/^[0-9a-f]{32}$/), userid: created.json<Login>().userid });
    expect(refusal(await http.send(`/api/1/accounts/approve/?hash=${'0'.repeat(64)}`))).toEqual({ status: 404, code: 'UserNotFound' });
    expect(refusal(await post('/api/1/accounts/resend_message_for_approve/', { login: `email:${email}` }))).toEqual({
      status: 403,
      code: 'AlreadyApproved',
    });
    const auth = { 'mountbit-auth': approved.json<Login>().token };
    expect((await http.send('/api/1/accounts/get', { headers: auth })).json()).toMatchObject({
      is_active: true,
      is_approved: true,
      logins: [`email:${email}`],
    });
    expect((await post('/api/1/accounts/logout/', {}, auth)).json()).toEqual({ logout: true });
    expect(refusal(await http.send('/api/1/accounts/get/', { headers: auth }))).toEqual({ status: 401, code: 'Unauthorized' });
  });

  it('answers a login that strict clients can decode, however it is sent', async () => {
    const { email } = await person();
    const strings = ['token', 'offer_url', 'id', 'device_description', 'login', 'name', 'domain', 'previous_login_ip'];
    const integers = ['userid', 'user_eid', 'company_id', 'created', 'expires', 'previous_login_date'];
    const query = new URLSearchParams({ login: `email:${email}`, password: PASSWORD, permanent_auth: 'False', device_description: 'uploader' });
    const answers = await Promise.all([
      http.send(`/api/1/accounts/login/?${query.toString()}`, { method: 'POST', headers: { 'content-type': 'application/json' } }),
      http.send(`/api/1/accounts/login?${query.toString()}`),
      post('/api/0/accounts/login', { email, password: PASSWORD }),
      json('/api/1/accounts/login/', { email, password: PASSWORD, permanent_auth: true }),
      post('/api/1/accounts/login/', { login: email.toUpperCase(), password: PASSWORD }),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      const body = answer.json();
      for (const key of strings) expect(typeof body[key], key).toBe('string');
      for (const key of integers) expect(Number.isSafeInteger(body[key]), key).toBe(true);
      expect(typeof body['remote_wipe']).toBe('boolean');
      expect(body).not.toHaveProperty('code');
    }
    expect(answers[0].json()).toMatchObject({ device_description: 'uploader', domain: '', company_id: 0 });
    const { created, expires } = answers[0].json<{ created: number; expires: number }>();
    expect(expires - created).toBe(2_678_400_000);
    expect(answers[3].json()['expires']).toBe(0);
  });

  it('takes every form of credential', async () => {
    const { email, token, userid } = await person();
    const basic = (text: string): Record<string, string> => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
    const good: Record<string, string>[] = [
      { 'mountbit-auth': token },
      { authorization: token },
      basic(`${email}:${PASSWORD}`),
      basic(`email:${email}:${PASSWORD}`),
    ];
    for (const headers of good) {
      expect((await http.send('/api/1/accounts/get/', { headers })).json()).toMatchObject({ userid });
    }
    const bad: Record<string, string>[] = [{}, { 'mountbit-auth': 'x' }, { authorization: token.replace(/./, 'g') }, basic('a@b:c')];
    for (const headers of bad) {
      expect(refusal(await http.send('/api/1/accounts/get/', { headers }))).toEqual({ status: 401, code: 'Unauthorized' });
    }
    expect((await http.send('/api/1/request_token/', { headers: basic(`${email}:${PASSWORD}`) })).json()).toMatchObject({
      userid,
      token: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(refusal(await http.send('/api/1/request_token/', { headers: { 'mountbit-auth': token } }))).toEqual({ status: 401, code: 'Unauthorized' });
  });

  it('tells failures by code: wrong, last attempt, locked', async () => {
    const { email } = await person();
    const answers: unknown[] = [];
    const bodies = new Set<string>();
    for (let i = 1; i <= 11; i++) {
      const known = await post('/api/1/accounts/login/', { email, password: `wrong ${i}` });
      const unknown = await post('/api/1/accounts/login/', { email: `unknown-of-${email}`, password: `wrong ${i}` });
      expect(unknown.status).toBe(known.status);
      bodies.add(`${known.body.toString()}`).add(unknown.body.toString());
      answers.push(refusal(known));
    }
    expect(answers.slice(0, 8)).toEqual(Array(8).fill({ status: 401, code: 'Unauthorized' }));
    expect(answers[8]).toEqual({ status: 401, code: 'LastAttempt' });
    expect(answers.slice(9)).toEqual(Array(2).fill({ status: 403, code: 'UserTemporarilyLocked' }));
    expect(bodies.size).toBe(3);
    expect(refusal(await post('/api/1/accounts/login/', { email, password: PASSWORD }))).toEqual({ status: 403, code: 'UserTemporarilyLocked' });
    expect(refusal(await post('/api/1/accounts/login/', { email }))).toEqual({ status: 400, code: 'InvalidParameters' });
    expect(refusal(await post('/api/1/accounts/login/', { password: 'x' }))).toEqual({ status: 400, code: 'InvalidParameters' });
  });
});

describe('the account', () => {
  it('is shown with every documented field', async () => {
    const { auth, userid, email } = await person();
    const account = (await http.send('/api/1/accounts/get/?storage_stat=true', { headers: auth })).json();
    const shapes: [string, string[]][] = [
      [
        'number',
        [
          'registration_date',
          'storage_size',
          'deleted_date',
          'userid',
          'last_login',
          'overhead_size',
          'quota_size',
          'hard_quota_size',
          'company_id',
          'trash_size',
          'last_activity',
          'expired',
        ],
      ],
      [
        'boolean',
        [
          'is_active',
          'is_deleted',
          'need_password_change',
          'can_print',
          'can_download',
          'can_upload',
          'pc_can_download',
          'use_watermarks',
          'user_mobile_restriction',
          'ip_restriction',
          'is_trial',
          'is_approved',
        ],
      ],
      ['string', ['timezone', 'name', 'lang', 'role', 'balance', 'status', 'type', 'allowed_ips', 'region']],
    ];
    for (const [type, keys] of shapes) for (const key of keys) expect(typeof account[key], key).toBe(type);
    expect(account).toMatchObject({
      userid,
      logins: [`email:${email}`],
      role: 'user',
      storage_usage: { image: 0, audio: 0, video: 0, other: 0 },
      extra_info: {},
      groups: [],
      unapproved_logins: [],
    });
    expect(account['storage_stat']).toEqual({ file_types_count: {}, file_types_size: {} });
    expect((await json('/api/1/accounts/get/?user_id=1', {}, auth)).json()).toMatchObject({ userid });
  });

  it('changes by change_profile, and ends other tokens with a new password', async () => {
    const { auth, email } = await person();
    const other = (await post('/api/1/accounts/login/', { email, password: PASSWORD })).json<Login>();
    const whole = {
      ...(await http.send('/api/1/accounts/get/', { headers: auth })).json(),
      name: 'Renamed',
      password: '',
      timezone: 'Europe/Berlin',
      extra_info: { theme: 'dark' },
    };
    expect((await json('/api/1/accounts/change_profile/', whole, auth)).json()).toMatchObject({ code: 'OK' });
    expect((await http.send('/api/1/accounts/get/', { headers: auth })).json()).toMatchObject({
      name: 'Renamed',
      timezone: 'Europe/Berlin',
      extra_info: { theme: 'dark' },
    });
    expect(refusal(await post('/api/1/accounts/change_profile/', { password: PASSWORD }, auth))).toEqual({
      status: 200,
      code: 'PasswordNotModified',
    });
    expect(refusal(await post('/api/1/accounts/change_profile/', {}, auth))).toEqual({ status: 400, code: 'InvalidParameters' });
    expect(refusal(await post('/api/1/accounts/change_profile/', { lang: 'xx' }, auth))).toEqual({ status: 400, code: 'InvalidParameters' });
    expect((await post('/api/1/accounts/change_profile/', { password: 'a new one' }, auth)).status).toBe(200);
    expect((await http.send('/api/1/accounts/get/', { headers: { 'mountbit-auth': other.token } })).status).toBe(401);
    expect((await http.send('/api/1/accounts/get/', { headers: auth })).status).toBe(200);
  });

  it('lists and removes tokens', async () => {
    const { auth, email } = await person();
    const phone = (
      await post('/api/1/accounts/login/', { email, password: PASSWORD, permanent_auth: 'true', device_description: 'Васин Айфон' })
    ).json<{ id: string; token: string }>();
    const list = (await http.send('/api/1/accounts/permanent_tokens/', { headers: auth })).json<unknown[]>();
    expect(list).toEqual([
      expect.objectContaining({ device_description: 'Васин Айфон', id: phone.id, created: expect.any(Number), remote_wipe: false }),
    ]);
    expect(JSON.stringify(list)).not.toContain(phone.token);
    expect((await http.send('/api/1/accounts/tokens/?include_not_permanent=1', { headers: auth })).json<unknown[]>().length).toBeGreaterThanOrEqual(
      3,
    );
    expect((await post('/api/1/accounts/remove_permanent_token/', { token_id: phone.id }, auth)).status).toBe(200);
    expect(refusal(await post('/api/1/accounts/remove_token/', { token_id: phone.id }, auth))).toEqual({ status: 404, code: 'TokenNotFound' });
    expect((await http.send('/api/1/accounts/get/', { headers: { 'mountbit-auth': phone.token } })).status).toBe(401);
  });

  it('is found by check, and keeps its last login', async () => {
    const { auth, email } = await person();
    expect((await http.send(`/api/1/accounts/check/?login=email:${email}`)).json()).toEqual({ status: 'ok', companies: [] });
    for (const login of ['email:nobody@example.org', 'nonsense']) {
      const answer = await http.send(`/api/1/accounts/check/?login=${login}`);
      expect([answer.status, answer.json()]).toEqual([404, { status: 'not found' }]);
    }
    expect((await http.send('/api/1/accounts/check/')).status).toBe(400);
    expect(refusal(await post('/api/1/accounts/remove_login/', { login: `email:${email}` }, auth))).toEqual({ status: 400, code: 'LastLogin' });
    expect((await post('/api/1/accounts/remove_login/', { login: 'email:x@y' }, auth)).status).toBe(404);
    const second = freshEmail();
    expect((await post('/api/1/accounts/add_email/', { email: second }, auth)).json()).toEqual({ login: `email:${second}` });
    expect((await http.send(await linkTo(second))).status).toBe(200);
    expect((await post('/api/1/accounts/remove_login/', { login: `email:${email}` }, auth)).json()).toEqual({ login: `email:${email}` });
  });

  it('keeps values exactly as they were sent', async () => {
    const { auth } = await person();
    const text = '{"looks": "like json"}';
    expect((await post('/api/1/accounts/set_value/', { key: 'text', value: text }, auth)).json()).toEqual({ written: true });
    expect((await post('/api/1/accounts/set_value/', { key: 'text', value: text }, auth)).json()).toEqual({ updated: true });
    expect((await json('/api/1/accounts/set_value/', { key: 'code', value: { a: [1] } }, auth)).json()).toEqual({ written: true });
    expect((await http.send('/api/1/accounts/get_value/?key=text', { headers: auth })).json()).toEqual({ text });
    expect((await post('/api/1/accounts/get_value/', { key: 'code' }, auth)).json()).toEqual({ code: { a: [1] } });
    expect((await http.send('/api/1/accounts/get_value/?key=none', { headers: auth })).json()).toEqual({ none: null });
    expect((await http.send('/api/1/accounts/get_value/', { headers: auth })).json()).toEqual({ text, code: { a: [1] } });
    expect((await post('/api/1/accounts/set_value/', { key: 'x' }, auth)).status).toBe(400);
  });
});

describe('other ways in', () => {
  it('recovers a lost password by mail', async () => {
    const { email } = await person();
    expect((await post('/api/1/accounts/recover_lost_password/', { login: `email:${email}` })).json()).toMatchObject({ code: 'OK' });
    expect((await post('/api/0/accounts/recover_lost_password/', { email: 'nobody@example.org' })).status).toBe(400);
    const link = await linkTo(email, 2);
    const session = (await http.send(link)).json<Login & { need_password_change: boolean }>();
    expect(session.need_password_change).toBe(true);
    const auth = { 'mountbit-auth': session.token };
    expect((await http.send('/api/1/accounts/get/', { headers: auth })).json()).toMatchObject({ need_password_change: true });
    expect((await post('/api/1/accounts/change_profile/', { password: 'found again' }, auth)).status).toBe(200);
    expect((await post('/api/1/accounts/login/', { email, password: 'found again' })).status).toBe(200);
    expect((await http.send(link)).status).toBe(401);
  });

  it('signs in by one-time key', async () => {
    const { auth, userid } = await person();
    const [id, key] = (await post('/api/1/accounts/generate_login_key/', {}, auth)).json<[number, string]>();
    expect([id, key]).toEqual([userid, expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect((await post('/api/1/accounts/login_by_key/', { key })).json()).toMatchObject({ userid });
    expect((await post('/api/1/accounts/login/', { key })).status).toBe(403);
  });

  it('signs in by redirect, as web clients do', async () => {
    const { email, userid } = await person();
    const begun = (
      await post('/api/1/accounts/oauth_url/', { oauth_callback: 'http://127.0.0.1:1/cb', client_id: 'web', permanent_auth: 'true' })
    ).json<{ authorize_url: string; request_token: string }>();
    expect(refusal(await post(begun.authorize_url, { login: email, password: 'wrong' }))).toEqual({ status: 401, code: 'Unauthorized' });
    const redirect = await post(begun.authorize_url, { login: `email:${email}`, password: PASSWORD });
    expect(redirect.status).toBe(302);
    const target = new URL(redirect.headers.location!);
    expect([target.origin, target.pathname]).toEqual(['http://127.0.0.1:1', '/cb']);
    const proof = { oauth_token: target.searchParams.get('oauth_token')!, oauth_verifier: target.searchParams.get('oauth_verifier')! };
    expect(proof.oauth_token).toBe(begun.request_token);
    expect((await post('/api/1/accounts/oauth_confirm/', proof)).json()).toMatchObject({ userid, name: 'Иван', company_id: 0 });
    expect((await post('/api/1/accounts/oauth_confirm/', proof)).status).toBe(403);
    expect((await post('/api/1/accounts/oauth_url/', { oauth_callback: 'javascript:alert(1)' })).status).toBe(400);
  });

  it('makes a user name and password for WebDAV programs', async () => {
    const { auth, userid } = await person();
    expect((await http.send('/api/1/accounts/get_basic_auth/', { headers: auth })).status).toBe(404);
    const pair = (await post('/api/1/accounts/create_basic_auth/', {}, auth)).json<{ login: string; password: string }>();
    const headers = { authorization: `Basic ${Buffer.from(`${pair.login}:${pair.password}`).toString('base64')}` };
    expect((await http.send('/api/1/accounts/get/', { headers })).json()).toMatchObject({ userid });
    expect((await http.send('/api/1/accounts/get_basic_auth/', { headers: auth })).json()).toEqual({ login: pair.login, password: '' });
    const stranger = await person();
    expect(refusal(await post('/api/1/accounts/create_basic_auth/', { login: pair.login }, stranger.auth))).toEqual({
      status: 403,
      code: 'AlreadyExists',
    });
  });

  it('founds a company and makes members in it', async () => {
    const email = freshEmail();
    const domain = `c${Date.now()}.example.org`;
    const founded = (
      await json('/api/1/accounts/create/', {
        email,
        password: PASSWORD,
        name: 'Boss',
        company_name: 'Ice Ltd',
        company_plan: 'free',
        company_domain: domain,
      })
    ).json<{ company_id: number }>();
    expect(founded).toMatchObject({ company_id: expect.any(Number), company_name: 'Ice Ltd' });
    expect(founded.company_id).toBeGreaterThan(0);
    const boss = (await http.send(await linkTo(email))).json<Login & { domain: string }>();
    expect(boss.domain).toBe(domain);
    const member = freshEmail();
    const form = { email: member, password: PASSWORD, name: 'Member', created_manually: 'true', can_print: 'false' };
    expect(refusal(await post('/api/1/accounts/create/', form))).toEqual({ status: 401, code: 'Unauthorized' });
    const made = (await post('/api/1/accounts/create/', form, { 'mountbit-auth': boss.token })).json<Login>();
    expect(made).toMatchObject({
      token: expect.stringMatching(/^[0-9a-f]{32}$/),
      company_id: founded.company_id,
      is_approved: true,
      can_print: false,
    });
    expect((await http.send(`/api/1/accounts/get/?user_id=${made.userid}`, { headers: { 'mountbit-auth': boss.token } })).json()).toMatchObject({
      userid: made.userid,
    });
    expect((await http.send(`/api/1/accounts/check/?login=${member}`)).json()).toEqual({
      status: 'ok',
      companies: [{ domain, login: member, upload_method: 'PUT' }],
    });
  });

  it('writes no password, token or key into its logs', async () => {
    const { email, token } = await person();
    await http.send(`/api/1/accounts/login/?login=${email}&password=${encodeURIComponent(PASSWORD)}`, { method: 'POST' });
    const logs = stack.logs('api') + stack.logs('worker');
    expect(logs).toContain('accounts/login');
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), token]) expect(logs).not.toContain(secret);
    expect(logs).not.toMatch(/hash=[0-9a-f]{64}/);
  });
});
