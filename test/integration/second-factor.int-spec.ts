import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  AccountLoginsService,
  Authenticator,
  Impersonation,
  LoginService,
  OauthService,
  RecoveryService,
  RegistrationService,
  SecondFactorService,
  type Session,
  SessionService,
} from '#libs/accounts';
import { CompanyService } from '#libs/companies';
import { type AccountActor, DomainError } from '#libs/kernel';
import { OidcSignIn } from '#libs/sign-in';

import { AccountsHouse, CLIENT, MINUTE, outcome, PASSWORD, secretIn } from '../support/accounts-house.js';

let house: AccountsHouse;
let other: AccountsHouse;
let count = 0;

beforeAll(async () => {
  house = await AccountsHouse.open();
  other = await house.another();
});
afterAll(async () => {
  await other?.close();
  await house?.close();
});

const factors = (at = house) => at.get(SecondFactorService);
const codeAt = (url: string, steps = 0): string => {
  const { pathname, searchParams } = new URL(url);
  const totp = new TOTP({
    secret: searchParams.get('secret')!,
    digits: Number(searchParams.get('digits')),
    period: Number(searchParams.get('period')),
  });
  expect(pathname).not.toBe('');
  return totp.generate({ timestamp: house.clock.nowMs() + steps * 30_000 });
};
const login = (email: string, otp?: string, ip = CLIENT.ip, at = house): Promise<Session> =>
  at.get(LoginService).byPassword({ email, password: PASSWORD, otp, permanent: false }, { ...CLIENT, ip });

interface Enrolled {
  readonly email: string;
  readonly actor: AccountActor;
  readonly url: string;
  readonly recovery: readonly string[];
}

/** Somebody whose second factor is on; the clock stands at the step after the one whose code turned it on. */
async function enrolled(): Promise<Enrolled> {
  const email = `second-${++count}@example.org`;
  const actor = await house.account(email);
  const { url } = await factors().enrol(actor);
  const recovery = await factors().confirm(actor, codeAt(url));
  house.clock.advance(30_000);
  return { email, actor, url, recovery };
}
const wrongCodes = (url: string, many: number): string[] => {
  const right = new Set([-2, -1, 0, 1, 2].map((steps) => codeAt(url, steps)));
  return Array.from({ length: many * 2 }, (_, index) => String(index * 1_009).padStart(6, '0'))
    .filter((code) => !right.has(code))
    .slice(0, many);
};

describe('turning it on', () => {
  it('keeps the secret sealed, asks for nothing until a code confirms it, and answers ten recovery codes once', async () => {
    const email = `second-${++count}@example.org`;
    const actor = await house.account(email);
    expect(await factors().state(actor)).toEqual({ enabled: false, pending: false, recoveryCodesLeft: 0, required: false });
    expect(await outcome(factors().confirm(actor, '000000'))).toBe('INVALID_ARGUMENT');
    const { secret, url } = await factors().enrol(actor);
    expect(url).toBe(`otpauth://totp/Stowage:${encodeURIComponent(email)}?issuer=Stowage&secret=${secret}&algorithm=SHA1&digits=6&period=30`);
    const [row] = await house.sql<{ sealed: string }>('SELECT sealed_secret AS sealed FROM second_factors WHERE account_id = $1', [actor.accountId]);
    expect(row!.sealed).not.toContain(secret);
    expect(await outcome(login(email))).toBe('ok');
    expect(await outcome(factors().confirm(actor, wrongCodes(url, 1)[0]!))).toBe('SECOND_FACTOR_WRONG');
    const recovery = await factors().confirm(actor, codeAt(url));
    expect(new Set(recovery).size).toBe(10);
    expect(recovery.every((code) => /^([a-z2-7]{4}-){3}[a-z2-7]{4}$/.test(code))).toBe(true);
    expect(await factors().state(actor)).toEqual({ enabled: true, pending: false, recoveryCodesLeft: 10, required: false });
    expect(await outcome(factors().enrol(actor))).toBe('ALREADY_CONFIRMED');
    expect(await outcome(factors().confirm(actor, codeAt(url)))).toBe('ALREADY_CONFIRMED');
  });

  it('is once when done twice at once, and not for pairs and impersonators', async () => {
    const actor = await house.account(`second-${++count}@example.org`);
    const { url } = await factors().enrol(actor);
    const results = await Promise.all([house, other, house, other].map((at) => outcome(factors(at).confirm(actor, codeAt(url)))));
    expect(results.sort()).toEqual(['ALREADY_CONFIRMED', 'ALREADY_CONFIRMED', 'ALREADY_CONFIRMED', 'ok']);
    expect((await factors().state(actor)).recoveryCodesLeft).toBe(10);
    const stranger = await house.account(`second-${++count}@example.org`);
    expect(await outcome(factors().enrol({ ...stranger, byPair: true }))).toBe('FORBIDDEN');
    expect(await outcome(factors().enrol({ ...stranger, impersonatorId: actor.accountId }))).toBe('FORBIDDEN');
  });
});

describe('signing in', () => {
  it('takes the code of this step and its neighbours, each once', async () => {
    const { email, url } = await enrolled();
    expect(await outcome(login(email))).toBe('SECOND_FACTOR_REQUIRED');
    house.clock.advance(30_000);
    const [before, now, after, late] = [-1, 0, 1, 2].map((steps) => codeAt(url, steps));
    expect(await outcome(login(email, late))).toBe('SECOND_FACTOR_WRONG');
    expect(await outcome(login(email, `${before!.slice(0, 3)} ${before!.slice(3)}`))).toBe('ok');
    expect(await outcome(login(email, before))).toBe('SECOND_FACTOR_WRONG');
    expect(await outcome(login(email, after))).toBe('ok');
    // older than one that was taken
    expect(await outcome(login(email, now))).toBe('SECOND_FACTOR_WRONG');
  });

  it('lets one of many in who send the same code at once, from two processes', async () => {
    const { email, url, recovery } = await enrolled();
    for (const code of [codeAt(url), recovery[0]!]) {
      const tries = Array.from({ length: 8 }, (_, index) => outcome(login(email, code, `192.0.2.${index + 10}`, index % 2 ? other : house)));
      expect((await Promise.all(tries)).filter((result) => result === 'ok')).toHaveLength(1);
    }
  });

  it('takes a recovery code once, and new ones end the old ones', async () => {
    const { email, actor, url, recovery } = await enrolled();
    expect(await outcome(login(email, recovery[3]!.toUpperCase().replaceAll('-', ' ')))).toBe('ok');
    expect(await outcome(login(email, recovery[3]))).toBe('SECOND_FACTOR_WRONG');
    expect((await factors().state(actor)).recoveryCodesLeft).toBe(9);
    const fresh = await factors().renewRecoveryCodes(actor, codeAt(url), CLIENT.ip);
    expect(await outcome(login(email, recovery[4]))).toBe('SECOND_FACTOR_WRONG');
    expect(await outcome(login(email, fresh[4]))).toBe('ok');
  });

  it('does not tell of it to who has no password, and counts wrong codes like wrong passwords', async () => {
    const { email, url } = await enrolled();
    const wrong = house.get(LoginService).byPassword({ email, password: 'wrong', otp: codeAt(url), permanent: false }, CLIENT);
    expect(await outcome(wrong)).toBe('INVALID_CREDENTIALS');
    const results: string[] = [];
    // sign-ins without a code in between do not begin the counting anew
    for (const code of wrongCodes(url, 9)) results.push(await outcome(login(email, code)), await outcome(login(email)));
    expect(results.slice(0, 14)).toEqual(Array.from({ length: 7 }, () => ['SECOND_FACTOR_WRONG', 'SECOND_FACTOR_REQUIRED']).flat());
    expect(results.slice(14)).toEqual(['LAST_ATTEMPT', 'SECOND_FACTOR_REQUIRED', 'LOGIN_LOCKED', 'LOGIN_LOCKED']);
    expect(await outcome(login(email, codeAt(url), '192.0.2.99'))).toBe('LOGIN_LOCKED');
    house.clock.advance(31 * MINUTE);
    expect(await outcome(login(email, codeAt(url)))).toBe('ok');
  });

  it('never compares more codes than the limit when 100 are sent at once from two processes', async () => {
    const { email, url } = await enrolled();
    const tries = wrongCodes(url, 100).map((code, index) => outcome(login(email, code, `198.51.100.${index}`, index % 2 ? other : house)));
    const results = await Promise.all(tries);
    expect(results.filter((result) => result === 'SECOND_FACTOR_WRONG' || result === 'LAST_ATTEMPT').length).toBeLessThanOrEqual(9);
    expect(results.every((result) => ['SECOND_FACTOR_WRONG', 'LAST_ATTEMPT', 'LOGIN_LOCKED', 'RATE_LIMITED'].includes(result))).toBe(true);
    expect(await outcome(login(email, codeAt(url), '203.0.113.1'))).toBe('LOGIN_LOCKED');
  });

  it('refuses the password over HTTP Basic at once, and lets a pair made for one program in', async () => {
    const email = `second-${++count}@example.org`;
    const actor = await house.account(email);
    const authenticator = house.get(Authenticator);
    const address = { kind: 'other', address: CLIENT.ip } as const;
    expect((await authenticator.byBasic(`${email}:${PASSWORD}`, address)).accountId).toBe(actor.accountId);
    const { url } = await factors().enrol(actor);
    await factors().confirm(actor, codeAt(url));
    expect(await outcome(authenticator.byBasic(`${email}:${PASSWORD}`, address))).toBe('SECOND_FACTOR_REQUIRED');
    const pair = await house.get(AccountLoginsService).createPair(actor, {});
    expect((await authenticator.byBasic(`${pair.login}:${pair.password}`, address)).accountId).toBe(actor.accountId);
    house.clock.advance(30_000);
    expect((await house.get(LoginService).byBasic(`${email}:${PASSWORD}`, CLIENT, codeAt(url))).accountId).toBe(actor.accountId);
  });

  it('asks for it after a recovery mail, and in the sign-in by redirect', async () => {
    const { email, url } = await enrolled();
    await house.get(RecoveryService).recover(`email:${email}`);
    const key = secretIn((await house.mails()).at(-1)!.text);
    const byKey = (otp?: string) => house.get(LoginService).byKey(key, { permanent: false }, CLIENT, otp);
    expect(await outcome(byKey())).toBe('SECOND_FACTOR_REQUIRED');
    expect(await outcome(byKey(wrongCodes(url, 1)[0]))).toBe('SECOND_FACTOR_WRONG');
    expect(await outcome(byKey(codeAt(url)))).toBe('ok');
    house.clock.advance(30_000);
    const oauth = house.get(OauthService);
    const { requestToken } = await oauth.request({ callback: 'http://127.0.0.1/back', permanent: false });
    expect(await outcome(oauth.authorize(requestToken, { email, password: PASSWORD }, CLIENT))).toBe('SECOND_FACTOR_REQUIRED');
    const target = new URL(await oauth.authorize(requestToken, { email, password: PASSWORD, otp: codeAt(url) }, CLIENT));
    expect((await oauth.confirm(requestToken, target.searchParams.get('oauth_verifier')!, CLIENT)).login).toBe(`email:${email}`);
  });
});

describe('beside passwords', () => {
  it('is asked for by the link that confirms another address, which stays good until then', async () => {
    const { actor, url } = await enrolled();
    await house.get(AccountLoginsService).addEmail(actor, `added-${++count}@example.org`);
    const hash = secretIn((await house.mails()).at(-1)!.text);
    const approve = (otp?: string) => house.get(RegistrationService).approve(hash, CLIENT, otp);
    expect(await outcome(approve())).toBe('SECOND_FACTOR_REQUIRED');
    expect(await outcome(approve(wrongCodes(url, 1)[0]))).toBe('SECOND_FACTOR_WRONG');
    expect((await approve(codeAt(url))).accountId).toBe(actor.accountId);
  });

  it('says that there is no sign-in at Google where none is set up', async () => {
    expect(await outcome(house.get(OidcSignIn).requestGoogle(null, { permanent: false }))).toBe('PROVIDER_UNAVAILABLE');
  });
});

describe('turning it off', () => {
  it('takes a code, tries of which are counted, and then asks for nothing', async () => {
    const { email, actor, url } = await enrolled();
    const results: string[] = [];
    for (const code of wrongCodes(url, 11)) results.push(await outcome(factors().disable(actor, code, CLIENT.ip)));
    expect(results).toEqual([...Array.from({ length: 8 }, () => 'SECOND_FACTOR_WRONG'), 'LAST_ATTEMPT', 'LOGIN_LOCKED', 'LOGIN_LOCKED']);
    house.clock.advance(31 * MINUTE);
    await factors().disable(actor, codeAt(url), CLIENT.ip);
    expect(await outcome(login(email))).toBe('ok');
    expect(await outcome(factors().disable(actor, codeAt(url), CLIENT.ip))).toBe('INVALID_ARGUMENT');
    expect(await house.sql('SELECT 1 FROM recovery_codes WHERE account_id = $1', [actor.accountId])).toEqual([]);
  });
});

describe('a company that demands it', () => {
  let admin: AccountActor;
  let companyId: number;
  const BROWSER = { kind: 'other', address: CLIENT.ip } as const;
  const demand = (secondFactorRequired: boolean) => house.get(CompanyService).change(admin, companyId, { secondFactorRequired });
  const reasonOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'ok',
      (error: unknown) => (error instanceof DomainError ? (error.details['reason'] ?? error.code) : error),
    );

  beforeAll(async () => {
    companyId = (await house.sql<{ id: number }>(`INSERT INTO companies (name) VALUES ('Strict') RETURNING id`))[0]!.id;
    admin = await house.account('strict@example.org', { companyId, isCompanyAdmin: true });
  });

  it('lets who has none do nothing but set one up, by every credential, at once here and within a second elsewhere', async () => {
    const email = `second-${++count}@example.org`;
    const person = await house.account(email, { companyId });
    const before = await login(email);
    const permanent = await house.get(SessionService).open(person.accountId, { permanent: true }, CLIENT);
    const here = house.get(Authenticator);
    const there = other.get(Authenticator);
    expect(await reasonOf(there.byToken(before.token, BROWSER))).toBe('ok');
    expect((await factors().state(await here.byToken(before.token, BROWSER))).required).toBe(false);
    await demand(true);
    const ways = () =>
      Promise.all([
        reasonOf(here.byToken(before.token, BROWSER)),
        reasonOf(here.byToken(permanent.token, BROWSER)),
        reasonOf(here.byBasic(`${email}:${PASSWORD}`, BROWSER)),
        reasonOf(here.byUrl(person.accountId, permanent.tokenId, BROWSER)),
        reasonOf(here.byUrl(person.accountId, null, BROWSER)),
        reasonOf(here.byTokenId(permanent.tokenId, BROWSER)),
      ]);
    expect(await ways()).toEqual(Array(6).fill('second_factor_required'));
    expect(await here.stillIn([{ tokenId: permanent.tokenId, accountId: person.accountId, client: BROWSER }])).toEqual(new Set());
    house.clock.advance(1_000);
    expect(await reasonOf(there.byToken(before.token, BROWSER))).toBe('second_factor_required');
    // who cannot set one up gets no token at all
    const byPassword = { email, password: PASSWORD, permanent: false };
    expect(await reasonOf(house.get(LoginService).byPassword({ ...byPassword, cannotEnrol: true }, CLIENT))).toBe('second_factor_required');
    const session = await login(email);
    expect([before.needSecondFactor, session.needSecondFactor]).toEqual([false, true]);
    const actor = await here.byToken(session.token, BROWSER, { enrols: true });
    expect(await factors().state(actor)).toMatchObject({ enabled: false, required: true });
    expect(await reasonOf(here.byBasic(`${email}:${PASSWORD}`, BROWSER, { enrols: true }))).toBe('ok');
    const { url } = await factors().enrol(actor);
    expect(await reasonOf(here.byToken(session.token, BROWSER))).toBe('second_factor_required');
    await factors().confirm(actor, codeAt(url));
    // the password over HTTP Basic is no longer enough, all else is as it was
    const after = ['ok', 'ok', 'SECOND_FACTOR_REQUIRED', 'ok', 'ok', 'ok'];
    expect(await ways()).toEqual(after);
    house.clock.advance(30_000);
    expect(await reasonOf(there.byToken(before.token, BROWSER))).toBe('ok');
    expect((await login(email, codeAt(url))).needSecondFactor).toBe(false);
    house.clock.advance(30_000);
    // another device: off and on again
    await factors().disable(actor, codeAt(url), CLIENT.ip);
    expect(await reasonOf(here.byToken(before.token, BROWSER))).toBe('second_factor_required');
    await factors().confirm(actor, codeAt((await factors().enrol(actor)).url));
    expect(await reasonOf(here.byToken(before.token, BROWSER))).toBe('ok');
    await demand(false);
  });

  it('binds neither administrators of the system nor who acts as a member, and nobody else', async () => {
    const [member, system, stranger] = [1, 2, 3].map(() => `second-${++count}@example.org`);
    const person = await house.account(member!, { companyId });
    const boss = await house.account(system!, { companyId });
    await house.account(stranger!);
    await house.sql(`UPDATE accounts SET role = 'admin' WHERE id = $1`, [boss.accountId]);
    await demand(true);
    const here = house.get(Authenticator);
    const acting = await login(system!);
    expect(acting.needSecondFactor).toBe(false);
    expect((await login(stranger!)).needSecondFactor).toBe(false);
    const actor = await here.byToken(acting.token, BROWSER);
    expect(actor.role).toBe('admin');
    await house.get(Impersonation).actAs(actor, person.accountId);
    expect(await here.byToken(acting.token, BROWSER)).toMatchObject({ accountId: person.accountId, impersonatorId: boss.accountId });
    const holder = { tokenId: acting.tokenId, accountId: person.accountId, client: BROWSER };
    expect(await here.stillIn([holder])).toEqual(new Set([acting.tokenId]));
    await demand(false);
  });
});
