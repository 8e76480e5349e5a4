import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  AccountLoginsService,
  AccountValueService,
  Authenticator,
  LoginService,
  OauthService,
  ProfileService,
  RecoveryService,
  RegistrationService,
  SessionService,
  SweepAccountsJob,
} from '#libs/accounts';
import { SignUpService } from '#libs/companies';
import type { AccountActor } from '#libs/kernel';

import { AccountsHouse, CLIENT, MINUTE, outcome, PASSWORD, secretIn } from '../support/accounts-house.js';

const HOUR = 60 * MINUTE;
let house: AccountsHouse;
let count = 0;
const freshEmail = () => `hard-${++count}@example.org`;
const login = (email: string, password = PASSWORD) => house.get(LoginService).byPassword({ email, password, permanent: false }, CLIENT);
const byKey = (key: string) => outcome(house.get(LoginService).byKey(key, { permanent: false }, CLIENT));
const register = (email: string, company: Record<string, string> = {}) =>
  house.get(SignUpService).signUp(null, { email, name: 'Somebody', password: PASSWORD, ...company }, CLIENT);
const lastSecret = async () => secretIn((await house.mails()).at(-1)!.text);
const sweep = () => house.get(SweepAccountsJob).handle({}, { signal: new AbortController().signal });

beforeAll(async () => {
  house = await AccountsHouse.open();
});
afterAll(() => house?.close());

describe('a pair made for one program', () => {
  it('signs in by no way that makes a token, and manages no credentials', async () => {
    const email = freshEmail();
    const owner = await house.account(email);
    const logins = house.get(AccountLoginsService);
    for (const kind of ['basic', 'contacts_sync'] as const) {
      const pair = await logins.createPair(owner, {}, kind);
      const user = kind === 'basic' ? pair.login : `contacts_sync:${pair.login}`;
      const prefixed = { login: `${kind}:${pair.login}`, password: pair.password };
      expect(await outcome(house.get(LoginService).byPassword({ ...prefixed, permanent: false }, CLIENT))).toBe('FORBIDDEN');
      expect(await outcome(house.get(LoginService).byBasic(`${user}:${pair.password}`, CLIENT))).toBe('FORBIDDEN');
      const { requestToken } = await house.get(OauthService).request({ callback: 'https://client.example/cb', permanent: false });
      expect(await outcome(house.get(OauthService).authorize(requestToken, prefixed, CLIENT))).toBe('FORBIDDEN');

      const actor = await house.get(Authenticator).byBasic(`${user}:${pair.password}`, { kind: 'other', address: CLIENT.ip });
      expect(actor).toMatchObject({ accountId: owner.accountId, byPair: true });
      expect(await logins.pairLogin(actor, kind)).toBe(pair.login);
      const refused: Promise<unknown>[] = [
        house.get(LoginService).generateKey(actor),
        house.get(ProfileService).change(actor, { password: 'mine now' }),
        logins.createPair(actor, {}, kind),
        logins.addEmail(actor, freshEmail()),
        logins.remove(actor, email),
      ];
      for (const answer of await Promise.all(refused.map(outcome))) expect(answer).toBe('FORBIDDEN');
      expect(await outcome(house.get(ProfileService).change(actor, { name: 'Renamed' }))).toBe('ok');
    }
  });
});

describe('a changed password', () => {
  it('voids what the old one had proven just before', async () => {
    const email = freshEmail();
    const owner = await house.account(email);
    const proven = await house.get(LoginService).verify({ email, password: PASSWORD }, CLIENT);
    await house.get(ProfileService).change(owner, { password: 'the second' });
    expect(await outcome(house.get(SessionService).open(owner.accountId, { permanent: true }, CLIENT, proven.secretHash))).toBe(
      'INVALID_CREDENTIALS',
    );
  });

  it('leaves no token of the old one, whenever that was made', async () => {
    const email = freshEmail();
    const owner = await house.account(email);
    let current = PASSWORD;
    for (let round = 0; round < 6; round++) {
      const next = `password ${round}`;
      const [logins] = await Promise.all([
        Promise.allSettled([login(email, current), login(email, current), login(email, current)]),
        house.get(ProfileService).change(owner, { password: next }),
      ]);
      for (const made of logins) {
        if (made.status === 'fulfilled') expect(await outcome(house.get(Authenticator).byToken(made.value.token))).toBe('UNAUTHENTICATED');
      }
      current = next;
      expect(await outcome(login(email, current))).toBe('ok');
    }
  });
});

describe('links in mails', () => {
  it('do not lead into an account by an address that nobody confirmed', async () => {
    const owner = await house.account(freshEmail());
    const mistyped = freshEmail();
    await house.get(AccountLoginsService).addEmail(owner, mistyped);
    const before = (await house.mails()).length;
    expect(await outcome(house.get(RecoveryService).recover(mistyped))).toBe('INVALID_ARGUMENT');
    expect((await house.mails()).length).toBe(before);
  });

  it('end with the login that they were sent to', async () => {
    const [first, second] = [freshEmail(), freshEmail()];
    const owner = await house.account(first);
    await house.get(AccountLoginsService).addEmail(owner, second);
    await house.get(RegistrationService).approve(await lastSecret(), CLIENT);
    await house.get(RecoveryService).recover(second);
    const key = await lastSecret();
    await house.get(AccountLoginsService).remove(owner, second);
    expect(await byKey(key)).toBe('INVALID_CREDENTIALS');
  });

  it('take the password away from whoever registered the address of somebody else', async () => {
    const victim = freshEmail();
    await register(victim);
    await house.get(RecoveryService).recover(victim);
    const key = await lastSecret();
    expect(await byKey(key)).toBe('ok');
    expect(await outcome(login(victim))).toBe('INVALID_CREDENTIALS');
  });
});

describe('what was never confirmed', () => {
  it('makes room again after its links have ended, with the company it founded', async () => {
    const [left, asked, confirmed] = [freshEmail(), freshEmail(), freshEmail()];
    const domain = `room${Date.now()}.example.org`;
    const abandoned = await register(left, { companyName: 'Never Ltd', companyDomain: domain });
    await register(asked);
    await register(confirmed);
    await house.get(RegistrationService).approve(await lastSecret(), CLIENT);
    const owner = await house.account(freshEmail());
    const added = freshEmail();
    await house.get(AccountLoginsService).addEmail(owner, added);
    house.clock.advance(71 * HOUR);
    await sweep();
    expect(await outcome(register(left))).toBe('LOGIN_TAKEN');
    await house.get(RegistrationService).resend(asked);
    house.clock.advance(2 * HOUR);
    await sweep();
    expect(await outcome(register(asked))).toBe('LOGIN_TAKEN');
    expect(await outcome(login(confirmed))).toBe('ok');
    expect(await outcome(house.get(ProfileService).ofAccount(abandoned.profile.account.id))).toBe('ACCOUNT_NOT_FOUND');
    const again = await register(left, { companyName: 'At last Ltd', companyDomain: domain });
    expect(again.profile.account.companyDomain).toBe(domain);
    expect((await house.get(ProfileService).ofAccount(owner.accountId)).logins.map((each) => each.value)).not.toContain(added);
    expect(await outcome(register(added))).toBe('ok');
  });

  it('stays as long as other people belong to its company', async () => {
    const founder = await register(freshEmail(), { companyName: 'Shared Ltd' });
    const { id, companyId } = founder.profile.account;
    await house.account(freshEmail(), { companyId: companyId! });
    house.clock.advance(100 * HOUR);
    await sweep();
    expect(await outcome(house.get(ProfileService).ofAccount(id))).toBe('ok');
  });
});

describe('values', () => {
  it('may be nested 100 deep and not deeper', async () => {
    const owner: AccountActor = await house.account(freshEmail());
    const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}1${']'.repeat(depth)}`);
    const set = (depth: number) => outcome(house.get(AccountValueService).set(owner, 'deep', nested(depth)));
    expect([await set(100), await set(101), await set(30_000)]).toEqual(['ok', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT']);
    expect(await house.get(AccountValueService).read(owner, 'deep')).toEqual({ deep: nested(100) });
    const text = `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    expect(await outcome(house.get(ProfileService).change(owner, { extraInfo: text }))).toBe('INVALID_ARGUMENT');
  });
});
