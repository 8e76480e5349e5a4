import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  AccountDirectory,
  AccountLoginsService,
  AccountValueService,
  AdminBootstrap,
  Authenticator,
  LoginService,
  OauthService,
  ProfileService,
  RecoveryService,
  RegistrationService,
  SessionService,
  SweepAccountsJob,
} from '#libs/accounts';
import { type SignUpCommand, SignUpService } from '#libs/companies';
import { AccountOverview } from '#libs/files';
import type { AccountActor } from '#libs/kernel';

import { AccountsHouse, CLIENT, MINUTE, outcome, PASSWORD, secretIn } from '../support/accounts-house.js';

const HOUR = 60 * MINUTE;
let house: AccountsHouse;
/** Confirmation switched off. */
let open: AccountsHouse;
let count = 0;
const freshEmail = () => `citizen-${++count}@example.org`;

beforeAll(async () => {
  house = await AccountsHouse.open();
  open = await AccountsHouse.open({ STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_DEFAULT_QUOTA_BYTES: '5000' });
});
afterAll(async () => {
  await house?.close();
  await open?.close();
});

const signUp = (command: Partial<SignUpCommand>, actor: AccountActor | null = null, at = house) =>
  at.get(SignUpService).signUp(actor, { name: 'Ivan Ivanov', password: PASSWORD, ...command }, CLIENT);
const login = (email: string, password = PASSWORD, at = house) => at.get(LoginService).byPassword({ email, password, permanent: false }, CLIENT);
const lastMail = async (at = house) => (await at.mails()).at(-1)!;
const admin = async (at: AccountsHouse): Promise<AccountActor> => {
  const actor = await at.account(freshEmail());
  await at.sql(`UPDATE accounts SET role = 'admin' WHERE id = $1`, [actor.accountId]);
  return { ...actor, role: 'admin' };
};

describe('registration', () => {
  it('waits for the answer to a mail, which is sent in the same transaction', async () => {
    const email = freshEmail();
    const { profile, session } = await signUp({ email, lang: 'de' });
    expect(session).toBeNull();
    expect(profile.account).toMatchObject({ state: 'pending', confirmedMs: null, name: 'Ivan Ivanov', lang: 'de' });
    expect(await outcome(login(email))).toBe('ACCOUNT_NOT_CONFIRMED');
    const mail = await lastMail();
    expect(mail).toMatchObject({ to: email, subject: 'Bestätigen Sie Ihre E-Mail-Adresse' });
    expect(mail.text.split('\n')).toContain(`http://stowage.test/api/1/accounts/approve/?hash=${secretIn(mail.text)}`);
    const approved = await house.get(RegistrationService).approve(secretIn(mail.text), CLIENT);
    expect(await house.get(Authenticator).byToken(approved.token)).toMatchObject({ accountId: profile.account.id });
    expect(await outcome(login(email))).toBe('ok');
  });

  it('confirms once; a client that repeats the call within a minute is answered again', async () => {
    const email = freshEmail();
    await signUp({ email });
    const hash = secretIn((await lastMail()).text);
    const approve = () => outcome(house.get(RegistrationService).approve(hash, CLIENT));
    expect(await Promise.all([approve(), approve(), approve()])).toEqual(['ok', 'ok', 'ok']);
    house.clock.advance(MINUTE - 1);
    expect(await approve()).toBe('ok');
    house.clock.advance(1);
    expect(await approve()).toBe('ACCOUNT_NOT_FOUND');
  });

  it('does not confirm by other secrets, or after 72 hours', async () => {
    await signUp({ email: freshEmail() });
    const hash = secretIn((await lastMail()).text);
    for (const wrong of ['', 'x', hash.slice(1), hash.toUpperCase() + 'a', '0'.repeat(64)]) {
      expect(await outcome(house.get(RegistrationService).approve(wrong, CLIENT))).toBe('ACCOUNT_NOT_FOUND');
    }
    expect(await outcome(house.get(LoginService).byKey(hash, { permanent: false }, CLIENT))).toBe('INVALID_CREDENTIALS');
    house.clock.advance(72 * HOUR);
    expect(await outcome(house.get(RegistrationService).approve(hash, CLIENT))).toBe('ACCOUNT_NOT_FOUND');
  });

  it('sends the mail again, but not without end, and not to strangers', async () => {
    const email = freshEmail();
    await signUp({ email });
    const resend = (to: string) => outcome(house.get(RegistrationService).resend(to));
    for (let i = 0; i < 5; i++) expect(await resend(`email:${email}`)).toBe('ok');
    expect(await resend(email.toUpperCase())).toBe('RATE_LIMITED');
    house.clock.advance(HOUR);
    expect(await resend(email)).toBe('ok');
    await house.get(RegistrationService).approve(secretIn((await lastMail()).text), CLIENT);
    expect(await resend(email)).toBe('ALREADY_CONFIRMED');
    expect(await resend('nobody@example.org')).toBe('ACCOUNT_NOT_FOUND');
    expect(await resend('nonsense')).toBe('ACCOUNT_NOT_FOUND');
  });

  it('is complete at once when confirmation is off', async () => {
    const email = freshEmail();
    const { profile } = await signUp({ email }, null, open);
    expect(profile.account).toMatchObject({ state: 'active', confirmedMs: open.clock.nowMs() });
    expect(await outcome(login(email, PASSWORD, open))).toBe('ok');
    expect(await open.mails()).toEqual([]);
    expect((await signUp({ phone: '+7 920 000-11-22' }, null, open)).profile.logins).toMatchObject([{ kind: 'msisdn', value: '79200001122' }]);
    expect(await outcome(open.get(LoginService).byPassword({ phone: '7 (920) 0001122', password: PASSWORD, permanent: false }, CLIENT))).toBe('ok');
  });

  it('refuses a login that somebody has, in any spelling, and leaves nothing behind', async () => {
    const email = freshEmail();
    await signUp({ email });
    const before = await house.sql(
      'SELECT (SELECT count(*) FROM accounts) AS a, (SELECT count(*) FROM companies) AS c, (SELECT count(*) FROM outbox) AS o',
    );
    expect(await outcome(signUp({ email: email.toUpperCase(), companyName: 'Twice Ltd' }))).toBe('LOGIN_TAKEN');
    expect(
      await house.sql('SELECT (SELECT count(*) FROM accounts) AS a, (SELECT count(*) FROM companies) AS c, (SELECT count(*) FROM outbox) AS o'),
    ).toEqual(before);
    const racers = await Promise.all(Array.from({ length: 8 }, () => outcome(signUp({ email: 'racer@example.org' }))));
    expect(racers.sort()).toEqual([...Array<string>(7).fill('LOGIN_TAKEN'), 'ok']);
  });

  it.each<[Partial<SignUpCommand>]>([
    [{ email: 'nonsense' }],
    [{ email: 'a@b\r\nBcc: c@d' }],
    [{ email: 'a@b,c@d' }],
    [{}],
    [{ email: 'valid@example.org', password: '' }],
    [{ email: 'valid@example.org', password: 'ж'.repeat(129) }],
    [{ email: 'valid@example.org', name: ' ' }],
    [{ email: 'valid@example.org', name: 'x'.repeat(257) }],
    [{ email: 'valid@example.org', name: 'a\u0000b' }],
    [{ email: 'valid@example.org', lang: 'tlh' }],
    [{ email: 'valid@example.org', companyName: 'X', companyDomain: 'not a host/' }],
  ])('refuses form %#', async (form) => {
    expect(await outcome(signUp(form))).toBe('INVALID_ARGUMENT');
  });

  it('takes names and passwords of exactly 256 bytes', async () => {
    const email = freshEmail();
    const { profile } = await signUp({ email, name: 'я'.repeat(128), password: '€'.repeat(85) + 'x' }, null, open);
    expect(profile.account.name).toBe('я'.repeat(128));
    expect(await outcome(login(email, '€'.repeat(85) + 'x', open))).toBe('ok');
  });
});

describe('companies and invitations', () => {
  it('founds a company that the new account owns and administrates', async () => {
    const { profile } = await signUp({ email: freshEmail(), companyName: 'Ice Ltd', companyPlan: 'gold', companyDomain: 'Ice.Example.org' });
    expect(profile.account).toMatchObject({ companyName: 'Ice Ltd', companyDomain: 'ice.example.org', isCompanyAdmin: true });
    const [company] = await house.sql('SELECT owner_id, plan, status FROM companies WHERE id = $1', [profile.account.companyId]);
    expect(company).toEqual({ owner_id: profile.account.id, plan: 'gold', status: 'active' });
    const email = freshEmail();
    expect(await outcome(signUp({ email, companyName: 'Fire Ltd', companyDomain: 'ICE.example.org' }))).toBe('NAME_TAKEN');
    expect(await house.get(AccountLoginsService).lookUp(email)).toBeNull();
  });

  it('lets administrators make confirmed members, with flags, and nobody else', async () => {
    const { profile: owner } = await signUp({ email: freshEmail(), companyName: 'Stone Ltd' });
    await house.sql(`UPDATE accounts SET state = 'active' WHERE id = $1`, [owner.account.id]);
    const boss: AccountActor = { kind: 'account', accountId: owner.account.id, companyId: owner.account.companyId, role: 'user', tokenId: null };
    const email = freshEmail();
    const expiresMs = house.clock.nowMs() + HOUR;
    const made = await signUp({ email, createdManually: true, canPrint: false, useWatermarks: true, expiresMs }, boss);
    expect(made.profile.account).toMatchObject({
      state: 'active',
      companyId: boss.companyId,
      isCompanyAdmin: false,
      canPrint: false,
      canDownload: true,
      useWatermarks: true,
      expiresMs,
    });
    expect(await house.get(Authenticator).byToken(made.session!.token)).toMatchObject({
      accountId: made.profile.account.id,
      companyId: boss.companyId,
    });
    const member: AccountActor = { ...boss, accountId: made.profile.account.id };
    expect(await outcome(signUp({ email: freshEmail(), createdManually: true }, member))).toBe('FORBIDDEN');
    expect(await outcome(signUp({ email: freshEmail(), createdManually: true }))).toBe('UNAUTHENTICATED');
    expect(await outcome(signUp({ email: freshEmail(), createdManually: true, companyId: boss.companyId! + 1000 }, boss))).toBe('COMPANY_NOT_FOUND');
    const root = await admin(house);
    expect(await outcome(signUp({ email: freshEmail(), createdManually: true, companyId: 999_999 }, root))).toBe('COMPANY_NOT_FOUND');
    const second = await signUp({ email: freshEmail(), createdManually: true, companyId: boss.companyId!, memberIsAdmin: true }, root);
    expect(second.profile.account).toMatchObject({ companyId: boss.companyId, isCompanyAdmin: true });
    const stranger = await signUp({ email: freshEmail(), canPrint: false });
    expect(stranger.profile.account.canPrint).toBe(true);
  });

  it('needs no confirmation by who was invited, once, and only at the invited address', async () => {
    const email = freshEmail();
    const registration = house.get(RegistrationService);
    const { accountId } = await registration.invite(email, { inviter: 'Olga', invitation: 'Come in!', lang: 'ru' });
    const mail = await lastMail();
    expect(mail.text).toContain('Olga приглашает вас.\nCome in!');
    const hash = secretIn(mail.text);
    expect(await registration.invitedLogin(hash)).toBe(`email:${email}`);
    expect(await outcome(signUp({ email: freshEmail(), inviteHash: hash }))).toBe('INVALID_ARGUMENT');
    const { profile } = await signUp({ email: email.toUpperCase(), inviteHash: hash, name: 'Guest' });
    expect(profile.account).toMatchObject({ id: accountId, name: 'Guest', state: 'active' });
    expect(await outcome(login(email))).toBe('ok');
    expect(await outcome(registration.invitedLogin(hash))).toBe('ACCOUNT_NOT_FOUND');
    expect(await outcome(signUp({ email, inviteHash: hash }))).toBe('ACCOUNT_NOT_FOUND');
    expect(await outcome(signUp({ email: freshEmail(), inviteHash: 'f'.repeat(64) }))).toBe('ACCOUNT_NOT_FOUND');
  });
});

describe('recovery and keys', () => {
  it('lets in once by mail, asks for a new password, and ends its links with it', async () => {
    const email = freshEmail();
    const actor = await house.account(email);
    const old = await login(email);
    await house.get(RecoveryService).recover(`email:${email}`);
    await house.get(RecoveryService).recover(email);
    const [first, second] = (await house.mails()).slice(-2).map((mail) => secretIn(mail.text));
    expect((await lastMail()).text).toContain(`http://stowage.test/api/1/accounts/login/?key=${second}`);
    expect(await outcome(login(email))).toBe('ok');
    const session = await house.get(LoginService).login({ key: first, permanent: false }, CLIENT);
    expect(session).toMatchObject({ accountId: actor.accountId, needPasswordChange: true });
    const me = await house.get(Authenticator).byToken(session.token);
    await house.get(ProfileService).change(me, { password: 'brand new' });
    expect((await house.get(ProfileService).get(me)).account.needPasswordChange).toBe(false);
    expect(await outcome(house.get(Authenticator).byToken(old.token))).toBe('UNAUTHENTICATED');
    expect(await outcome(house.get(Authenticator).byToken(session.token))).toBe('ok');
    for (const key of [first!, second!])
      expect(await outcome(house.get(LoginService).byKey(key, { permanent: false }, CLIENT))).toBe('INVALID_CREDENTIALS');
    expect(await outcome(login(email, PASSWORD))).toBe('INVALID_CREDENTIALS');
    expect(await outcome(login(email, 'brand new'))).toBe('ok');
  });

  it('ends a recovery link after 24 hours or its first use, and confirms the address it went to', async () => {
    const email = freshEmail();
    await signUp({ email });
    await house.get(RecoveryService).recover(email);
    const key = secretIn((await lastMail()).text);
    const use = () => outcome(house.get(LoginService).byKey(key, { permanent: false }, CLIENT));
    expect([await use(), await use()]).toEqual(['ok', 'ok']);
    house.clock.advance(MINUTE);
    expect(await use()).toBe('FORBIDDEN');
    // whoever had registered this address is not let in by it any more
    expect(await outcome(login(email))).toBe('INVALID_CREDENTIALS');
    await house.get(RecoveryService).recover(email);
    house.clock.advance(24 * HOUR);
    expect(await outcome(house.get(LoginService).byKey(secretIn((await lastMail()).text), { permanent: false }, CLIENT))).toBe('INVALID_CREDENTIALS');
  });

  it('sends five mails an hour at most and none for what nobody has', async () => {
    const email = freshEmail();
    const actor = await house.account(email);
    const recover = (text: string) => outcome(house.get(RecoveryService).recover(text));
    for (let i = 0; i < 5; i++) expect(await recover(email)).toBe('ok');
    expect(await recover(email)).toBe('RATE_LIMITED');
    for (const text of ['nobody@example.org', 'nonsense', '', 'msisdn:99999999']) expect(await recover(text)).toBe('INVALID_ARGUMENT');
    await house.sql(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [actor.accountId]);
    expect(await recover(email)).toBe('ACCOUNT_DISABLED');
  });

  it('makes a key that signs its owner in exactly once within ten minutes', async () => {
    const actor = await house.account(freshEmail());
    const logins = house.get(LoginService);
    const key = await logins.generateKey(actor);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    const answers = await Promise.all(Array.from({ length: 8 }, () => outcome(logins.byKey(key, { permanent: true }, CLIENT))));
    expect(answers.sort()).toEqual([...Array<string>(7).fill('FORBIDDEN'), 'ok']);
    const late = await logins.generateKey(actor);
    house.clock.advance(10 * MINUTE);
    expect(await outcome(logins.byKey(late, { permanent: false }, CLIENT))).toBe('INVALID_CREDENTIALS');
    const disabled = await logins.generateKey(actor);
    await house.sql(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [actor.accountId]);
    expect(await outcome(logins.byKey(disabled, { permanent: false }, CLIENT))).toBe('ACCOUNT_DISABLED');
  });
});

describe('sign-in by redirect', () => {
  const wish = { permanent: true, deviceDescription: 'Web' };

  it('goes from request to token, with a verifier that is good once', async () => {
    const email = freshEmail();
    const actor = await house.account(email);
    const oauth = house.get(OauthService);
    const { authorizeUrl, requestToken } = await oauth.request({ callback: 'https://client.example.org/cb?state=a%26b', ...wish });
    expect(authorizeUrl).toBe(`http://stowage.test/api/1/accounts/authorize/?request_token=${requestToken}`);
    expect(await outcome(oauth.authorize(requestToken, { login: email, password: 'wrong' }, CLIENT))).toBe('INVALID_CREDENTIALS');
    const target = new URL(await oauth.authorize(requestToken, { login: email, password: PASSWORD }, CLIENT));
    expect(target.origin + target.pathname).toBe('https://client.example.org/cb');
    expect(Object.fromEntries(target.searchParams)).toEqual({
      state: 'a&b',
      oauth_token: requestToken,
      oauth_verifier: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const verifier = target.searchParams.get('oauth_verifier')!;
    expect(await outcome(oauth.confirm(requestToken, '0'.repeat(64), CLIENT))).toBe('FORBIDDEN');
    const session = await oauth.confirm(requestToken, verifier, CLIENT);
    expect(session).toMatchObject({ accountId: actor.accountId, expiresMs: null, deviceDescription: 'Web' });
    expect(await outcome(oauth.confirm(requestToken, verifier, CLIENT))).toBe('FORBIDDEN');
    expect(await outcome(oauth.authorize(requestToken, { login: email, password: PASSWORD }, CLIENT))).toBe('FORBIDDEN');
  });

  it('does not mix the verifier of one request with the token of another, and ends', async () => {
    const email = freshEmail();
    await house.account(email);
    const oauth = house.get(OauthService);
    const mine = await oauth.request({ callback: 'http://localhost:3000/', ...wish });
    const theirs = await oauth.request({ callback: 'https://evil.example.org/', ...wish });
    const target = await oauth.authorize(mine.requestToken, { login: email, password: PASSWORD }, CLIENT);
    const verifier = new URL(target).searchParams.get('oauth_verifier')!;
    expect(await outcome(oauth.confirm(theirs.requestToken, verifier, CLIENT))).toBe('FORBIDDEN');
    house.clock.advance(5 * MINUTE);
    expect(await outcome(oauth.confirm(mine.requestToken, verifier, CLIENT))).toBe('FORBIDDEN');
    house.clock.advance(10 * MINUTE);
    expect(await outcome(oauth.authorize(mine.requestToken, { login: email, password: PASSWORD }, CLIENT))).toBe('FORBIDDEN');
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    '//evil.example.org',
    '/relative',
    'ftp://x/',
    'https://user:pass@x/',
    'https://x/#f',
    '',
    `https://x/${'y'.repeat(2100)}`,
  ])('refuses the callback %s', async (callback) => {
    expect(await outcome(house.get(OauthService).request({ callback, ...wish }))).toBe('INVALID_ARGUMENT');
  });
});

describe('profile', () => {
  it('changes what is given, and tells when the password is the same', async () => {
    const email = freshEmail();
    const actor = await house.account(email);
    const profiles = house.get(ProfileService);
    await house.get(AccountDirectory).find([actor.accountId]);
    expect(await profiles.change(actor, { name: 'Анна', lang: 'RU', timezone: 'Europe/Moscow', extraInfo: '{"a":{"b":1}}', password: '' })).toEqual({
      passwordUnchanged: false,
    });
    expect((await profiles.get(actor)).account).toMatchObject({ name: 'Анна', lang: 'ru', timezone: 'Europe/Moscow', extraInfo: { a: { b: 1 } } });
    expect(await house.get(AccountDirectory).find([actor.accountId, 999_999])).toEqual(
      new Map([[actor.accountId, { name: 'Анна', lang: 'ru', login: `email:${email}` }]]),
    );
    const session = await login(email);
    expect(await profiles.change(actor, { name: 'Anna', password: PASSWORD })).toEqual({ passwordUnchanged: true });
    expect((await profiles.get(actor)).account.name).toBe('Anna');
    expect(await outcome(house.get(Authenticator).byToken(session.token))).toBe('ok');
  });

  it.each([
    [{}],
    [{ password: '' }],
    [{ lang: 'xx' }],
    [{ timezone: 'Mars/Olympus' }],
    [{ timezone: '+03:00' }],
    [{ name: 'x'.repeat(257) }],
    [{ password: 'x'.repeat(257) }],
    [{ extraInfo: '[1]' }],
    [{ extraInfo: 'no json' }],
    [{ extraInfo: { a: 'x\u0000' } }],
    [{ extraInfo: { a: '\ud800' } }],
    [{ extraInfo: { a: 'x'.repeat(70_000) } }],
  ])('refuses change %#', async (change) => {
    const actor = await house.account(freshEmail());
    expect(await outcome(house.get(ProfileService).change(actor, change))).toBe('INVALID_ARGUMENT');
  });

  it('ends all other tokens, pairs and keys with a changed password', async () => {
    const email = freshEmail();
    await house.account(email);
    const [mine, phone] = [await login(email), await login(email)];
    const me = await house.get(Authenticator).byToken(mine.token);
    const pair = await house.get(AccountLoginsService).createPair(me, {});
    await house.get(Authenticator).byBasic(`${pair.login}:${pair.password}`, { kind: 'other', address: CLIENT.ip });
    const key = await house.get(LoginService).generateKey(me);
    await house.get(ProfileService).change(me, { password: 'something else' });
    expect(await outcome(house.get(Authenticator).byToken(mine.token))).toBe('ok');
    expect(await outcome(house.get(Authenticator).byToken(phone.token))).toBe('UNAUTHENTICATED');
    expect(await outcome(house.get(Authenticator).byBasic(`${pair.login}:${pair.password}`, { kind: 'other', address: CLIENT.ip }))).toBe(
      'INVALID_CREDENTIALS',
    );
    expect(await outcome(house.get(LoginService).byKey(key, { permanent: false }, CLIENT))).toBe('INVALID_CREDENTIALS');
    expect(await house.get(SessionService).list(me, { includeTemporary: true })).toHaveLength(1);
  });

  it('shows another account to its administrators and silently oneself to everybody else', async () => {
    const { profile: owner } = await signUp({ email: freshEmail(), companyName: 'Glass Ltd' });
    const boss: AccountActor = { kind: 'account', accountId: owner.account.id, companyId: owner.account.companyId, role: 'user', tokenId: null };
    const member = await house.account(freshEmail(), { companyId: boss.companyId! });
    const stranger = await house.account(freshEmail());
    const root = await admin(house);
    const seen = async (actor: AccountActor, id: number) => (await house.get(ProfileService).get(actor, id)).account.id;
    expect(await seen(boss, member.accountId)).toBe(member.accountId);
    expect(await seen(boss, stranger.accountId)).toBe(boss.accountId);
    expect(await seen(member, boss.accountId)).toBe(member.accountId);
    expect(await seen(stranger, member.accountId)).toBe(stranger.accountId);
    expect(await seen(root, stranger.accountId)).toBe(stranger.accountId);
    expect(await seen(root, 999_999)).toBe(root.accountId);
  });

  it('tells the quota of an account that has stored nothing yet', async () => {
    const view = await open.get(AccountOverview).get(await open.account(freshEmail()), { fileTypes: true });
    expect(view).toMatchObject({ quota: { limitBytes: 5000, usedBytes: 0 }, trashBytes: 0, overheadBytes: 0, fileTypes: {} });
    const free = await house.get(AccountOverview).get(await house.account(freshEmail()));
    expect(free).toMatchObject({ quota: { limitBytes: null }, fileTypes: null });
  });
});

describe('logins and values', () => {
  it('adds addresses that must be confirmed, and never removes the last way in', async () => {
    const email = freshEmail();
    const actor = await house.account(email);
    const logins = house.get(AccountLoginsService);
    const second = freshEmail();
    expect(await outcome(logins.addEmail(actor, email))).toBe('LOGIN_TAKEN');
    await logins.addEmail(actor, second);
    expect(await outcome(login(second))).toBe('ACCOUNT_NOT_CONFIRMED');
    expect(await outcome(logins.remove(actor, `email:${email}`))).toBe('LAST_LOGIN');
    await house.get(RegistrationService).approve(secretIn((await lastMail()).text), CLIENT);
    expect(await outcome(login(second))).toBe('ok');
    const racers = await Promise.all([outcome(logins.remove(actor, email)), outcome(logins.remove(actor, `email:${second.toUpperCase()}`))]);
    expect(racers.sort()).toEqual(['LAST_LOGIN', 'ok']);
    expect(await outcome(logins.remove(actor, 'email:nobody@example.org'))).toBe('LOGIN_NOT_FOUND');
    expect(await outcome(logins.remove(actor, 'userid:1'))).toBe('LOGIN_NOT_FOUND');
    const stranger = await house.account(freshEmail());
    expect(await outcome(logins.remove(stranger, second))).toBe('LOGIN_NOT_FOUND');
    expect(await outcome(logins.addPhone(actor, '79201112233'))).toBe('FORBIDDEN');
    const free = await open.account(freshEmail());
    expect(await open.get(AccountLoginsService).addPhone(free, '+7 (920) 111-22-33')).toBe('msisdn:79201112233');
    expect(await outcome(open.get(AccountLoginsService).addPhone(free, 'no number'))).toBe('INVALID_ARGUMENT');
  });

  it('does not confirm an address that was removed again', async () => {
    const actor = await house.account(freshEmail());
    const added = freshEmail();
    await house.get(AccountLoginsService).addEmail(actor, added);
    const hash = secretIn((await lastMail()).text);
    await house.get(AccountLoginsService).remove(actor, added);
    expect(await outcome(house.get(RegistrationService).approve(hash, CLIENT))).toBe('ACCOUNT_NOT_FOUND');
  });

  it('keeps values exactly, for their owner alone', async () => {
    const [actor, stranger] = [await house.account(freshEmail()), await house.account(freshEmail())];
    const values = house.get(AccountValueService);
    const all = { text: '{"looks":"like json"}', number: 1.5, list: [1, [2]], object: { a: null }, __proto__x: true, code: 'x', '': 0 };
    expect(await outcome(values.set(actor, '', 1))).toBe('INVALID_ARGUMENT');
    const kept: [string, unknown][] = [...Object.entries(all).filter(([key]) => key !== ''), ['__proto__', 'own'], ['ключ \\u0000', '\\u0000']];
    for (const [key, value] of kept) expect(await values.set(actor, key, value)).toBe('written');
    expect(await values.set(actor, 'number', 2)).toBe('updated');
    expect(await values.read(actor, 'number')).toEqual({ number: 2 });
    for (const [key, value] of kept.filter(([name]) => name !== 'number'))
      expect(Object.entries(await values.read(actor, key))).toEqual([[key, value]]);
    expect(Object.keys(await values.read(actor)).sort()).toEqual(kept.map(([key]) => key).sort());
    expect(await values.read(stranger, 'number')).toEqual({ number: null });
    expect(await values.read(stranger)).toEqual({});
    for (const bad of ['a\u0000b', '\udc00', 'x'.repeat(70_000), undefined])
      expect(await outcome(values.set(actor, 'bad', bad))).toBe('INVALID_ARGUMENT');
    expect(await outcome(values.set(actor, 'k'.repeat(257), 1))).toBe('INVALID_ARGUMENT');
    await house.sql(`INSERT INTO account_values (account_id, key, value) SELECT $1, 'k' || n, '1' FROM generate_series(1, 1000) n`, [
      stranger.accountId,
    ]);
    expect(await outcome(values.set(stranger, 'one more', 1))).toBe('QUOTA_EXCEEDED');
    expect(await outcome(values.set(stranger, 'k1', 2))).toBe('ok');
  });
});

describe('first administrator and sweep', () => {
  it('is made once, whoever asks at the same time, and never out of an ordinary account', async () => {
    const bare = await AccountsHouse.open();
    const second = await bare.another();
    try {
      await bare.sql('TRUNCATE accounts CASCADE');
      const ensure = (at: AccountsHouse, password?: string) => at.get(AdminBootstrap).ensure({ email: 'boss@localhost', password });
      await bare.account('boss@localhost');
      expect(await outcome(ensure(bare))).toBe('LOGIN_TAKEN');
      await bare.sql('TRUNCATE accounts CASCADE');
      const made = await Promise.all([ensure(bare), ensure(second), ensure(bare), ensure(second)]);
      const first = made.filter((answer) => answer.created);
      expect(first).toHaveLength(1);
      expect(made.filter((answer) => answer.password !== null)).toEqual(first);
      const { accountId } = await login('boss@localhost', first[0]!.password!, bare);
      expect((await bare.get(ProfileService).ofAccount(accountId)).account.role).toBe('admin');
      expect(await ensure(bare, 'ignored')).toEqual({ email: 'boss@localhost', password: null, created: false });
      await bare.sql('TRUNCATE accounts CASCADE');
      expect(await ensure(bare, 'given by configuration')).toEqual({ email: 'boss@localhost', password: null, created: true });
      expect(await outcome(login('boss@localhost', 'given by configuration', bare))).toBe('ok');
    } finally {
      await second.close();
      await bare.close();
    }
  });

  it('removes what has ended and nothing else', async () => {
    const email = freshEmail();
    await house.account(email);
    await login(email);
    const permanent = await house.get(LoginService).byPassword({ email, password: PASSWORD, permanent: true }, CLIENT);
    await outcome(login(email, 'wrong'));
    await house.get(RecoveryService).recover(email);
    await house.sql(`INSERT INTO oauth_nonces VALUES (sha256('old'), $1)`, [house.clock.now()]);
    house.clock.advance(31 * 24 * HOUR);
    await house.sql(`INSERT INTO oauth_nonces VALUES (sha256('new'), $1)`, [new Date(house.clock.now().getTime() + HOUR)]);
    const fresh = await login(await newcomer());
    await house.get(SweepAccountsJob).handle({}, { signal: new AbortController().signal });
    const left = await house.sql<{ tokens: string[]; secrets: number; guards: number; slots: number; nonces: number }>(
      `SELECT (SELECT array_agg(id) FROM auth_tokens WHERE account_id IN ($1, $2)) AS tokens, (SELECT count(*) FROM account_secrets WHERE expires_at <= $3) AS secrets,
              (SELECT count(*) FROM login_guards) AS guards, (SELECT count(*) FROM limiter_slots) AS slots, (SELECT count(*) FROM oauth_nonces) AS nonces`,
      [permanent.accountId, fresh.accountId, house.clock.now()],
    );
    expect(left[0]).toMatchObject({ secrets: 0, guards: 0, slots: 0, nonces: 1 });
    expect(left[0]!.tokens.sort()).toEqual([permanent.tokenId, fresh.tokenId].sort());
  });
});

async function newcomer(): Promise<string> {
  const email = freshEmail();
  await house.account(email);
  return email;
}
