import { createServer, type Server } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { RegistrationService, SecondFactorService } from '#libs/accounts';
import { CompanyService } from '#libs/companies';
import type { AccountActor } from '#libs/kernel';
import { type DirectoryCommand, DirectorySignIn } from '#libs/sign-in';

import { AccountsHouse, CLIENT, outcome } from '../support/accounts-house.js';
import { available } from '../support/services.js';
import { AGENT_DN, AGENT_PASSWORD, BASE_DN, startDirectory, type TestDirectory } from '../support/slapd.js';

const USERS = [
  { uid: 'ann', password: 'ann-password', cn: 'Ann Example', mail: 'Ann@acme.example' },
  { uid: 'bob', password: 'bob-password', cn: 'Bob Example' },
  { uid: 'star*', password: 'star-password' },
  { uid: 'twin', password: 'twin-password' },
  { uid: 'twin', password: 'twin-password' },
  { uid: 'boss', password: 'boss-password', mail: 'boss@acme.example' },
  { uid: 'root', password: 'root-password', mail: 'root@acme.example' },
  { uid: 'old', password: 'old-password', mail: 'old@acme.example' },
  { uid: 'off', password: 'off-password', mail: 'off@acme.example' },
  { uid: 'foreign', password: 'foreign-password', mail: 'foreign@elsewhere.example' },
  { uid: 'crowd', password: 'crowd-password', mail: 'crowd@acme.example' },
  ...Array.from({ length: 3 }, (_, index) => ({ uid: `late${index}`, password: 'late-password' })),
];

describe.runIf(available.ldap)('sign-in by the directory of a company', () => {
  let directory: TestDirectory;
  let house: AccountsHouse;
  let companyId: number;
  let boss: AccountActor;
  let nth = 0;

  const signIn = (name: string, password = `${name}-password`, more: Partial<DirectoryCommand> = {}, at = house) =>
    at.get(DirectorySignIn).signIn({ name, password, companyId, permanent: false, ...more }, { ...CLIENT, ip: `192.0.2.${++nth % 250}` });
  const settings = (more: Record<string, unknown> = {}) => ({
    ldapIsEnabled: true,
    ldapAddress: `ldaps://localhost:${directory.tlsPort}`,
    ldapBasedn: BASE_DN,
    ldapUserAttribute: 'uid',
    ldapUserAgentDn: AGENT_DN,
    ldapUserAgentPassword: AGENT_PASSWORD,
    ...more,
  });
  const withSettings = async (more: Record<string, unknown>, work: () => Promise<void>) => {
    await house.get(CompanyService).change(boss, companyId, settings(more));
    await work();
    await house.get(CompanyService).change(boss, companyId, settings());
  };

  beforeAll(async () => {
    directory = await startDirectory(USERS);
    house = await AccountsHouse.open({ STOWAGE_SIGN_IN_PRIVATE_HOSTS: 'localhost', STOWAGE_SIGN_IN_CA_FILE: directory.caFile });
    const [row] = await house.sql<{ id: number }>(`INSERT INTO companies (name, domain) VALUES ('Acme', 'acme.example') RETURNING id`);
    companyId = row!.id;
    boss = await house.account('boss@acme.example', { companyId, isCompanyAdmin: true });
    await house.sql('UPDATE companies SET owner_id = $2 WHERE id = $1', [companyId, boss.accountId]);
    await house.get(CompanyService).change(boss, companyId, settings());
  });
  afterAll(async () => {
    await house?.close();
    await directory?.stop();
  });

  it('makes a member of who comes first, and finds them again whatever they are called then', async () => {
    const first = await signIn('ann');
    expect(first).toMatchObject({ companyId, companyDomain: 'acme.example', login: 'email:Ann@acme.example', name: 'Ann Example' });
    expect((await signIn('ANN', 'ann-password')).accountId).toBe(first.accountId);
    expect((await signIn('ann@acme.example', 'ann-password', { companyId: undefined })).accountId).toBe(first.accountId);
    expect((await signIn('ann', 'ann-password', { companyId: undefined, domain: 'ACME.example' })).accountId).toBe(first.accountId);
    await house.sql('DELETE FROM logins WHERE account_id = $1', [first.accountId]);
    expect((await signIn('ann')).accountId).toBe(first.accountId);
    const bob = await signIn('bob');
    expect(bob).toMatchObject({ login: `ldap:${companyId}/bob`, name: 'Bob Example' });
  });

  it('lets one account come of many first sign-ins at once', async () => {
    const other = await house.another();
    const sessions = await Promise.all(Array.from({ length: 6 }, (_, index) => signIn('crowd', 'crowd-password', {}, index % 2 ? other : house)));
    expect(new Set(sessions.map((session) => session.accountId)).size).toBe(1);
    await other.close();
  });

  it.each([
    ['ann', 'wrong'],
    ['nobody', 'ann-password'],
    ['*', 'ann-password'],
    ['a*', 'ann-password'],
    ['ann)(uid=*', 'ann-password'],
    ['*)(objectClass=*', 'ann-password'],
    ['ann\\00', 'ann-password'],
    ['twin', 'twin-password'],
    ['agent', AGENT_PASSWORD],
  ])('lets nobody in as %s with %s', async (name, password) => {
    expect(await outcome(signIn(name, password))).toBe('INVALID_CREDENTIALS');
  });

  it('takes a name for what it is, and asks nobody without a password', async () => {
    expect((await signIn('star*', 'star-password')).login).toBe(`ldap:${companyId}/star*`);
    expect(await outcome(signIn('ann', ''))).toBe('INVALID_ARGUMENT');
    expect(await outcome(signIn('', 'x'))).toBe('INVALID_ARGUMENT');
    expect(await outcome(signIn('n'.repeat(257), 'x'))).toBe('INVALID_ARGUMENT');
    expect(await outcome(signIn('ann', 'ann-password', { companyId: 999_999 }))).toBe('INVALID_CREDENTIALS');
    expect(await outcome(signIn('ann', 'ann-password', { companyId: undefined }))).toBe('INVALID_CREDENTIALS');
    expect(await outcome(signIn('ann@nowhere.example', 'ann-password', { companyId: undefined }))).toBe('INVALID_CREDENTIALS');
  });

  it('never opens accounts of the owner, of administrators of the system, of other companies and of who is switched off', async () => {
    expect(await outcome(signIn('boss'))).toBe('FORBIDDEN');
    const root = await house.account('root@acme.example', { companyId });
    await house.sql(`UPDATE accounts SET role = 'admin' WHERE id = $1`, [root.accountId]);
    expect(await outcome(signIn('root'))).toBe('FORBIDDEN');
    await house.account('foreign@elsewhere.example');
    expect(await outcome(signIn('foreign'))).toBe('FORBIDDEN');
    const off = await house.account('off@acme.example', { companyId });
    await house.sql(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [off.accountId]);
    expect(await outcome(signIn('off'))).toBe('ACCOUNT_DISABLED');
  });

  it('ends with the membership', async () => {
    const { accountId } = await signIn('late0', 'late-password');
    await house.sql('UPDATE accounts SET company_id = NULL WHERE id = $1', [accountId]);
    expect(await outcome(signIn('late0', 'late-password'))).toBe('FORBIDDEN');
  });

  it('takes an invited person over, with no password of whoever else knew the address', async () => {
    const { accountId } = await house.get(RegistrationService).invite('old@acme.example', { inviter: 'Boss', companyId });
    await house.sql(`UPDATE accounts SET password_hash = 'somebody else' WHERE id = $1`, [accountId]);
    expect((await signIn('old')).accountId).toBe(accountId);
    const [row] = await house.sql('SELECT state, password_hash AS hash FROM accounts WHERE id = $1', [accountId]);
    expect(row).toEqual({ state: 'active', hash: null });
  });

  it('keeps to the number of members', async () => {
    await house.sql(`UPDATE companies SET quota_employees_count = 1 WHERE id = $1`, [companyId]);
    expect(await outcome(signIn('late1', 'late-password'))).toBe('QUOTA_EXCEEDED');
    await house.sql(`UPDATE companies SET quota_employees_count = 0 WHERE id = $1`, [companyId]);
    expect(await outcome(signIn('late1', 'late-password'))).toBe('ok');
  });

  it('counts wrong passwords like those of accounts', async () => {
    const results: string[] = [];
    for (let turn = 0; turn < 11; turn++) results.push(await outcome(signIn('late2', `wrong ${turn}`)));
    expect(results).toEqual([...Array.from({ length: 8 }, () => 'INVALID_CREDENTIALS'), 'LAST_ATTEMPT', 'LOGIN_LOCKED', 'LOGIN_LOCKED']);
    expect(await outcome(signIn('LATE2', 'late-password'))).toBe('LOGIN_LOCKED');
  });

  it('asks for the second factor of a member who has one', async () => {
    const { accountId } = await signIn('bob');
    const actor: AccountActor = { kind: 'account', accountId, companyId, role: 'user', tokenId: null };
    await house.get(SecondFactorService).enrol(actor);
    await house.sql('UPDATE second_factors SET confirmed_at = now() WHERE account_id = $1', [accountId]);
    expect(await outcome(signIn('bob'))).toBe('SECOND_FACTOR_REQUIRED');
    expect(await outcome(signIn('bob', 'bob-password', { otp: '0000-0000' }))).toBe('SECOND_FACTOR_WRONG');
    await house.sql('DELETE FROM second_factors WHERE account_id = $1', [accountId]);
  });

  it('speaks StartTLS where the address says nothing of TLS, and trusts no certificate of another name', async () => {
    await withSettings({ ldapAddress: 'localhost', ldapPort: directory.port }, async () => {
      expect(await outcome(signIn('ann'))).toBe('ok');
    });
    const listed = await house.another({ ...house.config, signIn: { ...house.config.signIn, privateHosts: ['*'], caFile: undefined } });
    expect(await outcome(signIn('ann', 'ann-password', {}, listed))).toBe('PROVIDER_UNAVAILABLE');
    await listed.close();
    const byAlias = await house.another({ ...house.config, signIn: { ...house.config.signIn, privateHosts: ['*'] } });
    await withSettings({ ldapAddress: `ldaps://127.0.0.1:${directory.tlsPort}` }, async () => {
      expect(await outcome(signIn('ann', 'ann-password', {}, byAlias))).toBe('PROVIDER_UNAVAILABLE');
    });
    await byAlias.close();
  });

  it('says when a directory is away, silent, private or refuses its agent, and counts no try for that', async () => {
    const silent: Server = createServer((socket) => void socket.resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const cases = [
      { ldapAddress: 'ldaps://localhost:1' },
      { ldapAddress: `ldaps://localhost:${port}` },
      { ldapAddress: `ldaps://127.0.0.1:${directory.tlsPort}` },
      { ldapAddress: 'ldap://169.254.169.254' },
      { ldapUserAgentPassword: 'wrong' },
      { ldapBasedn: 'dc=nowhere' },
    ];
    for (const change of cases) {
      await withSettings(change, async () => expect(await outcome(signIn('ann')), JSON.stringify(change)).toBe('PROVIDER_UNAVAILABLE'));
    }
    await new Promise((resolve) => silent.close(resolve));
    const guards = await house.sql('SELECT failures FROM login_guards WHERE login_key = $1', [`ldap:${companyId}/ann`]);
    expect(guards.every((guard) => guard['failures'] === 0)).toBe(true);
    expect(await outcome(signIn('ann'))).toBe('ok');
  });
});
