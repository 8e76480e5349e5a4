import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import pg from 'pg';
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openPage } from '../../support/browser.js';
import { CloudikeUser } from '../../support/cloudike-user.js';
import { call, CompanyTown, PASSWORD } from '../../support/companies.js';
import { type HttpAnswer, HttpSession } from '../../support/http-session.js';
import { Oauth1Consumer, type Oauth1Token, type SignedCall, tokenOf } from '../../support/oauth1-consumer.js';
import { type Stack, startStack } from '../../support/stack.js';

// OAuth 1.0 (RFC 5849) by real HTTP: docs/contracts/cloudike.md 15 and 22.

const BACK = 'http://127.0.0.1:9/back?kept=1';
const [SECRET, OTHER_SECRET] = ['a-secret-of-the-printer', 'b-secret/of+another%one'];

let stack: Stack;
let anonymous: HttpSession;
let printer: Oauth1Consumer;
let other: Oauth1Consumer;
let user: CloudikeUser;

/** Status, code and reason of a refusal; the status alone of anything else. */
function said({ status, body }: HttpAnswer): string {
  const text = body.toString('utf8');
  if (status < 400) return String(status);
  const { code, reason } = JSON.parse(text) as { code: string; reason?: string };
  return [status, code, reason].filter((part) => part !== undefined).join(' ');
}
const authorize = (token: string, params: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  anonymous.send(`/api/1/oauth/authorize/?oauth_token=${token}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ login: user.email, password: PASSWORD, ...params }).toString(),
  });
const verifierOf = (answer: HttpAnswer): string => {
  const location = new URL(answer.headers.location ?? 'http://none/');
  return location.searchParams.get('oauth_verifier') ?? '';
};
/** The whole way to an access token. */
const access = async (consumer = printer): Promise<Oauth1Token> => {
  const request = await consumer.begin(BACK);
  return tokenOf(await consumer.finish(request, verifierOf(await authorize(request.token))));
};

beforeAll(async () => {
  stack = await startStack({
    env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_OAUTH_CONSUMERS: `printer:${SECRET},other.one:${OTHER_SECRET}` },
  });
  anonymous = new HttpSession(stack.baseUrl);
  printer = new Oauth1Consumer(stack.baseUrl, 'printer', SECRET);
  other = new Oauth1Consumer(stack.baseUrl, 'other.one', OTHER_SECRET);
  user = await CloudikeUser.register(stack.baseUrl);
});
afterAll(async () => {
  for (const each of [anonymous, printer, other, user?.http]) each?.close();
  await stack?.stop();
});

describe('the way to an access token', () => {
  it.each(['header', 'query', 'form'] as const)('leads over the person to signed requests (parameters in the %s)', async (place) => {
    const begun = await printer.send('oauth/request_token/', { method: 'POST', place, protocol: { oauth_callback: BACK } });
    expect(begun.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
    expect(new URLSearchParams(begun.body.toString()).get('oauth_callback_confirmed')).toBe('true');
    const request = tokenOf(begun);
    const allowed = await authorize(request.token);
    expect(allowed.status).toBe(302);
    const location = new URL(allowed.headers.location!);
    expect([location.origin, location.searchParams.get('kept'), location.searchParams.get('oauth_token')]).toEqual([
      'http://127.0.0.1:9',
      '1',
      request.token,
    ]);
    const done = await printer.send('oauth/access_token', {
      method: 'POST',
      place,
      token: request,
      protocol: { oauth_verifier: verifierOf(allowed) },
    });
    const token = tokenOf(done);
    expect((await printer.send('accounts/get/', { token })).json()).toMatchObject({ userid: user.userId });

    const listed = await call(user.http, 'accounts/permanent_tokens');
    expect(JSON.stringify(listed.body)).toContain(token.token);
    expect(JSON.stringify(listed.body)).toContain('printer');
    // what is listed, and goes over the wire with each request, is no credential by itself
    for (const [name, value] of [
      ['mountbit-auth', token.token],
      ['authorization', token.token],
      ['mountbit-auth', token.secret],
    ] as const)
      expect(said(await anonymous.send('/api/1/accounts/get/', { headers: { [name]: value } }))).toBe('401 Unauthorized');
  });

  it('shows a page to browsers, which says what was wrong and never loads or runs anything', async () => {
    const request = await printer.begin(BACK);
    const url = `/api/1/oauth/authorize/?oauth_token=${request.token}`;
    const browser = { accept: 'text/html,application/xhtml+xml' };
    expect(said(await anonymous.send(url))).toBe('400 InvalidParameters');
    const page = await anonymous.send(url, { headers: browser });
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toContain("form-action 'self' http://127.0.0.1:9;");
    expect(page.body.toString()).toContain('Allow "printer" to use your account?');
    const wrong = await authorize(request.token, { password: 'wrong' }, browser);
    expect([wrong.status, wrong.body.toString()]).toEqual([401, expect.stringContaining('Login or password is wrong.')]);
    expect((await authorize(request.token, {}, browser)).headers.location).toContain('oauth_verifier=');
    expect(said(await anonymous.send('/api/1/oauth/authorize/?oauth_token=x', { headers: browser }))).toBe('403 Forbidden');
    expect((await anonymous.send(url, { method: 'HEAD' })).status).toBe(405);
  });

  it('leads a real browser to the program, on another origin than the form', async () => {
    const program = createServer((_request, response) => response.end('arrived')).listen(0, '127.0.0.1');
    await once(program, 'listening');
    const callback = `http://127.0.0.1:${(program.address() as AddressInfo).port}/back`;
    const request = await printer.begin(callback);
    const { page, close } = await openPage(stack.baseUrl);
    try {
      await page.goto(`/api/1/oauth/authorize/?oauth_token=${request.token}`);
      await page.fill('input[name=login]', user.email);
      await page.fill('input[name=password]', 'wrong');
      await page.click('button');
      await page.waitForSelector('p.error');
      await page.fill('input[name=login]', user.email);
      await page.fill('input[name=password]', PASSWORD);
      await page.click('button');
      await page.waitForURL(`${callback}?**`);
      expect(await page.textContent('body')).toBe('arrived');
      const verifier = new URL(page.url()).searchParams.get('oauth_verifier')!;
      expect(said(await printer.finish(request, verifier))).toBe('200');
    } finally {
      await close();
      program.closeAllConnections();
      program.close();
    }
  });

  it('hands the verifier to the person when there is no callback', async () => {
    const request = await printer.begin('oob');
    const answer = (await authorize(request.token)).json<Record<string, string>>();
    expect(answer['oauth_token']).toBe(request.token);
    const page = await authorize(request.token, {}, { accept: 'text/html' });
    const shown = /<code>([0-9a-f]{64})<\/code>/.exec(page.body.toString())![1]!;
    expect((await printer.finish(request, shown)).status).toBe(200);
    expect(said(await printer.finish(request, answer['oauth_verifier']!))).toBe('401 Unauthorized token_rejected');
  });

  it('asks for the second factor of the account', async () => {
    const own = await CloudikeUser.register(stack.baseUrl);
    const secret = String((await call(own.http, 'accounts/totp/enrol')).body['secret']);
    const code = (steps: number) => new TOTP({ secret }).generate({ timestamp: Date.now() + steps * 30_000 });
    // made at once: a step may end meanwhile
    const [last, present] = [code(-1), code(0)];
    await call(own.http, 'accounts/totp/confirm', { otp: last });
    const request = await printer.begin(BACK);
    expect(said(await authorize(request.token, { login: own.email }))).toBe('401 SecondFactorRequired');
    expect(said(await authorize(request.token, { login: own.email, otp: last }))).toBe('401 SecondFactorWrong');
    const allowed = await authorize(request.token, { login: own.email, otp: present });
    const token = tokenOf(await printer.finish(request, verifierOf(allowed)));
    expect((await printer.send('accounts/get/', { token })).json()).toMatchObject({ userid: own.userId });
    own.http.close();
  });

  it('is gone once, by one of many', async () => {
    const request = await printer.begin(BACK);
    const verifier = verifierOf(await authorize(request.token));
    const answers = await Promise.all(Array.from({ length: 6 }, () => printer.finish(request, verifier)));
    expect(answers.map(said).sort()).toEqual(['200', ...Array<string>(5).fill('401 Unauthorized token_rejected')]);
    expect(said(await printer.finish(request, verifier))).toBe('401 Unauthorized token_rejected');
    expect(said(await authorize(request.token))).toBe('403 Forbidden');
  });

  it('belongs to the consumer who began it, and to what was signed for', async () => {
    const [request, another] = [await printer.begin(BACK), await printer.begin(BACK)];
    const verifier = verifierOf(await authorize(request.token));
    expect(said(await other.finish(request, verifier))).toBe('401 Unauthorized signature_invalid');
    expect(said(await printer.finish(another, verifier))).toBe('401 Unauthorized token_rejected');
    expect(said(await printer.finish(request, '0'.repeat(64)))).toBe('401 Unauthorized token_rejected');
    expect(said(await printer.finish(request, ''))).toBe('400 InvalidParameters parameter_absent');
    expect(said(await printer.finish({ token: request.token, secret: '' }, verifier))).toBe('401 Unauthorized signature_invalid');
    // without the signature of its consumer nobody gets a session for it
    const params = { oauth_token: request.token, oauth_verifier: verifier };
    expect((await call(anonymous, 'accounts/oauth_confirm', params)).said).toBe('403 Forbidden');
    const plain = await call(anonymous, 'accounts/oauth_url', { oauth_callback: BACK });
    expect(said(await authorize(String(plain.body['request_token'])))).toBe('403 Forbidden');
    expect(said(await printer.finish(request, verifier))).toBe('200');
  });

  it('ends with its temporary credentials and with the verifier', async () => {
    const [late, slow] = [await printer.begin(BACK), await printer.begin(BACK)];
    const verifiers = [verifierOf(await authorize(late.token)), verifierOf(await authorize(slow.token))];
    const database = new pg.Client({ connectionString: stack.databaseUrl });
    await database.connect();
    const end = (value: string) =>
      database.query(`UPDATE account_secrets SET expires_at = now() - interval '1 second' WHERE secret_sha256 = sha256($1::bytea)`, [
        Buffer.from(value),
      ]);
    try {
      expect((await end(late.token)).rowCount).toBe(1);
      expect((await end(verifiers[1]!)).rowCount).toBe(1);
    } finally {
      await database.end();
    }
    expect(said(await authorize(late.token))).toBe('403 Forbidden');
    expect(said(await printer.finish(late, verifiers[0]!))).toBe('401 Unauthorized token_rejected');
    expect(said(await printer.finish(slow, verifiers[1]!))).toBe('401 Unauthorized token_rejected');
  });
});

describe('a request is refused', () => {
  const now = () => Math.floor(Date.now() / 1_000);
  it.each<[string, string, () => SignedCall]>([
    ['of an unknown consumer', '401 Unauthorized consumer_key_unknown', () => ({ protocol: { oauth_consumer_key: 'constructor' } })],
    ['with a wrong signature', '401 Unauthorized signature_invalid', () => ({ protocol: { oauth_signature: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' } })],
    ['with half a signature', '401 Unauthorized signature_invalid', () => ({ protocol: { oauth_signature: 'AAAA' } })],
    ['from the past', '401 Unauthorized timestamp_refused', () => ({ protocol: { oauth_timestamp: String(now() - 400) } })],
    ['from the future', '401 Unauthorized timestamp_refused', () => ({ protocol: { oauth_timestamp: String(now() + 400) } })],
    ['without a time', '400 InvalidParameters parameter_rejected', () => ({ protocol: { oauth_timestamp: 'soon' } })],
    ['without a nonce', '400 InvalidParameters parameter_absent', () => ({ protocol: { oauth_nonce: undefined } })],
    ['with a huge nonce', '400 InvalidParameters parameter_rejected', () => ({ protocol: { oauth_nonce: 'n'.repeat(300) } })],
    ['by another method', '400 InvalidParameters signature_method_rejected', () => ({ protocol: { oauth_signature_method: 'PLAINTEXT' } })],
    ['of another version', '400 InvalidParameters version_rejected', () => ({ protocol: { oauth_version: '2.0' } })],
    ['with a parameter twice', '400 InvalidParameters parameter_rejected', () => ({ query: { oauth_nonce: 'x' } })],
    ['with a token', '400 InvalidParameters parameter_rejected', () => ({ token: { token: 'x', secret: '' } })],
    ['without a callback', '400 InvalidParameters parameter_absent', () => ({ protocol: { oauth_callback: undefined } })],
    ['with a callback that is none', '400 InvalidParameters', () => ({ protocol: { oauth_callback: 'javascript:alert(1)' } })],
    ['whose query was changed', '401 Unauthorized signature_invalid', () => ({ query: { a: '1' }, tamper: ({ query }) => (query['a'] = '2') })],
  ])('%s', async (_, refusal, make) => {
    const { protocol, ...more } = make();
    expect(said(await printer.send('oauth/request_token/', { ...more, protocol: { oauth_callback: BACK, ...protocol } }))).toBe(refusal);
  });

  it('that is sent again, also at once', async () => {
    const protocol = { oauth_callback: BACK, oauth_nonce: 'the same', oauth_timestamp: String(now()) };
    const send = () => printer.send('oauth/request_token/', { protocol });
    const answers = await Promise.all(Array.from({ length: 8 }, send));
    expect(answers.map(said).sort()).toEqual(['200', ...Array<string>(7).fill('401 Unauthorized nonce_used')]);
    expect(said(await send())).toBe('401 Unauthorized nonce_used');
    // another consumer may have thought of the same one
    expect(said(await other.send('oauth/request_token/', { protocol }))).toBe('200');
  });
});

describe('an access token', () => {
  it('signs any other call, with its form, and only what was signed', async () => {
    const token = await access();
    const made = await printer.send('fileops/folder_create/', { method: 'POST', token, form: { path: '/made & signed+100%' } });
    expect(said(made)).toBe('200');
    expect(said(await printer.send('metadata/made%20%26%20signed%2B100%25/', { token, query: { listing: 'false' } }))).toBe('200');
    const tamper = ({ form }: { form: Record<string, string> }) => (form['path'] = '/other');
    const changed = await printer.send('fileops/folder_create/', { method: 'POST', token, form: { path: '/this' }, tamper });
    expect(said(changed)).toBe('401 Unauthorized signature_invalid');
    expect(said(await anonymous.send('/api/1/accounts/get/', { headers: { authorization: 'OAuth nonsense' } }))).toBe('400 InvalidParameters');
  });

  it('is of use to its consumer alone, and each request once', async () => {
    const token = await access(other);
    expect(said(await other.send('accounts/get/', { token }))).toBe('200');
    expect(said(await printer.send('accounts/get/', { token }))).toBe('401 Unauthorized signature_invalid');
    expect(said(await other.send('accounts/get/', { token: { ...token, secret: 'x' } }))).toBe('401 Unauthorized signature_invalid');
    const protocol = { oauth_nonce: 'once', oauth_timestamp: String(Math.floor(Date.now() / 1_000)) };
    const answers = await Promise.all(Array.from({ length: 8 }, () => other.send('accounts/get/', { token, protocol })));
    expect(answers.map(said).sort()).toEqual(['200', ...Array<string>(7).fill('401 Unauthorized nonce_used')]);
  });

  it('ends when its person removes it, and by logout', async () => {
    const [removed, left] = [await access(), await access()];
    expect(said(await printer.send('accounts/get/', { token: removed }))).toBe('200');
    await call(user.http, 'accounts/remove_permanent_token', { token_id: removed.token });
    expect(said(await printer.send('accounts/get/', { token: removed }))).toBe('401 Unauthorized');
    expect(said(await printer.send('accounts/logout/', { method: 'POST', token: left }))).toBe('200');
    expect(said(await printer.send('accounts/get/', { token: left }))).toBe('401 Unauthorized');
  });

  it('tells a device that it is to be wiped, and lets it say that it is done', async () => {
    const town = new CompanyTown(stack.baseUrl);
    const { admin, companyId } = await town.found('Acme');
    const member = await town.hire(admin, companyId);
    const request = await printer.begin(BACK);
    const token = tokenOf(await printer.finish(request, verifierOf(await authorize(request.token, { login: member.email }))));
    const wiped = await call(admin.http, 'company/user_permanent_token/remove', { token_id: token.token, remote_wipe: true });
    expect([wiped.said, said(await printer.send('accounts/get/', { token }))]).toEqual(['200', '401 Unauthorized remote_wipe']);
    expect(said(await printer.send('accounts/token_wiped/', { method: 'POST', token }))).toBe('200');
    town.close();
  });
});
