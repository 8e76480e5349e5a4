import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  AccountAccess,
  AccountStates,
  Authenticator,
  emailLogin,
  formatLogin,
  Impersonation,
  LoginService,
  RoleService,
  SessionService,
  UserSearch,
} from '#libs/accounts';
import { AccountDeletion } from '#libs/erasing';
import type { AccountActor } from '#libs/kernel';

import { AccountsHouse, CLIENT, MINUTE, outcome, PASSWORD } from '../support/accounts-house.js';
import { countStatements } from '../support/statement-count.js';

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

const login = (email: string, password = PASSWORD, on = house, ip = CLIENT.ip) =>
  on.get(LoginService).byPassword({ login: `email:${email}`, password, permanent: false }, { ...CLIENT, ip });

async function person(options: { role?: string; companyId?: number; isCompanyAdmin?: boolean } = {}): Promise<AccountActor & { email: string }> {
  const email = `p${++count}@example.org`;
  const { role = 'user', ...place } = options;
  const actor = await house.account(email, place);
  if (role !== 'user') await house.sql('UPDATE accounts SET role = $2 WHERE id = $1', [actor.accountId, role]);
  return { ...actor, role: role as AccountActor['role'], email };
}

/** The only administrators that there are from now on. */
async function admins(number: number): Promise<(AccountActor & { email: string })[]> {
  await house.sql(`UPDATE accounts SET role = 'user' WHERE role = 'admin'`);
  return Promise.all(Array.from({ length: number }, () => person({ role: 'admin' })));
}

const markDeleted = (actor: AccountActor, accountId: number, on = house) =>
  on.get(AccountDeletion).delete(actor, { accountId, immediately: false, heir: null });

async function company(name: string): Promise<number> {
  const [row] = await house.sql<{ id: number }>(`INSERT INTO companies (name) VALUES ($1) RETURNING id`, [name]);
  return row!.id;
}

describe('administrators of the system', () => {
  it('never vanish, whatever two of them do to each other at once', async () => {
    for (let round = 0; round < 5; round++) {
      const [a, b] = await admins(2);
      const deeds = [
        () => house.get(RoleService).assign(a!, b!.accountId, 'user'),
        () => other.get(RoleService).assign(b!, a!.accountId, 'user'),
        () => house.get(AccountStates).disable(a!, b!.accountId, ''),
        () => other.get(AccountStates).disable(b!, a!.accountId, ''),
        () => markDeleted(b!, a!.accountId, other),
        () => house.get(RoleService).assign(a!, a!.accountId, 'user'),
        () => other.get(AccountStates).disable(b!, b!.accountId, ''),
      ];
      await Promise.all(deeds.map((deed) => outcome(deed())));
      expect(await house.sql(`SELECT count(*) AS left FROM accounts WHERE role = 'admin' AND state = 'active'`)).toEqual([{ left: 1 }]);
    }
  });

  it('can not lose the role, nor the account, when he is the last one; one whose account has ended does not count', async () => {
    const [last, ended] = await admins(2);
    await house.sql(`UPDATE accounts SET expires_at = $2 WHERE id = $1`, [ended!.accountId, new Date(house.clock.nowMs() - MINUTE)]);
    expect(await outcome(house.get(RoleService).assign(last!, last!.accountId, 'moderator'))).toBe('FORBIDDEN');
    expect(await outcome(house.get(AccountStates).disable(last!, last!.accountId, ''))).toBe('FORBIDDEN');
    expect(await outcome(markDeleted(last!, last!.accountId))).toBe('FORBIDDEN');
    expect(await outcome(house.get(RoleService).assign(last!, last!.accountId, 'admin'))).toBe('ok');
  });
});

describe('states of an account', () => {
  it('come back as they were', async () => {
    const [admin] = await admins(1);
    const states = house.get(AccountStates);
    const user = await person();
    const state = async () => (await house.sql<{ state: string }>('SELECT state FROM accounts WHERE id = $1', [user.accountId]))[0]!.state;
    for (const before of ['pending', 'active', 'disabled']) {
      await house.sql('UPDATE accounts SET state = $2, confirmed_at = CASE WHEN $2 = $3 THEN NULL ELSE now() END WHERE id = $1', [
        user.accountId,
        before,
        'pending',
      ]);
      await markDeleted(admin!, user.accountId);
      expect(await outcome(states.enable(admin!, user.accountId))).toBe('ACCOUNT_NOT_FOUND');
      expect(await outcome(markDeleted(admin!, user.accountId))).toBe('ACCOUNT_NOT_FOUND');
      await states.restore(admin!, user.accountId);
      expect(await state()).toBe(before);
      await states.disable(admin!, user.accountId, 'late');
      expect(await state()).toBe('disabled');
    }
    await house.sql('UPDATE accounts SET confirmed_at = NULL WHERE id = $1', [user.accountId]);
    await states.enable(admin!, user.accountId);
    expect(await state()).toBe('pending');
    expect(await outcome(states.restore(admin!, user.accountId))).toBe('ACCOUNT_NOT_FOUND');
    await markDeleted(admin!, user.accountId);
    await house.sql('UPDATE accounts SET erase_started_at = now() WHERE id = $1', [user.accountId]);
    expect(await outcome(states.restore(admin!, user.accountId))).toBe('ACCOUNT_NOT_FOUND');
  });

  it('end every token at once, also those that are made in that moment', async () => {
    const [admin] = await admins(1);
    const user = await person();
    const authenticator = house.get(Authenticator);
    const { token } = await login(user.email);
    expect((await authenticator.byToken(token)).accountId).toBe(user.accountId);
    const racing = Promise.all(
      Array.from({ length: 8 }, () =>
        login(user.email).then(
          (session) => session.token,
          () => null,
        ),
      ),
    );
    await house.get(AccountStates).disable(admin!, user.accountId, 'gone');
    expect(await outcome(authenticator.byToken(token))).toBe('UNAUTHENTICATED');
    expect((await racing).filter((made) => made !== null).length).toBeLessThanOrEqual(8);
    expect(await house.sql('SELECT 1 FROM auth_tokens WHERE account_id = $1', [user.accountId])).toEqual([]);
    expect(await outcome(login(user.email))).toBe('ACCOUNT_DISABLED');
    await house.get(AccountStates).enable(admin!, user.accountId);
    expect(await outcome(login(user.email))).toBe('ok');
  });
});

describe('acting as somebody else', () => {
  it('goes by the own token, is written down, and ends with the own id', async () => {
    const [admin] = await admins(1);
    const user = await person();
    const session = await login(admin!.email);
    const authenticator = house.get(Authenticator);
    const impersonation = house.get(Impersonation);
    const self = await authenticator.byToken(session.token);
    await impersonation.actAs(self, user.accountId);
    const acting = await authenticator.byToken(session.token);
    expect(acting).toMatchObject({ accountId: user.accountId, role: 'user', impersonatorId: admin!.accountId });
    expect(await outcome(house.get(RoleService).assign(acting, user.accountId, 'admin'))).toBe('FORBIDDEN');
    const third = await person();
    await impersonation.actAs(acting, third.accountId);
    expect((await authenticator.byToken(session.token)).accountId).toBe(third.accountId);
    await impersonation.actAs(await authenticator.byToken(session.token), admin!.accountId);
    expect(await authenticator.byToken(session.token)).toEqual(self);
    const notes = await house.sql(
      `SELECT account_id AS "accountId", ended_at IS NOT NULL AS ended FROM impersonations WHERE admin_id = $1 ORDER BY account_id`,
      [admin!.accountId],
    );
    expect(notes).toEqual([
      { accountId: user.accountId, ended: true },
      { accountId: third.accountId, ended: true },
    ]);
  });

  it('is refused for other administrators, who is switched off, strange tokens, and everybody else', async () => {
    const [admin, second] = await admins(2);
    const [user, off, waiting] = [await person(), await person(), await person()];
    await house.get(AccountStates).disable(admin!, off.accountId, '');
    await house.sql(`UPDATE accounts SET state = 'pending' WHERE id = $1`, [waiting.accountId]);
    const impersonation = house.get(Impersonation);
    const authenticator = house.get(Authenticator);
    const mine = await authenticator.byToken((await login(admin!.email)).token);
    const { token: strange } = await login(second!.email);
    expect(await outcome(impersonation.actAs(mine, second!.accountId))).toBe('FORBIDDEN');
    expect(await outcome(impersonation.actAs(mine, off.accountId))).toBe('ACCOUNT_DISABLED');
    expect(await outcome(impersonation.actAs(mine, waiting.accountId))).toBe('ACCOUNT_NOT_CONFIRMED');
    expect(await outcome(impersonation.actAs(mine, 999_999))).toBe('ACCOUNT_NOT_FOUND');
    expect(await outcome(impersonation.actAs(mine, user.accountId, strange))).toBe('TOKEN_NOT_FOUND');
    expect(await outcome(impersonation.actAs(mine, user.accountId, 'no token'))).toBe('TOKEN_NOT_FOUND');
    expect(await outcome(impersonation.actAs({ ...mine, tokenId: null }, user.accountId))).toBe('INVALID_ARGUMENT');
    const plain = await authenticator.byToken((await login(user.email)).token);
    expect(await outcome(impersonation.actAs(plain, plain.accountId))).toBe('FORBIDDEN');
  });

  it('ends with the role, on both sides', async () => {
    const [admin, second] = await admins(2);
    const user = await person();
    const authenticator = house.get(Authenticator);
    const acting = async () => {
      const { token } = await login(second!.email);
      await house.get(Impersonation).actAs(await authenticator.byToken(token), user.accountId);
      expect((await authenticator.byToken(token)).accountId).toBe(user.accountId);
      return token;
    };
    const first = await acting();
    await house.get(RoleService).assign(admin!, user.accountId, 'admin');
    expect(await outcome(authenticator.byToken(first))).toBe('UNAUTHENTICATED');
    await house.get(RoleService).assign(admin!, user.accountId, 'user');
    const next = await acting();
    await house.get(RoleService).assign(admin!, second!.accountId, 'user');
    expect(await outcome(authenticator.byToken(next))).toBe('UNAUTHENTICATED');
  });
});

describe('ways into an account', () => {
  it('opens a locked login at once, also from the address that was refused', async () => {
    const [admin] = await admins(1);
    const user = await person();
    for (let i = 0; i < 10; i++) await outcome(login(user.email, `wrong ${i}`));
    expect(await outcome(login(user.email))).toBe('LOGIN_LOCKED');
    expect(await house.get(AccountAccess).blockedLogins(admin!)).toContainEqual({
      login: `email:${user.email}`,
      accountId: user.accountId,
      attempts: 10,
      untilMs: house.clock.nowMs() + 30 * MINUTE,
    });
    await house.get(AccountAccess).unlock(admin!, { login: user.email });
    expect((await house.get(AccountAccess).blockedLogins(admin!)).map((blocked) => blocked.accountId)).not.toContain(user.accountId);
    expect(await outcome(login(user.email))).toBe('ok');
    expect(await outcome(house.get(AccountAccess).unlock(admin!, { login: 'nobody@example.org' }))).toBe('ACCOUNT_NOT_FOUND');
    expect(await outcome(house.get(AccountAccess).unlock(admin!, {}))).toBe('INVALID_ARGUMENT');
    expect(await outcome(house.get(AccountAccess).unlock(user, { userId: user.accountId }))).toBe('FORBIDDEN');
  });

  it('shows a locked login of nobody', async () => {
    const [admin] = await admins(1);
    for (let i = 0; i < 10; i++) await outcome(login('ghost@example.org', `wrong ${i}`));
    const blocked = await house.get(AccountAccess).blockedLogins(admin!);
    const key = formatLogin({ kind: 'email', value: emailLogin('ghost@example.org').valueKey });
    expect(blocked).toContainEqual(expect.objectContaining({ login: key, accountId: null }));
  });

  it('sets a password: what the old one let in ends, a made-up one is mailed and must be changed', async () => {
    const [admin] = await admins(1);
    const user = await person();
    const { token } = await login(user.email);
    await house.get(Authenticator).byToken(token);
    await house.get(AccountAccess).setPassword(admin!, user.accountId, 'another password');
    expect(await outcome(house.get(Authenticator).byToken(token))).toBe('UNAUTHENTICATED');
    expect(await outcome(login(user.email))).toBe('INVALID_CREDENTIALS');
    expect((await login(user.email, 'another password')).needPasswordChange).toBe(true);
    await house.get(AccountAccess).setPassword(admin!, user.accountId);
    const mail = (await house.mails()).at(-1)!;
    expect(mail.to).toBe(user.email);
    expect((await login(user.email, mail.text.split('\n')[2])).needPasswordChange).toBe(true);
    await house.sql('DELETE FROM logins WHERE account_id = $1', [user.accountId]);
    expect(await outcome(house.get(AccountAccess).setPassword(admin!, user.accountId))).toBe('INVALID_ARGUMENT');
    expect(await outcome(house.get(AccountAccess).setPassword(admin!, user.accountId, 'x'.repeat(257)))).toBe('INVALID_ARGUMENT');
  });

  it('lets administrators of a company set passwords of their members, but not of those above them', async () => {
    await admins(1);
    const [here, there] = [await company('here'), await company('there')];
    const boss = await person({ companyId: here, isCompanyAdmin: true });
    const [member, owner, high, stranger] = [
      await person({ companyId: here }),
      await person({ companyId: here }),
      await person({ companyId: here, role: 'admin' }),
      await person({ companyId: there }),
    ];
    await house.sql('UPDATE companies SET owner_id = $2 WHERE id = $1', [here, owner.accountId]);
    const set = (actor: AccountActor, whom: AccountActor) => outcome(house.get(AccountAccess).setPassword(actor, whom.accountId, 'new password'));
    expect(await set(boss, member)).toBe('ok');
    expect(await set(boss, boss)).toBe('ok');
    expect(await set(boss, owner)).toBe('FORBIDDEN');
    expect(await set(boss, high)).toBe('FORBIDDEN');
    expect(await set(boss, stranger)).toBe('ACCOUNT_NOT_FOUND');
    expect(await set(member, boss)).toBe('FORBIDDEN');
    expect(await set({ ...boss, byPair: true }, member)).toBe('FORBIDDEN');
  });

  it('makes no key for another administrator', async () => {
    const [admin, second] = await admins(2);
    const user = await person();
    const key = await house.get(AccountAccess).generateKey(admin!, user.accountId);
    expect((await house.get(LoginService).byKey(key, { permanent: false }, CLIENT)).accountId).toBe(user.accountId);
    expect(await outcome(house.get(AccountAccess).generateKey(admin!, second!.accountId))).toBe('FORBIDDEN');
    expect(await outcome(house.get(AccountAccess).generateKey(user, user.accountId))).toBe('FORBIDDEN');
  });
});

describe('finding people', () => {
  it('needs the same number of statements for few and many', async () => {
    const [admin] = await admins(1);
    const find = (limit: number) => house.get(UserSearch).find(admin!, { filter: {}, orderBy: 'stored', descending: true, offset: 0, limit });
    await find(1);
    const few = await countStatements(() => find(1));
    await Promise.all(Array.from({ length: 10 }, () => person()));
    const many = await countStatements(() => find(0));
    expect(many).toBe(few);
    expect(many).toBeLessThanOrEqual(5);
  });

  it('keeps the sessions of who is only looked at', async () => {
    const [admin] = await admins(1);
    const user = await person();
    const { tokenId } = await login(user.email);
    await house.get(UserSearch).find(admin!, { filter: { userId: user.accountId }, orderBy: 'userId', descending: false, offset: 0, limit: 1 });
    expect((await house.get(SessionService).list(user, { includeTemporary: true })).map((token) => token.id)).toEqual([tokenId]);
  });
});
