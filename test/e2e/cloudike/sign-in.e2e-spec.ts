import { createHash, randomBytes } from 'node:crypto';

import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { call, CompanyTown, PASSWORD, type Said } from '../../support/companies.js';
import { type FormValue, HttpSession } from '../../support/http-session.js';
import { CLIENT_ID, CLIENT_SECRET, CookieBrowser, type ProviderPerson, TestIdentityProvider } from '../../support/identity-provider.js';
import { available } from '../../support/services.js';
import { AGENT_DN, AGENT_PASSWORD, BASE_DN, startDirectory, type TestDirectory } from '../../support/slapd.js';
import { type Stack, startStack } from '../../support/stack.js';

// Second factors, identity providers and directories by real HTTP: docs/contracts/cloudike.md 15 and 22.

const BACK = 'http://127.0.0.1:9/back';

let stack: Stack;
let town: CompanyTown;
let system: CloudikeUser;
let admin: CloudikeUser;
let rival: CloudikeUser;
let companyId: number;
let rivalId: number;
let idp: TestIdentityProvider;
let directory: TestDirectory | undefined;
let nth = 0;

const person = (more: ProviderPerson = {}): string => {
  const sub = `sub-${++nth}`;
  idp.people.set(sub, { email: `person-${nth}@acme.example`, email_verified: true, name: `Person ${nth}`, ...more });
  return sub;
};
const provider = (more: Record<string, FormValue | readonly FormValue[]> = {}): Record<string, FormValue | readonly FormValue[]> => ({
  issuer: idp.issuer,
  client_id: CLIENT_ID,
  client_secret: CLIENT_SECRET,
  domains: ['acme.example', 'acme.test'],
  auto_create: true,
  ...more,
});
const as = (token: string) => new HttpSession(stack.baseUrl, { 'mountbit-auth': token });
const codeOf = (secret: string, steps = 0) => new TOTP({ secret }).generate({ timestamp: Date.now() + steps * 30_000 });
/** Turns the second factor on by the code of the step before: those of this and the next are good still. */
const turnOn = async (http: HttpSession): Promise<{ secret: string; codes: string[] }> => {
  const secret = String((await call(http, 'accounts/totp/enrol')).body['secret']);
  const { body } = await call(http, 'accounts/totp/confirm', { otp: codeOf(secret, -1) });
  return { secret, codes: body['recovery_codes'] as string[] };
};

beforeAll(async () => {
  idp = await TestIdentityProvider.start();
  directory = available.ldap ? await startDirectory([{ uid: 'ann', password: 'ann-password', mail: 'ann@acme.example', cn: 'Ann' }]) : undefined;
  stack = await startStack({
    env: {
      STOWAGE_ACCOUNT_CONFIRMATION: 'off',
      STOWAGE_SIGN_IN_PRIVATE_HOSTS: 'localhost',
      STOWAGE_GOOGLE_CLIENT_ID: CLIENT_ID,
      STOWAGE_GOOGLE_CLIENT_SECRET: CLIENT_SECRET,
      STOWAGE_GOOGLE_ISSUER: idp.issuer,
      ...(directory ? { STOWAGE_SIGN_IN_CA_FILE: directory.caFile } : {}),
    },
  });
  idp.open(['oidc_callback', 'google_confirm'].map((name) => `${stack.baseUrl}/api/1/accounts/${name}/`));
  town = new CompanyTown(stack.baseUrl);
  system = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
  ({ admin, companyId } = await town.found('Acme', { company_domain: 'acme.example' }));
  ({ admin: rival, companyId: rivalId } = await town.found('Rival', { company_domain: 'rival.example' }));
});
afterAll(async () => {
  town?.close();
  // the end of the stack may find something wrong, and these must not outlive it
  await idp?.stop();
  await directory?.stop();
  await stack?.stop();
});

describe('the second factor', () => {
  it('is enrolled, confirmed, asked for, and turned off', async () => {
    const user = await CloudikeUser.register(stack.baseUrl);
    const login = (params: Record<string, string> = {}) =>
      call(town.anonymous, 'accounts/login', { email: user.email, password: PASSWORD, ...params });
    expect((await call(user.http, 'accounts/totp/status')).body).toEqual({ enabled: false, pending: false, recovery_codes_left: 0, required: false });
    expect((await call(user.http, 'accounts/totp/confirm', { otp: '000000' })).said).toBe('400 InvalidParameters');
    const { secret, codes } = await turnOn(user.http);
    expect(codes).toHaveLength(10);
    expect((await call(user.http, 'accounts/totp/status')).body).toEqual({ enabled: true, pending: false, recovery_codes_left: 10, required: false });
    expect((await call(user.http, 'accounts/totp/enrol')).said).toBe('403 AlreadyEnabled');
    expect((await call(user.http, 'accounts/totp/confirm', { otp: codeOf(secret) })).said).toBe('403 AlreadyEnabled');

    expect((await login()).said).toBe('401 SecondFactorRequired');
    expect((await login({ otp: codeOf(secret) })).body).toMatchObject({ token: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect((await login({ otp: codeOf(secret) })).said).toBe('401 SecondFactorWrong');
    expect((await login({ otp: codes[0]! })).said).toBe('200');
    expect((await login({ password: 'wrong', otp: codes[1]! })).said).toBe('401 Unauthorized');
    const basic = new HttpSession(stack.baseUrl, { authorization: `Basic ${Buffer.from(`${user.email}:${PASSWORD}`).toString('base64')}` });
    expect((await call(basic, 'accounts/get')).said).toBe('401 SecondFactorRequired');
    expect((await call(basic, 'request_token')).said).toBe('401 SecondFactorRequired');
    expect((await call(basic, 'request_token', { otp: codes[2]! })).said).toBe('200');
    const pair = (await call(user.http, 'accounts/create_basic_auth')).body;
    const program = new HttpSession(stack.baseUrl, {
      authorization: `Basic ${Buffer.from(`${String(pair['login'])}:${String(pair['password'])}`).toString('base64')}`,
    });
    expect((await call(program, 'accounts/get')).body).toMatchObject({ userid: user.userId });
    expect((await call(program, 'accounts/totp/disable', { otp: codes[3]! })).said).toBe('403 Forbidden');

    const fresh = (await call(user.http, 'accounts/totp/recovery_codes', { otp: codes[3]! })).body['recovery_codes'] as string[];
    expect((await call(user.http, 'accounts/totp/disable', { otp: codes[4]! })).said).toBe('401 SecondFactorWrong');
    expect((await call(user.http, 'accounts/totp/disable')).said).toBe('400 InvalidParameters');
    const twice = await Promise.all([0, 1].map(() => call(user.http, 'accounts/totp/disable', { otp: fresh[0]! })));
    expect(twice.map(({ said }) => said).filter((said) => said === '200')).toHaveLength(1);
    expect((await login()).said).toBe('200');
    expect((await call(user.http, 'accounts/totp/disable', { otp: fresh[1]! })).said).toBe('400 InvalidParameters');
  });

  it.each(['status', 'enrol', 'confirm', 'recovery_codes', 'disable', 'reset'])("is nobody else's: totp/%s needs a token", async (name) => {
    expect((await call(town.anonymous, `accounts/totp/${name}`, { otp: '000000', user_id: 1 })).said).toBe('401 Unauthorized');
  });

  it('is taken away by administrators from members who lost it, and by nobody else', async () => {
    const [member, colleague] = [await town.hire(admin, companyId), await town.hire(admin, companyId)];
    await turnOn(member.http);
    const reset = (by: CloudikeUser, userId: number | undefined = member.userId) => call(by.http, 'accounts/totp/reset', { user_id: userId });
    expect((await reset(colleague)).said).toBe('403 Forbidden');
    expect((await reset(rival)).said).toBe('404 UserNotFound');
    expect((await reset(rival, 999_999)).said).toBe('404 UserNotFound');
    expect((await reset(member)).said).toBe('403 Forbidden');
    expect((await call(admin.http, 'accounts/totp/reset')).said).toBe('400 InvalidParameters');
    expect((await reset(admin)).said).toBe('200');
    expect((await reset(admin)).said).toBe('400 InvalidParameters');
    expect((await call(town.anonymous, 'accounts/login', { email: member.email, password: PASSWORD })).said).toBe('200');
    await turnOn(admin.http);
    expect((await reset(admin, admin.userId)).said).toBe('403 Forbidden');
    expect((await reset(system, admin.userId)).said).toBe('200');
  });
});

describe('a company that demands a second factor', () => {
  it('is set by its administrators, and lets who has none do nothing but set one up', async () => {
    const { admin: boss, companyId: strictId } = await town.found('Strict');
    const member = await town.hire(boss, strictId);
    const change = (http: HttpSession, value: boolean) => call(http, `accounts/company/${strictId}/change`, { second_factor_required: value });
    expect((await call(town.anonymous, `company/${strictId}/change`, { second_factor_required: true })).said).toBe('401 Unauthorized');
    expect((await change(member.http, true)).said).toBe('403 Forbidden');
    expect((await change(rival.http, true)).said).toBe('404 CompanyNotFound');
    expect((await call(boss.http, `company/${strictId}/change`, { second_factor_required: 'perhaps' })).said).toBe('400 InvalidParameters');
    expect((await call(boss.http, `company/${strictId}`)).body).toMatchObject({ second_factor_required: false });
    const file = await member.upload('/kept.txt', Buffer.from('kept'));
    const url = String((await call(member.http, `files/get${file.path}`)).body['url']);
    const { secret: own } = await turnOn(boss.http);
    expect((await change(boss.http, true)).body).toMatchObject({ second_factor_required: true });
    expect(own).not.toBe('');

    const refused = { code: 'Forbidden', reason: 'second_factor_required' };
    const login = (params: Record<string, string> = {}) =>
      call(town.anonymous, 'accounts/login', { email: member.email, password: PASSWORD, ...params });
    const { body: session } = await login();
    expect(session).toMatchObject({ need_second_factor: true });
    const http = as(String(session['token']));
    // what was handed out before as well
    for (const each of [http, member.http])
      for (const path of ['accounts/get', 'metadata/', 'accounts/totp/recovery_codes', 'accounts/generate_login_key', 'subscribe/ticket'])
        expect((await call(each, path)).body).toMatchObject(refused);
    expect((await fetch(url)).status).toBe(403);
    const basic = new HttpSession(stack.baseUrl, { authorization: `Basic ${Buffer.from(`${member.email}:${PASSWORD}`).toString('base64')}` });
    expect((await call(basic, 'metadata/')).body).toMatchObject(refused);
    // a dialect in which nobody can set one up gives no session for it
    const elsewhere = await fetch(`${stack.baseUrl}/fileago/auth`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: member.email, password: PASSWORD }),
    });
    expect(elsewhere.status).toBe(403);

    expect((await call(http, 'accounts/totp/status')).body).toMatchObject({ enabled: false, required: true });
    expect((await call(town.anonymous, 'accounts/totp/enrol')).said).toBe('401 Unauthorized');
    expect((await call(http, 'accounts/totp/confirm', { otp: '000000' })).said).toBe('400 InvalidParameters');
    const { codes } = await turnOn(http);
    for (const each of [http, member.http]) expect((await call(each, 'metadata/')).said).toBe('200');
    expect((await fetch(url)).status).toBe(200);
    expect((await login()).said).toBe('401 SecondFactorRequired');
    const { body: again } = await login({ otp: codes[0]! });
    expect(again).not.toHaveProperty('need_second_factor');
    // whose second factor was taken away sets another one up
    expect((await call(boss.http, 'accounts/totp/reset', { user_id: member.userId })).said).toBe('200');
    expect((await call(member.http, 'metadata/')).body).toMatchObject(refused);
    expect((await call(member.http, 'accounts/logout')).said).toBe('200');
    await turnOn(http);
    expect((await call(http, 'metadata/')).said).toBe('200');
  });
});

describe('the identity provider of a company', () => {
  it.each(['company', 'accounts/company'])('is set, read and removed by its administrators (%s)', async (prefix) => {
    const at = (path = '') => `${prefix}/${rivalId}/oidc${path}`;
    expect((await call(rival.http, at())).body).toEqual({
      enabled: false,
      issuer: '',
      client_id: '',
      client_secret: '',
      has_secret: false,
      domains: [],
      auto_create: false,
    });
    expect((await call(rival.http, at('/change'), { domains: 'rival.example' })).said).toBe('400 InvalidParameters');
    const set = await call(rival.http, at('/change'), provider({ domains: ['@Rival.example'] }));
    expect(set.body).toMatchObject({ enabled: true, issuer: `${idp.issuer}/`, client_secret: '', has_secret: true, domains: ['rival.example'] });
    expect((await call(rival.http, at('/change'), { auto_create: false })).body).toMatchObject({ has_secret: true, auto_create: false });
    expect((await call(system.http, at())).body).toMatchObject({ enabled: true });
    const member = await town.hire(rival, rivalId);
    for (const path of ['', '/change', '/remove']) {
      expect((await call(town.anonymous, at(path))).said).toBe('401 Unauthorized');
      expect((await call(member.http, at(path))).said).toBe('403 Forbidden');
      const [foreign, unknown] = [await call(admin.http, at(path)), await call(admin.http, `${prefix}/999999/oidc${path}`)];
      expect([foreign.said, foreign.body]).toEqual(['404 CompanyNotFound', unknown.body]);
    }
    expect((await Promise.all([0, 1].map(() => call(rival.http, at('/remove'))))).map(({ said }) => said)).toEqual(['200', '200']);
    expect((await call(rival.http, at())).body).toMatchObject({ enabled: false, has_secret: false });
  });

  it.each<[Record<string, FormValue | readonly FormValue[]>, string]>([
    [{ issuer: 'ftp://localhost' }, '400 InvalidParameters'],
    [{ issuer: 'no url' }, '400 InvalidParameters'],
    [{ issuer: 'https://user:secret@idp.example' }, '400 InvalidParameters'],
    [{ issuer: 'http://idp.example' }, '400 InvalidParameters'],
    [{ issuer: 'https://169.254.169.254/' }, '503 ProviderUnavailable'],
    [{ issuer: 'https://127.0.0.1:1/' }, '503 ProviderUnavailable'],
    [{ issuer: 'https://localhost:1/' }, '503 ProviderUnavailable'],
    [{ client_id: '' }, '400 InvalidParameters'],
    [{ domains: ['not a domain'] }, '400 InvalidParameters'],
    [{ domains: ['com'] }, '400 InvalidParameters'],
    [{ domains: Array.from({ length: 101 }, (_, index) => `d${index}.example`) }, '400 InvalidParameters'],
  ])('is not taken (case %#)', async (change, said) => {
    expect((await call(rival.http, `company/${rivalId}/oidc/change`, provider(change))).said).toBe(said);
  });

  it('reaches into no private network by another spelling of an address', async () => {
    for (const host of ['127.1', '0x7f000001', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0']) {
      const port = new URL(idp.issuer).port;
      const before = idp.seen.length;
      const { said } = await call(rival.http, `company/${rivalId}/oidc/change`, provider({ issuer: `https://${host}:${port}` }));
      expect([host, said, idp.seen.length]).toEqual([host, '503 ProviderUnavailable', before]);
    }
  });
});

describe('sign-in at the identity provider of a company', () => {
  beforeAll(async () => {
    expect((await call(admin.http, `company/${companyId}/oidc/change`, provider())).said).toBe('200');
  });

  const open = async (params: Record<string, string | number> = { domain: 'acme.example' }) => {
    const { said, body } = await call(town.anonymous, 'accounts/oauth_url', { oauth_callback: BACK, ...params });
    return { said, url: String(body['authorize_url']), requestToken: String(body['request_token']) };
  };
  /** Goes through all of it; what oauth_confirm says. */
  const signIn = async (sub: string | null, otp?: string, browser = new CookieBrowser()): Promise<Said & { params: Record<string, string> }> => {
    const { url } = await open();
    idp.signsIn = sub;
    const { location, response } = await browser.go(url, BACK);
    if (location === null) {
      const body = (await response.json()) as Record<string, unknown>;
      return { said: `${response.status} ${String(body['code'])}`, body, reply: undefined as never, params: {} };
    }
    const { searchParams } = new URL(location);
    const params = { oauth_token: searchParams.get('oauth_token')!, oauth_verifier: searchParams.get('oauth_verifier')! };
    return { ...(await call(town.anonymous, 'accounts/oauth_confirm', { ...params, otp })), params };
  };

  it('makes a member of who comes first, and knows them again', async () => {
    const sub = person();
    const first = await signIn(sub);
    expect(first.body).toMatchObject({
      company_id: companyId,
      domain: 'acme.example',
      login: `email:person-${nth}@acme.example`,
      name: `Person ${nth}`,
    });
    expect((await call(as(String(first.body['token'])), 'accounts/get')).body).toMatchObject({ userid: first.body['userid'] });
    idp.people.set(sub, { email: 'renamed@acme.example', email_verified: true });
    expect((await signIn(sub)).body['userid']).toBe(first.body['userid']);
    expect((await call(town.anonymous, 'accounts/oauth_confirm', first.params)).said).toBe('403 Forbidden');
  });

  it('links a member by an address that the provider has verified, in the domains of the company alone', async () => {
    const email = `link-${++nth}@acme.test`;
    const made = await call(admin.http, `company/${companyId}/create_user`, { login: `email:${email}`, name: 'Linked', password: PASSWORD });
    expect((await signIn(person({ email, email_verified: false }))).said).toBe('403 Forbidden');
    expect((await signIn(person({ email }))).body).toMatchObject({ userid: made.body['userid'], login: `email:${email}` });
    const outside = await town.hire(admin, companyId);
    expect((await signIn(person({ email: outside.email }))).said).toBe('403 Forbidden');
    expect((await signIn(person({ email: 'x@acme.example.evil.example' }))).said).toBe('403 Forbidden');
    expect((await signIn(person({ email_verified: undefined as never }))).said).toBe('403 Forbidden');
  });

  it('opens no account of another company, of the owner, or that is switched off', async () => {
    const foreign = `foreign-${++nth}@acme.example`;
    await call(rival.http, `company/${rivalId}/create_user`, { login: `email:${foreign}`, name: 'Foreign', password: PASSWORD });
    expect((await signIn(person({ email: foreign }))).said).toBe('403 Forbidden');
    const owned = await town.found('Owned');
    await call(owned.admin.http, `company/${owned.companyId}/oidc/change`, provider({ domains: ['example.org'] }));
    idp.signsIn = person({ email: owned.admin.email });
    const { url } = await open({ company_id: owned.companyId });
    expect((await new CookieBrowser().go(url, BACK)).response.status).toBe(403);
    const sub = person();
    const { body } = await signIn(sub);
    await call(admin.http, `company/${companyId}/users_disable`, { user_ids: Number(body['userid']) });
    expect((await signIn(sub)).said).toBe('403 UserDisabled');
  });

  it('makes nobody where the company does not say so', async () => {
    await call(admin.http, `company/${companyId}/oidc/change`, { auto_create: false });
    expect((await signIn(person())).said).toBe('403 Forbidden');
    await call(admin.http, `company/${companyId}/oidc/change`, { auto_create: true });
  });

  it('lets one account come of several browsers at once', async () => {
    const sub = person();
    const results = await Promise.all(Array.from({ length: 4 }, () => signIn(sub)));
    expect(new Set(results.map(({ body }) => body['userid'])).size).toBe(1);
    expect(results[0]!.said).toBe('200');
  });

  it('belongs to the browser that began it', async () => {
    const { url } = await open();
    idp.signsIn = person();
    const callback = `${stack.baseUrl}/api/1/accounts/oidc_callback/`;
    const [mine, another] = [new CookieBrowser(), new CookieBrowser()];
    const { location } = await mine.go(url, callback);
    expect(location).toContain('code=');
    const stolen = await another.go(location!, BACK);
    expect([stolen.location, stolen.response.status]).toEqual([null, 403]);
    const changed = new URL(location!);
    changed.searchParams.set('state', 'x'.repeat(43));
    expect((await mine.go(changed.toString(), BACK)).response.status).toBe(403);
    const cookie = [...mine.cookies.get(stack.baseUrl)!];
    expect((await mine.go(location!, BACK)).location).toContain('oauth_verifier=');
    // the same answer again, with the cookie that was taken away put back
    for (const [name, value] of cookie) mine.cookies.get(stack.baseUrl)!.set(name, value);
    expect((await mine.go(location!, BACK)).response.status).toBe(403);
    const cookieLine = (await fetch((await open()).url, { redirect: 'manual' })).headers.getSetCookie()[0]!;
    expect(cookieLine).toMatch(/^stowage_sign_in_[\w-]+=[\w-]+; Path=\/api\/; Max-Age=600; HttpOnly; SameSite=Lax$/);
  });

  it('says who was refused there, and refuses what names nobody', async () => {
    expect((await signIn(null)).said).toBe('403 Forbidden');
    expect((await open({ domain: 'nobody.example' })).said).toBe('404 CompanyNotFound');
    expect((await open({ company_id: rivalId })).said).toBe('404 CompanyNotFound');
    expect((await open({ company_id: 999_999 })).said).toBe('404 CompanyNotFound');
    const elsewhere = await call(town.anonymous, 'accounts/oauth_url', { oauth_callback: 'https://evil.example/', domain: 'acme.example' });
    expect(elsewhere.said).toBe('400 InvalidParameters');
    expect((await call(town.anonymous, 'accounts/oidc_start', { request_token: 'f'.repeat(64) })).said).toBe('403 Forbidden');
    expect((await call(town.anonymous, 'accounts/oidc_start')).said).toBe('400 InvalidParameters');
    expect((await call(town.anonymous, 'accounts/oidc_callback', { state: 'x', code: 'y' })).said).toBe('403 Forbidden');
    expect((await call(town.anonymous, 'accounts/oidc_callback')).said).toBe('400 InvalidParameters');
    const { requestToken } = await open();
    const typed = await call(town.anonymous, 'accounts/authorize', { request_token: requestToken, login: admin.email, password: PASSWORD });
    expect(typed.said).toBe('403 Forbidden');
    const plain = await call(town.anonymous, 'accounts/oauth_url', { oauth_callback: BACK });
    expect((await call(town.anonymous, 'accounts/oidc_start', { request_token: String(plain.body['request_token']) })).said).toBe('403 Forbidden');
  });

  it('asks for the second factor of the account', async () => {
    const sub = person();
    const { codes } = await turnOn(as(String((await signIn(sub)).body['token'])));
    const asked = await signIn(sub);
    expect(asked.said).toBe('401 SecondFactorRequired');
    expect((await call(town.anonymous, 'accounts/oauth_confirm', { ...asked.params, otp: 'aaaa-bbbb' })).said).toBe('401 SecondFactorWrong');
    expect((await call(town.anonymous, 'accounts/oauth_confirm', { ...asked.params, otp: codes[0] })).said).toBe('200');
  });
});

describe('sign-in at Google', () => {
  const signIn = async (sub: string, params: Record<string, string> = {}) => {
    const { body } = await call(town.anonymous, 'accounts/google_url', params);
    idp.signsIn = sub;
    const { location, response } = await new CookieBrowser().go(String(body['url']), BACK);
    if (location !== null) return { said: 'back', body: Object.fromEntries(new URL(location).searchParams) as Record<string, unknown> };
    const answer = (await response.json()) as Record<string, unknown>;
    return { said: typeof answer['code'] === 'string' ? `${response.status} ${answer['code']}` : String(response.status), body: answer };
  };

  it('answers the login object, makes an account, and knows it again', async () => {
    const sub = person({ email: `g-${nth}@gmail.com` });
    const first = await signIn(sub, { permanent_auth: 'true', device_description: 'tablet' });
    expect(first.body).toMatchObject({ login: `email:${idp.people.get(sub)!.email!}`, company_id: 0, expires: 0, device_description: 'tablet' });
    expect((await signIn(sub)).body['userid']).toBe(first.body['userid']);
  });

  it('goes to a callback when there is one', async () => {
    const { said, body } = await signIn(person({ email: `g-${nth}@gmail.com` }), { oauth_callback: BACK });
    expect(said).toBe('back');
    expect((await call(town.anonymous, 'accounts/oauth_confirm', body as Record<string, string>)).said).toBe('200');
    expect((await call(town.anonymous, 'accounts/google_url', { oauth_callback: 'https://evil.example' })).said).toBe('400 InvalidParameters');
  });

  it('links an account by addresses that Google answers for, and no other; none of administrators of the system', async () => {
    const own = await CloudikeUser.register(stack.baseUrl, `own-${++nth}@gmail.com`);
    expect((await signIn(person({ email: own.email }))).body['userid']).toBe(own.userId);
    const hosted = await CloudikeUser.register(stack.baseUrl, `hosted-${++nth}@firm.example`);
    expect((await signIn(person({ email: hosted.email }))).said).toBe('403 Forbidden');
    expect((await signIn(person({ email: hosted.email, hd: 'other.example' }))).said).toBe('403 Forbidden');
    expect((await signIn(person({ email: hosted.email, hd: 'firm.example' }))).body['userid']).toBe(hosted.userId);
    expect((await signIn(person({ email: stack.admin.email, hd: stack.admin.email.split('@')[1]! }))).said).toBe('403 Forbidden');
  });

  it('asks for the second factor by what oauth_confirm takes', async () => {
    const sub = person({ email: `g-${nth}@gmail.com` });
    const { codes } = await turnOn(as(String((await signIn(sub)).body['token'])));
    const { said, body } = await signIn(sub);
    expect(said).toBe('401 SecondFactorRequired');
    const { oauth_token, oauth_verifier } = body as Record<string, string>;
    expect((await call(town.anonymous, 'accounts/oauth_confirm', { oauth_token, oauth_verifier, otp: codes[0] })).said).toBe('200');
  });

  it('refuses answers that do not fit', async () => {
    expect((await call(town.anonymous, 'accounts/google_confirm', { state: 'x', code: 'y' })).said).toBe('403 Forbidden');
    expect((await call(town.anonymous, 'accounts/google_confirm')).said).toBe('400 InvalidParameters');
  });

  it('takes an ID token that a program has of Google itself, once', async () => {
    const idToken = async (sub: string): Promise<string> => {
      const redirect = `${stack.baseUrl}/api/1/accounts/google_confirm/`;
      const verifier = randomBytes(32).toString('base64url');
      const challenge = createHash('sha256').update(verifier).digest('base64url');
      const asked = { client_id: CLIENT_ID, response_type: 'code', scope: 'openid email profile', redirect_uri: redirect };
      const claims = JSON.stringify({ id_token: { email: null, email_verified: null, name: null, hd: null } });
      const query = new URLSearchParams({ ...asked, claims, nonce: verifier, code_challenge: challenge, code_challenge_method: 'S256' });
      idp.signsIn = sub;
      const { location } = await new CookieBrowser().go(`${idp.issuer}/auth?${query.toString()}`, redirect);
      const code = new URL(location!).searchParams.get('code')!;
      const reply = await fetch(`${idp.issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: redirect, code_verifier: verifier }),
      });
      return ((await reply.json()) as { id_token: string }).id_token;
    };
    const confirm = (params: Record<string, FormValue>) => call(town.anonymous, 'accounts/google_confirm', params);
    const sub = person({ email: `g-${nth}@gmail.com` });
    const token = await idToken(sub);
    const wish = { permanent_auth: true, device_description: 'phone' };
    const answers = await Promise.all([0, 1, 2, 3].map(() => confirm({ token, ...wish })));
    expect(answers.map(({ said }) => said).sort()).toEqual(['200', '403 Forbidden', '403 Forbidden', '403 Forbidden']);
    const { body } = answers.find(({ said }) => said === '200')!;
    expect(body).toMatchObject({ login: `email:${idp.people.get(sub)!.email!}`, expires: 0, device_description: 'phone' });
    expect((await confirm({ token })).said).toBe('403 Forbidden');
    const again = await idToken(sub);
    // the end of a signature can be written in several ways
    const [head, claims, signature] = again.split('.');
    for (const bad of [`${head}.${claims}.${signature!.slice(1)}`, `${head}.${claims}x.${signature}`, 'x', 'a.b.c', '0'.repeat(16_000)])
      expect((await confirm({ token: bad })).said).toBe('403 Forbidden');
    expect((await confirm({ token: '' })).said).toBe('400 InvalidParameters');
    expect((await confirm({ token: '0'.repeat(20_000) })).said).toBe('400 InvalidParameters');
    const { body: second } = await confirm({ token: again });
    expect(second).toMatchObject({ userid: body['userid'] });
    // with a second factor the token is good until the code comes
    const { codes } = await turnOn(as(String(second['token'])));
    const third = await idToken(sub);
    expect((await confirm({ token: third })).said).toBe('401 SecondFactorRequired');
    expect((await confirm({ token: third, otp: '123456' })).said).toBe('401 SecondFactorWrong');
    expect((await confirm({ token: third, otp: codes[0]! })).said).toBe('200');
    expect((await confirm({ token: third, otp: codes[1]! })).said).toBe('403 Forbidden');
    // addresses that Google does not answer for
    const other = await CloudikeUser.register(stack.baseUrl, `elsewhere-${++nth}@firm.example`);
    expect((await confirm({ token: await idToken(person({ email: other.email })) })).said).toBe('403 Forbidden');
  });

  it('makes nobody while registration is closed', async () => {
    await call(system.http, 'admin/settings', { name: 'registration_open', value: false });
    expect((await signIn(person({ email: `g-${nth}@gmail.com` }))).said).toBe('403 Forbidden');
    await call(system.http, 'admin/settings', { name: 'registration_open', value: true });
  });
});

describe.runIf(available.ldap)('accounts/login_by_ldap', () => {
  it('signs in by the directory of the company', async () => {
    const change = {
      ldap_is_enabled: true,
      ldap_address: `ldaps://localhost:${directory!.tlsPort}`,
      ldap_basedn: BASE_DN,
      ldap_user_agent_dn: AGENT_DN,
      ldap_user_agent_password: AGENT_PASSWORD,
    };
    expect((await call(admin.http, `company/${companyId}/change`, change)).said).toBe('200');
    const login = (params: Record<string, string | number | boolean>) => call(town.anonymous, 'accounts/login_by_ldap', params);
    const first = await login({ name: 'ann', password: 'ann-password', domain: 'acme.example', permanent_auth: true, device_description: 'desk' });
    expect(first.body).toMatchObject({ company_id: companyId, login: 'email:ann@acme.example', expires: 0, device_description: 'desk' });
    expect((await login({ name: 'ann@acme.example', password: 'ann-password' })).body['userid']).toBe(first.body['userid']);
    expect((await login({ name: 'ann', password: 'ann-password', company_id: companyId })).said).toBe('200');
    const [wrong, unknown, nowhere] = [
      await login({ name: 'ann', password: 'wrong', company_id: companyId }),
      await login({ name: 'nobody', password: 'wrong', company_id: companyId }),
      await login({ name: 'ann', password: 'ann-password', company_id: 999_999 }),
    ];
    expect(wrong.said).toBe('401 Unauthorized');
    expect([unknown.body, nowhere.body]).toEqual([wrong.body, wrong.body]);
    expect((await login({ name: 'ann', password: 'ann-password', company_id: rivalId })).body).toEqual(wrong.body);
    expect((await login({ name: 'ann', company_id: companyId })).said).toBe('400 InvalidParameters');
    expect((await login({ password: 'ann-password', company_id: companyId })).said).toBe('400 InvalidParameters');
    await call(admin.http, `company/${companyId}/change`, { ldap_address: 'ldaps://127.0.0.1:1' });
    expect((await login({ name: 'ann', password: 'ann-password', company_id: companyId })).said).toBe('503 ProviderUnavailable');
  });
});

describe('OAuth 1.0 without a consumer', () => {
  it.each(['request_token', 'authorize', 'access_token'])('is not there: oauth/%s', async (name) => {
    expect((await call(town.anonymous, `oauth/${name}`, { oauth_token: 'x' })).said).toBe('503 ProviderUnavailable');
  });
});

describe('accounts/kt_get_account', () => {
  it('shows the account of an address to its owner and its administrators alone', async () => {
    const [member, colleague] = [await town.hire(admin, companyId), await town.hire(admin, companyId)];
    const get = (who: HttpSession, email?: string) => call(who, 'accounts/kt_get_account', { email });
    for (const who of [member, admin, system]) expect((await get(who.http, member.email)).body).toMatchObject({ userid: member.userId });
    expect((await get(town.anonymous, member.email)).said).toBe('401 Unauthorized');
    expect((await get(colleague.http, member.email)).said).toBe('403 Forbidden');
    const [foreign, unknown] = [await get(rival.http, member.email), await get(rival.http, 'nobody@example.org')];
    expect([foreign.said, foreign.body]).toEqual(['404 UserNotFound', unknown.body]);
    expect((await get(member.http, 'no address')).said).toBe('404 UserNotFound');
    expect((await get(member.http)).said).toBe('400 InvalidParameters');
  });
});
