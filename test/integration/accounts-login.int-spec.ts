import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AccountLoginsService, Authenticator, LoginService, ProfileService, SessionService } from '#libs/accounts';
import { type AccountActor, sha256 } from '#libs/kernel';

import { AccountsHouse, CLIENT, MINUTE, outcome, PASSWORD } from '../support/accounts-house.js';

let house: AccountsHouse;
let other: AccountsHouse;
let count = 0;
const freshEmail = () => `person-${++count}@example.org`;

beforeAll(async () => {
  house = await AccountsHouse.open();
  other = await house.another();
});
afterAll(async () => {
  await other?.close();
  await house?.close();
});

const login = (email: string, password: string, ip = CLIENT.ip, at = house) =>
  at.get(LoginService).byPassword({ login: `email:${email}`, password, permanent: false }, { ...CLIENT, ip });

/** An actor that carries the token of a new login. */
async function signedIn(email: string, permanent = false): Promise<{ actor: AccountActor; token: string }> {
  house.clock.advance(1);
  const session = await house.get(LoginService).byPassword({ email, password: PASSWORD, permanent }, CLIENT);
  return { actor: await house.get(Authenticator).byToken(session.token), token: session.token };
}

describe('login', () => {
  it('answers a 32-character token that ends after 31 days, and tells of the login before', async () => {
    const email = freshEmail();
    const { accountId } = await house.account(email);
    const first = await login(email, PASSWORD, '192.0.2.7');
    expect(first).toMatchObject({
      accountId,
      login: `email:${email}`,
      previousLoginMs: null,
      previousLoginIp: null,
      expiresMs: first.createdMs + 2_678_400_000,
    });
    expect(first.token).toMatch(/^[0-9a-f]{32}$/);
    house.clock.advance(MINUTE);
    const second = await login(email, PASSWORD);
    expect(second).toMatchObject({ previousLoginMs: first.createdMs, previousLoginIp: '192.0.2.7' });
    expect(await house.get(Authenticator).byToken(first.token)).toMatchObject({
      kind: 'account',
      accountId,
      companyId: null,
      role: 'user',
      tokenId: first.tokenId,
    });
    const stored = await house.sql<{ n: number }>('SELECT count(*) AS n FROM auth_tokens WHERE position($1::bytea in secret_sha256) > 0 OR id = $2', [
      Buffer.from(first.token, 'hex'),
      first.token,
    ]);
    expect(stored[0]!.n).toBe(0);
  });

  it('takes every spelling of the same address, and phone numbers by their digits', async () => {
    const email = freshEmail();
    const actor = await house.account(email);
    await house.sql(
      `INSERT INTO logins (id, account_id, kind, value, value_key, confirmed_at) VALUES (gen_random_uuid(), $1, 'msisdn', '79201234567', '79201234567', now())`,
      [actor.accountId],
    );
    const spellings = [
      { login: `email:${email}` },
      { login: email.toUpperCase() },
      { email: ` ${email}` },
      { login: 'msisdn:+7 920 123-45-67' },
      { phone: '79201234567' },
    ];
    for (const spelling of spellings) {
      const session = await house.get(LoginService).byPassword({ ...spelling, password: PASSWORD, permanent: false }, CLIENT);
      expect(session.accountId).toBe(actor.accountId);
    }
  });

  it('describes permanent tokens by date and program when the client does not, and lets them live on', async () => {
    const email = freshEmail();
    await house.account(email);
    const session = await house.get(LoginService).byPassword({ email, password: PASSWORD, permanent: true, deviceDescription: '' }, CLIENT);
    expect(session).toMatchObject({ expiresMs: null, deviceDescription: expect.stringMatching(/^2026-11-21 \+ desktop-client-test$/) });
    const own = await house
      .get(LoginService)
      .byPassword({ email, password: PASSWORD, permanent: true, deviceDescription: 'Vasya\u0000\n iPhone' }, CLIENT);
    expect(own.deviceDescription).toBe('Vasya iPhone');
    house.clock.advance(365 * 24 * 60 * MINUTE);
    expect((await house.get(Authenticator).byToken(session.token)).accountId).toBe(session.accountId);
  });

  it.each([
    [{ password: PASSWORD }, 'INVALID_ARGUMENT'],
    [{ email: 'a@b', password: '' }, 'INVALID_ARGUMENT'],
    [{ email: 'a@b', password: 'x'.repeat(4_097) }, 'INVALID_ARGUMENT'],
    [{ login: 'no login at all', password: 'x' }, 'INVALID_CREDENTIALS'],
    [{ login: 'email:a\u0000@b', password: 'x' }, 'INVALID_CREDENTIALS'],
    [{ login: "email:'; DROP TABLE accounts; --@b", password: 'x' }, 'INVALID_CREDENTIALS'],
  ])('refuses what proves nothing (case %#)', async (proof, code) => {
    expect(await outcome(house.get(LoginService).byPassword({ ...proof, permanent: false }, CLIENT))).toBe(code);
  });

  it.each([
    ['disabled', 'ACCOUNT_DISABLED'],
    ['pending', 'ACCOUNT_NOT_CONFIRMED'],
    ['deleted', 'INVALID_CREDENTIALS'],
  ])('tells the state %s only to who knows the password', async (state, code) => {
    const email = freshEmail();
    const { accountId } = await house.account(email);
    const session = await login(email, PASSWORD);
    await house.sql('UPDATE accounts SET state = $2 WHERE id = $1', [accountId, state]);
    expect(await outcome(login(email, PASSWORD))).toBe(code);
    expect(await outcome(login(email, 'wrong'))).toBe('INVALID_CREDENTIALS');
    house.clock.advance(1_001);
    expect(await outcome(house.get(Authenticator).byToken(session.token))).toBe('UNAUTHENTICATED');
  });

  it('lets nobody in after the account has expired', async () => {
    const email = freshEmail();
    const { accountId } = await house.account(email);
    const session = await login(email, PASSWORD);
    await house.sql('UPDATE accounts SET expires_at = $2 WHERE id = $1', [accountId, new Date(house.clock.nowMs() + 10 * MINUTE)]);
    expect(await outcome(login(email, PASSWORD))).toBe('ok');
    house.clock.advance(10 * MINUTE);
    expect(await outcome(login(email, PASSWORD))).toBe('ACCOUNT_DISABLED');
    expect(await outcome(house.get(Authenticator).byToken(session.token))).toBe('UNAUTHENTICATED');
  });
});

describe('lockout and limiter', () => {
  it('warns on the ninth failure, locks on the tenth for 30 minutes, and opens again', async () => {
    const email = freshEmail();
    await house.account(email);
    const answers: string[] = [];
    for (let i = 1; i <= 11; i++) answers.push(await outcome(login(email, `wrong ${i}`)));
    expect(answers).toEqual([...Array<string>(8).fill('INVALID_CREDENTIALS'), 'LAST_ATTEMPT', 'LOGIN_LOCKED', 'LOGIN_LOCKED']);
    expect(await outcome(login(email, PASSWORD))).toBe('LOGIN_LOCKED');
    expect(await outcome(login(email, PASSWORD, '198.51.100.9'))).toBe('LOGIN_LOCKED');
    house.clock.advance(30 * MINUTE - 1);
    expect(await outcome(login(email, PASSWORD))).toBe('LOGIN_LOCKED');
    house.clock.advance(1);
    expect(await outcome(login(email, PASSWORD))).toBe('ok');
  });

  it('treats a login that nobody has in the same way', async () => {
    const answers: string[] = [];
    for (let i = 1; i <= 11; i++) answers.push(await outcome(login('nobody-knows-me@example.org', `wrong ${i}`)));
    expect(answers).toEqual([...Array<string>(8).fill('INVALID_CREDENTIALS'), 'LAST_ATTEMPT', 'LOGIN_LOCKED', 'LOGIN_LOCKED']);
  });

  it('counts the same wrong password once within 10 seconds, because clients repeat requests', async () => {
    const email = freshEmail();
    const { accountId } = await house.account(email);
    const slots = async () =>
      (await house.sql('SELECT 1 FROM limiter_slots WHERE bucket = $1', [sha256(`login:${accountId}|${CLIENT.ip}`).toString('hex')])).length;
    for (let i = 0; i < 30; i++) expect(await outcome(login(email, 'stale password'))).toBe('INVALID_CREDENTIALS');
    const failures = async () =>
      (await house.sql<{ failures: number }>('SELECT failures FROM login_guards WHERE login_key = $1', [`email:${email}`]))[0]?.failures;
    expect(await failures()).toBe(1);
    house.clock.advance(10_000);
    await outcome(login(email, 'stale password'));
    expect(await failures()).toBe(2);
    expect(await slots()).toBe(2);
    const [guard] = await house.sql<{ s: Buffer }>('SELECT last_failed_secret AS s FROM login_guards WHERE login_key = $1', [`email:${email}`]);
    expect(guard!.s.length).toBe(32);
    expect(await outcome(login(email, PASSWORD))).toBe('ok');
    expect(await failures()).toBeUndefined();
    expect(await slots()).toBe(0);
  });

  it('starts to count anew after a success, again and again', async () => {
    const email = freshEmail();
    await house.account(email);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 8; i++) expect(await outcome(login(email, `wrong ${round} ${i}`))).toBe('INVALID_CREDENTIALS');
      expect(await outcome(login(email, 'the ninth'))).toBe('LAST_ATTEMPT');
      expect(await outcome(login(email, PASSWORD))).toBe('ok');
    }
  });

  it('never compares more than ten of 200 parallel guesses, whatever process and address they come from', async () => {
    const email = freshEmail();
    await house.account(email);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => outcome(login(email, `guess ${i}`, `198.51.100.${i % 5}`, i % 2 === 0 ? house : other))),
    );
    const tried = answers.filter((answer) => answer === 'INVALID_CREDENTIALS' || answer === 'LAST_ATTEMPT');
    expect(tried.length).toBe(9);
    expect(answers.filter((answer) => answer === 'LOGIN_LOCKED' || answer === 'RATE_LIMITED').length).toBe(191);
    expect(await outcome(login(email, PASSWORD))).toBe('LOGIN_LOCKED');
  });

  it('limits one account and address to ten tries in 15 minutes also where the lockout does not count', async () => {
    const email = freshEmail();
    await house.account(email);
    for (let i = 0; i < 10; i++) {
      await outcome(login(email, `wrong ${i}`, '203.0.113.5'));
      await house.sql('DELETE FROM login_guards WHERE login_key = $1', [`email:${email}`]);
    }
    expect(await outcome(login(email, PASSWORD, '203.0.113.5'))).toBe('RATE_LIMITED');
    expect(await outcome(login(email, PASSWORD, '203.0.113.6'))).toBe('ok');
    house.clock.advance(15 * MINUTE);
    expect(await outcome(login(email, PASSWORD, '203.0.113.5'))).toBe('ok');
  });

  it('lets a crowd of honest clients in, from several processes at once', async () => {
    const email = freshEmail();
    await house.account(email);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => outcome(login(email, PASSWORD, CLIENT.ip, i % 2 === 0 ? house : other))));
    expect(new Set(answers)).toEqual(new Set(['ok']));
  });

  it('does not lock for ever when processes died between taking a place and comparing', async () => {
    const email = freshEmail();
    await house.account(email);
    await house.sql('INSERT INTO login_guards (login_key, failures, last_failed_at) VALUES ($1, 10, $2)', [`email:${email}`, house.clock.now()]);
    house.clock.advance(MINUTE + 1);
    expect(await outcome(login(email, PASSWORD))).toBe('ok');
  });

  it('takes about the same time for a wrong password and for an unknown login', async () => {
    const email = freshEmail();
    await house.account(email);
    const timed = async (address: string) => {
      const startedAt = performance.now();
      await outcome(login(address, `wrong ${Math.random()}`, `10.0.0.${Math.floor(Math.random() * 250)}`));
      return performance.now() - startedAt;
    };
    const known: number[] = [];
    const unknown: number[] = [];
    for (let i = 0; i < 9; i++) {
      known.push(await timed(email));
      unknown.push(await timed(`unknown-${i % 2}-${count}@example.org`));
    }
    const median = (values: number[]) => values.sort((a, b) => a - b)[4]!;
    // Without the decoy an unknown login would be faster by the whole of argon2, about nine tenths.
    expect(median(unknown)).toBeGreaterThan(median(known) * 0.5);
  });
});

describe('tokens', () => {
  it('are listed without their values and end for good', async () => {
    const email = freshEmail();
    await house.account(email);
    const { actor } = await signedIn(email);
    const permanent = await signedIn(email, true);
    const sessions = house.get(SessionService);
    expect((await sessions.list(actor, { includeTemporary: false })).map((token) => token.id)).toEqual([permanent.actor.tokenId]);
    expect((await sessions.list(actor, { includeTemporary: true })).map((token) => token.id)).toEqual([actor.tokenId, permanent.actor.tokenId]);
    await sessions.remove(actor, permanent.actor.tokenId!);
    expect(await outcome(house.get(Authenticator).byToken(permanent.token))).toBe('UNAUTHENTICATED');
    expect(await outcome(sessions.remove(actor, permanent.actor.tokenId!))).toBe('TOKEN_NOT_FOUND');
    const stranger = await house.account(freshEmail());
    expect(await outcome(sessions.remove(stranger, actor.tokenId!))).toBe('TOKEN_NOT_FOUND');
  });

  it('end at once where they are removed and within a second in other processes', async () => {
    const email = freshEmail();
    await house.account(email);
    const { actor, token } = await signedIn(email);
    await other.get(Authenticator).byToken(token);
    await house.get(SessionService).close(actor);
    expect(await outcome(house.get(Authenticator).byToken(token))).toBe('UNAUTHENTICATED');
    house.clock.advance(1_000);
    expect(await outcome(other.get(Authenticator).byToken(token))).toBe('UNAUTHENTICATED');
    expect(await outcome(house.get(SessionService).close(actor))).toBe('INVALID_ARGUMENT');
    expect(await outcome(house.get(SessionService).close({ ...actor, tokenId: null }))).toBe('INVALID_ARGUMENT');
  });

  it('that stand for somebody else end with either of the two', async () => {
    for (const ended of ['owner', 'other'] as const) {
      const email = freshEmail();
      const owner = await house.account(email);
      const somebody = await house.account(freshEmail());
      const { actor, token } = await signedIn(email);
      await house.sql('UPDATE auth_tokens SET effective_account_id = $2 WHERE id = $1', [actor.tokenId, somebody.accountId]);
      house.clock.advance(1_001);
      expect(await house.get(Authenticator).byToken(token)).toMatchObject({ accountId: somebody.accountId, impersonatorId: owner.accountId });
      await house.sql(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [(ended === 'owner' ? owner : somebody).accountId]);
      house.clock.advance(1_001);
      expect(await outcome(house.get(Authenticator).byToken(token))).toBe('UNAUTHENTICATED');
    }
  });

  it('are not served from a lookup that began before they ended', async () => {
    const email = freshEmail();
    await house.account(email);
    const { actor, token } = await signedIn(email);
    house.clock.advance(2_000);
    const slow = house.get(Authenticator).byToken(token);
    await house.get(SessionService).close(actor);
    await outcome(slow);
    expect(await outcome(house.get(Authenticator).byToken(token))).toBe('UNAUTHENTICATED');
  });

  it('end with their time to the millisecond, and are refused when they are no tokens', async () => {
    const email = freshEmail();
    await house.account(email);
    const { token } = await signedIn(email);
    house.clock.advance(31 * 24 * 60 * MINUTE - 1);
    expect(await outcome(house.get(Authenticator).byToken(token.toUpperCase()))).toBe('ok');
    house.clock.advance(1);
    expect(await outcome(house.get(Authenticator).byToken(token))).toBe('UNAUTHENTICATED');
    for (const text of ['', 'x', token.slice(1), `${token}0`, 'g'.repeat(32), "' OR 1=1 --"])
      expect(await outcome(house.get(Authenticator).byToken(text))).toBe('UNAUTHENTICATED');
  });

  it('note activity to the minute, outside of the request', async () => {
    const email = freshEmail();
    const { accountId } = await house.account(email);
    const { token } = await signedIn(email);
    const activity = async () => {
      const rows = await house.sql<{ t: Date; a: Date }>(
        'SELECT t.last_used_at AS t, a.last_activity_at AS a FROM auth_tokens t JOIN accounts a ON a.id = t.account_id WHERE a.id = $1',
        [accountId],
      );
      return rows[0]!;
    };
    const before = await activity();
    house.clock.advance(MINUTE);
    await house.get(Authenticator).byToken(token);
    await expect.poll(async () => (await activity()).t.getTime(), { timeout: 5_000 }).toBe(before.t.getTime() + MINUTE);
    expect((await activity()).a.getTime()).toBe(before.a.getTime() + MINUTE);
  });
});

describe('HTTP Basic', () => {
  const basic = (userPass: string, at = house) => at.get(Authenticator).byBasic(userPass, { kind: 'other', address: CLIENT.ip });

  it('takes prefixed and bare logins, and passwords with colons', async () => {
    const email = freshEmail();
    const actor = await house.account(email);
    for (const user of [email, `email:${email}`]) expect(await basic(`${user}:${PASSWORD}`)).toMatchObject(actor);
    await house.get(ProfileService).change(actor, { password: 'a:b:c:' });
    for (const user of [email, `email:${email}`]) expect(await basic(`${user}:a:b:c:`)).toMatchObject(actor);
    expect(await outcome(basic(`${email}:${PASSWORD}`))).toBe('INVALID_CREDENTIALS');
    for (const text of ['', 'no colon']) expect(await outcome(basic(text))).toBe('UNAUTHENTICATED');
    for (const text of [':', 'email:x', ':password', `email:${email}`]) expect(await outcome(basic(text))).toBe('INVALID_CREDENTIALS');
  });

  it('does not hash the password again for each request', async () => {
    const email = freshEmail();
    await house.account(email);
    await basic(`${email}:${PASSWORD}`);
    const before = process.cpuUsage();
    for (let i = 0; i < 200; i++) {
      house.clock.advance(1_000);
      await basic(`${email}:${PASSWORD}`);
    }
    const { user, system } = process.cpuUsage(before);
    // 200 hashes take more than three seconds of CPU, which other programs on the machine cannot use up
    expect((user + system) / 1_000).toBeLessThan(2_000);
  });

  it('ends with a changed password at once, and within a second in other processes', async () => {
    const email = freshEmail();
    const actor = await house.account(email);
    await basic(`${email}:${PASSWORD}`);
    await basic(`${email}:${PASSWORD}`, other);
    await house.get(ProfileService).change(actor, { password: 'another one' });
    expect(await outcome(basic(`${email}:${PASSWORD}`))).toBe('INVALID_CREDENTIALS');
    house.clock.advance(1_000);
    expect(await outcome(basic(`${email}:${PASSWORD}`, other))).toBe('INVALID_CREDENTIALS');
    expect(await basic(`${email}:another one`, other)).toMatchObject(actor);
  });

  it('ends when the account is disabled', async () => {
    const email = freshEmail();
    const actor = await house.account(email);
    await basic(`${email}:${PASSWORD}`);
    await house.sql(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [actor.accountId]);
    house.clock.advance(1_000);
    expect(await outcome(basic(`${email}:${PASSWORD}`))).toBe('ACCOUNT_DISABLED');
  });

  it('has a pair of its own for programs, one for each account, that no token can be made from', async () => {
    const email = freshEmail();
    const actor = await house.account(email);
    const logins = house.get(AccountLoginsService);
    expect(await outcome(logins.pairLogin(actor))).toBe('LOGIN_NOT_FOUND');
    const first = await logins.createPair(actor, {});
    expect(first.login).toMatch(/^.{8}$/);
    const byPair = { ...actor, byPair: true };
    expect(await basic(`${first.login}:${first.password}`)).toMatchObject(byPair);
    const name = `dav${count}`;
    const second = await logins.createPair(actor, { login: name, password: 'seven 7' });
    expect(second).toEqual({ login: name, password: 'seven 7' });
    expect(await outcome(basic(`${first.login}:${first.password}`))).toBe('INVALID_CREDENTIALS');
    expect(await basic(`${name.toUpperCase()}:seven 7`)).toMatchObject(byPair);
    expect(await logins.pairLogin(actor)).toBe(name);
    expect(await outcome(house.get(LoginService).byBasic(`${name}:seven 7`, CLIENT))).toBe('FORBIDDEN');
    expect((await house.get(LoginService).byBasic(`${email}:${PASSWORD}`, CLIENT)).accountId).toBe(actor.accountId);
    const stranger = await house.account(freshEmail());
    expect(await outcome(logins.createPair(stranger, { login: name.toUpperCase(), password: 'x' }))).toBe('LOGIN_TAKEN');
    for (const bad of ['a:b', 'a@b', 'email', 'x'.repeat(257), 'a\u0007b', '79201234567', '+7 (920)'])
      expect(await outcome(logins.createPair(stranger, { login: bad }))).toBe('INVALID_ARGUMENT');
    await logins.remove(actor, `basic:${name}`);
    expect(await outcome(basic(`${name}:seven 7`))).toBe('INVALID_CREDENTIALS');
  });
});
