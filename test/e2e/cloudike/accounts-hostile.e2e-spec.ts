import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type HttpAnswer, HttpSession } from '../../support/http-session.js';
import { type Stack, startStack } from '../../support/stack.js';

const PASSWORD = 'correct horse battery';
let stack: Stack;
let http: HttpSession;
let count = 0;
const freshEmail = () => `guest${++count}@example.org`;

beforeAll(async () => {
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'mail' } });
  http = new HttpSession(stack.baseUrl);
});
afterAll(() => stack?.stop());

type Headers = Record<string, string>;
const post = (route: string, params: Headers = {}, headers: Headers = {}) =>
  http.send(route.startsWith('http') ? route : `/api/1/accounts/${route}`, {
    method: 'POST',
    body: new URLSearchParams(params).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
const json = (route: string, body: unknown, headers: Headers = {}) =>
  http.send(`/api/1/accounts/${route}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
const said = (answer: HttpAnswer) => [answer.status, answer.json<{ code?: string }>().code];
const basic = (user: string, password: string): Headers => ({ authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` });

/** The link in the only mail to `email`. */
async function linkTo(email: string): Promise<string> {
  const find = async (): Promise<string | undefined> => {
    const outbox = join(stack.dataDir, 'outbox');
    const names = (await readdir(outbox).catch(() => [])).filter((name) => name.endsWith('.eml'));
    const texts = await Promise.all(names.map((name) => readFile(join(outbox, name), 'utf8')));
    const mail = texts.find((text) => text.includes(`\r\nTo: ${email}\r\n`));
    return mail?.split('\r\n').find((line) => line.startsWith('http'));
  };
  await expect.poll(find, { timeout: 20_000 }).toBeDefined();
  return (await find())!;
}

async function person(): Promise<{ email: string; userid: number; auth: Headers }> {
  const email = freshEmail();
  expect((await post('create/', { email, password: PASSWORD, name: 'Guest' })).status).toBe(200);
  const { token, userid } = (await http.send(await linkTo(email))).json<{ token: string; userid: number }>();
  return { email, userid, auth: { 'mountbit-auth': token } };
}

/** True when the queue or any table holds `text`. */
async function isKept(text: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: stack.databaseUrl });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ found: boolean }>(`SELECT EXISTS (SELECT 1 FROM ${name} t WHERE strpos(t::text, $1) > 0) AS found`, [
        text,
      ]);
      if (rows[0]?.found) return true;
    }
  } finally {
    await client.end();
  }
  if (stack.env['REDIS_URL'] === undefined) return false;
  const redis = new Redis(stack.env['REDIS_URL']);
  try {
    for (const key of await redis.keys('*')) {
      if ((await redis.type(key)) === 'hash' && JSON.stringify(await redis.hgetall(key)).includes(text)) return true;
    }
    return false;
  } finally {
    redis.disconnect();
  }
}

describe('registration', () => {
  it('is not refused because of a token that has ended, but nobody makes members with one', async () => {
    const stale = { 'mountbit-auth': '0'.repeat(32) };
    const form = { email: freshEmail(), password: PASSWORD, name: 'Guest' };
    expect(said(await post('create/', { ...form, created_manually: 'true' }, stale))).toEqual([401, 'Unauthorized']);
    expect((await post('create/', form, stale)).status).toBe(200);
  });

  it('makes one account of many that ask at once', async () => {
    const form = { email: freshEmail(), password: PASSWORD, name: 'Guest' };
    const answers = await Promise.all(Array.from({ length: 8 }, () => post('create/', form)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array<number>(7).fill(404)]);
  });

  it('refuses what would reach headers, prototypes and other types', async () => {
    const whole = { email: freshEmail(), password: PASSWORD, name: 'Guest' };
    const bad: unknown[] = [
      { ...whole, email: 'a@example.org\r\nBcc: b@example.org' },
      { ...whole, email: 'a@example.org,b@example.org' },
      { ...whole, password: { a: 1 } },
      { ...whole, password: 'nul\0' },
      { ...whole, name: 'x'.repeat(257) },
      { ...whole, name: 'line\nline' },
      `{"__proto__":${JSON.stringify(whole)}}`,
      `{"constructor":${JSON.stringify(whole)}}`,
    ];
    for (const body of bad) expect(said(await json('create/', body)), JSON.stringify(body)).toEqual([400, 'InvalidParameters']);
    expect(said(await json('create/', { ...whole, name: 'x'.repeat(300_000) }))).toEqual([413, 'TooLarge']);
  });

  it('leaves no link of a delivered mail in the queue or the database', async () => {
    const email = freshEmail();
    await post('create/', { email, password: PASSWORD, name: 'Guest' });
    const hash = new URL(await linkTo(email)).searchParams.get('hash')!;
    await expect.poll(() => isKept(hash), { timeout: 20_000 }).toBe(false);
    expect((await http.send(`/api/1/accounts/approve/?hash=${hash}`)).status).toBe(200);
  });

  it('does not use a link up when a mail program looks at it by HEAD, and confirms once for many clicks at once', async () => {
    const email = freshEmail();
    await post('create/', { email, password: PASSWORD, name: 'Guest' });
    const link = await linkTo(email);
    expect((await http.send(link, { method: 'HEAD' })).status).toBe(405);
    expect(said(await post('login/', { email, password: PASSWORD }))).toEqual([403, 'UserNotApproved']);
    const clicks = await Promise.all(Array.from({ length: 4 }, () => http.send(link)));
    const ids = clicks.map((click) => click.json<{ userid: number }>().userid);
    expect(new Set(ids).size).toBe(1);
  });
});

describe('a user name and password for one program', () => {
  it('reads files, and makes neither tokens nor other ways in', async () => {
    const { userid, auth, email } = await person();
    for (const [kind, prefix] of [
      ['basic', ''],
      ['contacts_sync', 'contacts_sync:'],
    ] as const) {
      expect(said(await http.send(`/api/1/accounts/get_${kind}_auth/`, { headers: auth }))).toEqual([404, 'UserNotFound']);
      const pair = (await post(`create_${kind}_auth/`, {}, auth)).json<{ login: string; password: string }>();
      expect((await http.send(`/api/1/accounts/get_${kind}_auth/`, { headers: auth })).json()).toEqual({ login: pair.login, password: '' });
      const program = basic(prefix + pair.login, pair.password);
      expect((await http.send('/api/1/accounts/get/', { headers: program })).json()).toMatchObject({ userid });
      expect((await http.send('/api/1/metadata/', { headers: program })).status).toBe(200);
      expect(said(await http.send('/api/1/request_token/', { headers: program }))).toEqual([403, 'Forbidden']);
      expect(said(await post('login/', { login: `${kind}:${pair.login}`, password: pair.password }))).toEqual([403, 'Forbidden']);
      expect(said(await post('generate_login_key/', {}, program))).toEqual([403, 'Forbidden']);
      expect(said(await post('change_profile/', { password: 'mine now' }, program))).toEqual([403, 'Forbidden']);
      expect((await post('remove_login/', { login: `${kind}:${pair.login}` }, auth)).json()).toEqual({ login: `${kind}:${pair.login}` });
      expect((await http.send('/api/1/accounts/get/', { headers: program })).status).toBe(401);
    }
    expect((await post('login/', { email, password: PASSWORD })).status).toBe(200);
    expect(said(await post('create_basic_auth/', { login: '+7 920 123-45-67' }, auth))).toEqual([400, 'InvalidParameters']);
  });
});

describe('the lockout', () => {
  it('counts all spellings of one phone number together', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const headers = basic(`+7 920${' '.repeat(i)} 555-44-33`, `wrong ${i}`);
      statuses.push((await http.send('/api/1/accounts/get/', { headers })).status);
    }
    expect(statuses).toEqual([...Array<number>(9).fill(401), ...Array<number>(3).fill(403)]);
    expect(said(await post('login_by_phone/', { phone: '79205554433', password: PASSWORD }))).toEqual([403, 'UserTemporarilyLocked']);
  });
});

describe('values', () => {
  it('come back as they were sent, lists of one and names of prototypes too', async () => {
    const { auth } = await person();
    const values: unknown[] = [[1], [], [[1, 2]], [1, 2], 0, false, '', 'text', { a: [1] }];
    for (const [index, value] of values.entries()) {
      expect((await json('set_value/', { key: `k${index}`, value }, auth)).json()).toEqual({ written: true });
      expect((await http.send(`/api/1/accounts/get_value/?key=k${index}`, { headers: auth })).json()).toEqual({ [`k${index}`]: value });
    }
    const hostile = '{"key":"__proto__","value":{"__proto__":{"admin":true},"y":2}}';
    expect((await json('set_value/', hostile, auth)).json()).toEqual({ written: true });
    const answer = await http.send('/api/1/accounts/get_value/?key=__proto__', { headers: auth });
    expect(answer.body.toString()).toBe('{"__proto__":{"y":2,"__proto__":{"admin":true}}}');
  });

  it('are refused when they are nested too deep', async () => {
    const { auth } = await person();
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    expect(said(await json('set_value/', `{"key":"deep","value":${deep}}`, auth))).toEqual([400, 'InvalidParameters']);
    expect(said(await post('change_profile/', { extra_info: `{"a":${deep}}` }, auth))).toEqual([400, 'InvalidParameters']);
    expect(said(await json('change_profile/', { extra_info: [{ a: 1 }] }, auth))).toEqual([400, 'InvalidParameters']);
  });
});

describe('sign-in by redirect', () => {
  it('goes to the callback of the request and nowhere else, and gives one token for a double click', async () => {
    const { email } = await person();
    for (const callback of ['//example.org', 'http://a@example.org/', 'https://example.org/#f', 'data:text/html,x', 'file:///etc/passwd'])
      expect(said(await post('oauth_url/', { oauth_callback: callback })), callback).toEqual([400, 'InvalidParameters']);
    const callback = 'https://client.example/cb?x=1&oauth_token=chosen\r\nSet-Cookie: a=b';
    const begun = (await post('oauth_url/', { oauth_callback: callback })).json<{ authorize_url: string; request_token: string }>();
    const forged = { login: email, password: PASSWORD, oauth_callback: 'https://evil.example/' };
    const redirect = await post(begun.authorize_url, forged);
    const target = new URL(redirect.headers.location!);
    expect([redirect.status, target.origin, redirect.headers['set-cookie']]).toEqual([302, 'https://client.example', undefined]);
    expect(target.searchParams.getAll('oauth_token')).toEqual([begun.request_token]);
    const proof = { oauth_token: begun.request_token, oauth_verifier: target.searchParams.get('oauth_verifier')! };
    const clicks = await Promise.all([post('oauth_confirm/', proof), post('oauth_confirm/', proof), post('oauth_confirm/', proof)]);
    expect(clicks.map((click) => click.status).sort()).toEqual([200, 403, 403]);
  });
});
