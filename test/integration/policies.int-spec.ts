import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Policies } from '#libs/access';
import { AccountAccess, Authenticator, LoginService, ProfileService, RecoveryService, SessionService } from '#libs/accounts';
import { CompanyService, CompanyStates, MemberDoor, MemberRules, SignUpService } from '#libs/companies';
import { GroupMembers, GroupService } from '#libs/groups';
import { type AccountActor, type Client, DomainError, type Policy } from '#libs/kernel';

import { AccountsHouse, CLIENT, MINUTE, outcome, PASSWORD, secretIn } from '../support/accounts-house.js';
import { countStatements } from '../support/statement-count.js';

const BROWSER: Client = { kind: 'other', address: '192.0.2.1' };
const PHONE: Client = { kind: 'mobile', address: '192.0.2.1' };
const PROGRAM: Client = { kind: 'desktop', address: '192.0.2.1' };
const DAY = 24 * 60 * MINUTE;
const FLAGS = ['canPrint', 'canDownload', 'canUpload', 'pcCanDownload', 'useWatermarks', 'mobileRestriction', 'ipRestriction'] as const;

let house: AccountsHouse;
let companyId: number;
let admin: AccountActor;
let system: AccountActor;
let nth = 0;

/** The rule that a refusal names, or its code. */
async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'ok',
    (error: unknown) => (error instanceof DomainError ? (error.details['reason'] ?? error.code) : error),
  );
}

const member = (): Promise<AccountActor> => house.account(`member-${++nth}@example.com`, { companyId });
const signedIn = async (person: AccountActor, permanent = false): Promise<string> =>
  (await house.get(SessionService).open(person.accountId, { permanent }, CLIENT)).token;
const settings = (change: Parameters<CompanyService['change']>[2]): Promise<unknown> => house.get(CompanyService).change(admin, companyId, change);

beforeAll(async () => {
  house = await AccountsHouse.open();
  companyId = (await house.sql<{ id: number }>(`INSERT INTO companies (name) VALUES ('Acme') RETURNING id`))[0]!.id;
  admin = await house.account('admin@example.com', { companyId, isCompanyAdmin: true });
  system = await house.account('system@example.com');
  await house.sql(`UPDATE accounts SET role = 'admin' WHERE id = $1`, [system.accountId]);
});
afterAll(() => house?.close());

describe('what is allowed to an account', () => {
  it('is the strictest of its own rules and those of all its groups', async () => {
    const groups = await Promise.all(['a', 'b', 'c'].map(async (name) => (await house.get(GroupService).create(admin, { name: `fold ${name}` })).id));
    const person = await member();
    for (const id of groups.slice(0, 2)) await house.get(GroupMembers).add(admin, id, [person.accountId]);
    // the third group is that of others
    await house.get(GroupService).setPolicies(admin, groups[2]!, { canPrint: false, canDownload: false, useWatermarks: true });
    let state = 7;
    const toss = (): boolean => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % 3 === 0;
    for (let round = 0; round < 40; round++) {
      const rules = [0, 1, 2].map((index) => ({
        ...(Object.fromEntries(FLAGS.map((flag) => [flag, toss() === flag.startsWith('can')])) as Record<(typeof FLAGS)[number], boolean>),
        allowedIps: `10.${index}.0.0/16`,
      }));
      await house.get(MemberRules).setPolicies(admin, { accountId: person.accountId }, rules[0]!);
      for (const [index, id] of groups.slice(0, 2).entries()) await house.get(GroupService).setPolicies(admin, id, rules[index + 1]!);
      const all = (flag: (typeof FLAGS)[number]): boolean => rules.every((rule) => rule[flag]);
      const any = (flag: (typeof FLAGS)[number]): boolean => rules.some((rule) => rule[flag]);
      const { company, ...folded } = await house.get(Policies).of(person);
      expect(folded).toEqual({
        canPrint: all('canPrint'),
        canDownload: all('canDownload'),
        canUpload: all('canUpload'),
        pcCanDownload: all('pcCanDownload'),
        useWatermarks: any('useWatermarks'),
        mobileRestriction: any('mobileRestriction'),
        addressLists: rules.filter((rule) => rule.ipRestriction).map((rule) => rule.allowedIps),
      } satisfies Omit<Policy, 'company'>);
      expect(company).toMatchObject({ expired: false, makeFolders: true });
    }
  });

  it('is read with the credential, in the same statement, and once a second', async () => {
    const person = await member();
    const token = await signedIn(person);
    await house.get(MemberRules).setPolicies(admin, { accountId: person.accountId }, { canDownload: false });
    const here = house.get(Authenticator);
    expect(await countStatements(() => here.byToken(token, BROWSER))).toBe(1);
    expect(await countStatements(async () => house.get(Policies).require(await here.byToken(token, BROWSER), 'upload'))).toBe(0);
    expect(await reasonOf(house.get(Policies).require(await here.byToken(token, BROWSER), 'download'))).toBe('can_download');
  });

  it('is new at once here and within a second in other processes, whoever changes it', async () => {
    const person = await member();
    const token = await signedIn(person);
    const other = await house.another();
    try {
      const [here, there] = [house.get(Authenticator), other.get(Authenticator)];
      const group = (await house.get(GroupService).create(admin, { name: 'fresh' })).id;
      const changes: readonly [() => Promise<unknown>, () => Promise<unknown>][] = [
        [
          () => house.get(MemberRules).setPolicies(admin, { accountId: person.accountId }, { mobileRestriction: true }),
          () => house.get(MemberRules).setPolicies(admin, { accountId: person.accountId }, { mobileRestriction: false }),
        ],
        [() => settings({ canUseMobile: false }), () => settings({ canUseMobile: true })],
        [
          async () => {
            await house.get(GroupService).setPolicies(admin, group, { mobileRestriction: true });
            await house.get(GroupMembers).add(admin, group, [person.accountId]);
          },
          () => house.get(GroupMembers).remove(admin, group, [person.accountId]),
        ],
        [
          async () => {
            await house.get(GroupMembers).add(admin, group, [person.accountId]);
            await house.get(GroupService).setPolicies(admin, group, { mobileRestriction: true });
          },
          () => house.get(GroupService).remove(admin, { name: 'fresh' }),
        ],
      ];
      for (const [close, open] of changes) {
        expect(await outcome(here.byToken(token, PHONE))).toBe('ok');
        expect(await outcome(there.byToken(token, PHONE))).toBe('ok');
        await close();
        expect(await outcome(here.byToken(token, PHONE))).toBe('FORBIDDEN');
        house.clock.advance(1_000);
        expect(await outcome(there.byToken(token, PHONE))).toBe('FORBIDDEN');
        expect(await outcome(there.byToken(token, BROWSER))).toBe('ok');
        await open();
        house.clock.advance(1_000);
      }
      expect(await outcome(there.byToken(token, PHONE))).toBe('ok');
    } finally {
      await other.close();
    }
  });
});

describe('the way in', () => {
  it('is closed to addresses that are not allowed, for every credential', async () => {
    const person = await member();
    const { token, tokenId } = await house.get(SessionService).open(person.accountId, { permanent: false }, CLIENT);
    await house
      .get(MemberRules)
      .setPolicies(admin, { accountId: person.accountId }, { ipRestriction: true, allowedIps: '198.51.100.0/24 192.0.2.9' });
    const ways = house.get(Authenticator);
    const email = `email:member-${nth}@example.com`;
    const from = (address: string) =>
      Promise.all([
        reasonOf(ways.byToken(token, { kind: 'other', address })),
        reasonOf(ways.byUrl(person.accountId, tokenId, { kind: 'other', address })),
        reasonOf(ways.byUrl(person.accountId, null, { kind: 'other', address })),
        reasonOf(ways.byBasic(`${email}:${PASSWORD}`, { kind: 'other', address })),
        reasonOf(house.get(LoginService).byPassword({ login: email, password: PASSWORD, permanent: false }, { ip: address, userAgent: '' })),
      ]);
    expect(await from('192.0.2.1')).toEqual(Array(5).fill('ip_restriction'));
    expect(await from('192.0.2.9')).toEqual(Array(5).fill('ok'));
    expect(await from('::ffff:198.51.100.7')).toEqual(Array(5).fill('ok'));
    // who does not say from where comes from nowhere
    expect(await reasonOf(ways.byToken(token))).toBe('ip_restriction');
    const holder = { tokenId, accountId: person.accountId };
    expect(await ways.stillIn([{ ...holder, client: BROWSER }])).toEqual(new Set());
    expect(await ways.stillIn([{ ...holder, client: { kind: 'other', address: '192.0.2.9' } }])).toEqual(new Set([tokenId]));
    await house.get(MemberRules).setPolicies(admin, { accountId: person.accountId }, { allowedIps: '' });
    expect(await from('192.0.2.9')).toEqual(Array(5).fill('ip_restriction'));
  });

  it('follows the company for phones, programs and hours, and lets administrators of the system in', async () => {
    const token = await signedIn(await member());
    const systemToken = await signedIn(system);
    const ways = house.get(Authenticator);
    const from = async (client: Client) => reasonOf(ways.byToken(token, client));
    await house.sql('UPDATE accounts SET company_id = $2 WHERE id = $1', [system.accountId, companyId]);
    await settings({ canUseMobile: false, canUsePcClient: false });
    expect([await from(PHONE), await from(PROGRAM), await from(BROWSER)]).toEqual(['can_use_mobile', 'can_use_pc_client', 'ok']);
    expect(await outcome(ways.byToken(systemToken, PHONE))).toBe('ok');
    // the clock of the house stands near noon, UTC
    await settings({ canUseMobile: true, canUsePcClient: true, restrictMobileUsing: true, mobileUsingStartAt: '06:00', mobileUsingEndAt: '09:00' });
    expect([await from(PHONE), await from(PROGRAM), await from(BROWSER)]).toEqual(['mobile_hours', 'ok', 'ok']);
    await settings({ mobileUsingEndAt: '18:00' });
    expect(await from(PHONE)).toBe('ok');
    await settings({ restrictMobileUsing: false, mobileUsingStartAt: '', mobileUsingEndAt: '' });
    await house.sql('UPDATE accounts SET company_id = NULL WHERE id = $1', [system.accountId]);
  });

  it('ends for temporary tokens that nobody used for as long as the company says', async () => {
    const person = await member();
    const [temporary, permanent] = [await signedIn(person), await signedIn(person, true)];
    await settings({ logoutTimeoutEnable: true, logoutTimeout: 30 });
    const ways = house.get(Authenticator);
    house.clock.advance(29 * MINUTE);
    expect(await outcome(ways.byToken(temporary, BROWSER))).toBe('ok');
    // connections that outlive their request end with them: what comes to them is no use of the token
    const { tokenId } = await ways.byToken(temporary, BROWSER);
    const { tokenId: lasting } = await ways.byToken(permanent, BROWSER);
    const open = () => ways.stillIn([tokenId, lasting].map((id) => ({ tokenId: id!, accountId: person.accountId, client: BROWSER })));
    const unusedFor = (minutes: number) =>
      house.sql('UPDATE auth_tokens SET last_used_at = $1', [new Date(house.clock.nowMs() - minutes * MINUTE + 1_000)]);
    await unusedFor(31);
    expect(await open()).toEqual(new Set([tokenId, lasting]));
    house.get(Authenticator).forgetAll();
    house.clock.advance(32 * MINUTE);
    await unusedFor(32);
    expect(await outcome(ways.byToken(temporary, BROWSER))).toBe('UNAUTHENTICATED');
    expect(await outcome(ways.byToken(permanent, BROWSER))).toBe('ok');
    expect(await open()).toEqual(new Set([lasting]));
    await settings({ logoutTimeoutEnable: false });
    expect(await open()).toEqual(new Set([tokenId, lasting]));
  });
});

describe('passwords of a company', () => {
  it('end after the time that it allows, until another one is set', async () => {
    const person = await member();
    const email = `member-${nth}@example.com`;
    const login = (password = PASSWORD) => house.get(LoginService).byPassword({ login: `email:${email}`, password, permanent: false }, CLIENT);
    const basic = () => house.get(Authenticator).byBasic(`${email}:${PASSWORD}`, BROWSER);
    await house.sql('UPDATE accounts SET password_changed_at = $2 WHERE id = $1', [person.accountId, house.clock.now()]);
    await settings({ passwordLifetime: 30 });
    expect(await reasonOf(login())).toBe('ok');
    expect(await reasonOf(basic())).toBe('ok');
    house.clock.advance(30 * DAY);
    expect(await reasonOf(login())).toBe('password_lifetime');
    expect(await reasonOf(basic())).toBe('password_lifetime');
    expect(await outcome(login('wrong'))).toBe('INVALID_CREDENTIALS');
    await house.get(RecoveryService).recover(`email:${email}`);
    const key = secretIn((await house.mails()).at(-1)!.text);
    const session = await house.get(LoginService).byKey(key, { permanent: false }, CLIENT);
    await house.get(ProfileService).change(await house.get(Authenticator).byToken(session.token, BROWSER), { password: 'another one' });
    expect(await reasonOf(login('another one'))).toBe('ok');
    await settings({ passwordLifetime: 0 });
  });

  it('do not come back where it does not allow that', async () => {
    const person = await member();
    const change = (password: string) => reasonOf(house.get(ProfileService).change(person, { password }));
    expect(await change('second word')).toBe('ok');
    expect(await change(PASSWORD)).toBe('ok');
    await settings({ passwordReuseAllow: false });
    expect(await change('third word')).toBe('ok');
    expect(await change(PASSWORD)).toBe('password_reuse_allow');
    for (const word of ['fourth word', 'fifth word', 'sixth word', 'seventh word', 'eighth word']) expect(await change(word)).toBe('ok');
    expect(await change('fourth word')).toBe('password_reuse_allow');
    // six back
    expect(await change(PASSWORD)).toBe('ok');
    const kept = await house.sql('SELECT 1 FROM former_passwords WHERE account_id = $1', [person.accountId]);
    expect(kept).toHaveLength(5);
    await settings({ passwordReuseAllow: true });
    expect(await change('eighth word')).toBe('ok');
  });

  it('nor when an administrator sets one, or an invitation is taken', async () => {
    const person = await member();
    const set = (password?: string) => reasonOf(house.get(AccountAccess).setPassword(admin, person.accountId, password));
    await settings({ passwordReuseAllow: false });
    expect(await set(PASSWORD)).toBe('password_reuse_allow');
    expect(await set('second word')).toBe('ok');
    expect(await set(PASSWORD)).toBe('password_reuse_allow');
    // made up and mailed
    expect(await set()).toBe('ok');
    const email = `member-${++nth}@example.com`;
    await house.get(MemberDoor).invite(admin, companyId, { email, lang: 'en' });
    const hash = secretIn((await house.mails()).at(-1)!.text);
    const [invited] = await house.sql<{ id: number }>('SELECT account_id AS id FROM logins WHERE value_key = $1', [email]);
    expect(await reasonOf(house.get(AccountAccess).setPassword(admin, invited!.id, 'given word'))).toBe('ok');
    const come = (password: string) => reasonOf(house.get(SignUpService).signUp(null, { email, password, name: 'N', inviteHash: hash }, CLIENT));
    expect(await come('given word')).toBe('password_reuse_allow');
    expect(await come('own word')).toBe('ok');
    await settings({ passwordReuseAllow: true });
    expect(await set('second word')).toBe('ok');
  });
});

describe('a company whose time is over', () => {
  it('lets its people in, and takes no more files from them', async () => {
    const person = await member();
    const token = await signedIn(person);
    await house.get(CompanyStates).setExpired(system, companyId, true);
    const actor = await house.get(Authenticator).byToken(token, BROWSER);
    expect(await reasonOf(house.get(Policies).require(actor, 'upload'))).toBe('company_expired');
    expect(await reasonOf(house.get(Policies).require(actor, 'download'))).toBe('ok');
    await house.get(CompanyStates).setExpired(system, companyId, false);
    expect(await reasonOf(house.get(Policies).require(await house.get(Authenticator).byToken(token, BROWSER), 'upload'))).toBe('ok');
  });
});

describe('the last administrator of the system', () => {
  it('stays, also when he is a member of a company and two take each other out at once', async () => {
    const [first, second] = [await member(), await member()];
    await house.sql(`UPDATE accounts SET role = 'admin' WHERE id = ANY($1)`, [[first.accountId, second.accountId]]);
    const others = await house.sql<{ id: number }>(
      `UPDATE accounts SET state = 'disabled' WHERE role = 'admin' AND state = 'active' AND id <> ALL($1) RETURNING id`,
      [[first.accountId, second.accountId]],
    );
    const out = (from: AccountActor, of: AccountActor) =>
      house.get(MemberDoor).disable({ ...from, role: 'admin' }, companyId, [of.accountId], { reason: '', wipe: false });
    await Promise.allSettled([out(first, second), out(second, first)]);
    const left = await house.sql(`SELECT id FROM accounts WHERE role = 'admin' AND state = 'active'`);
    expect(left).toHaveLength(1);
    await house.sql(`UPDATE accounts SET role = 'user' WHERE id = ANY($1)`, [[first.accountId, second.accountId]]);
    await house.sql(`UPDATE accounts SET state = 'active' WHERE id = ANY($1)`, [others.map((other) => other.id)]);
  });
});
