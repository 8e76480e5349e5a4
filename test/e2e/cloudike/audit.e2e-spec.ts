import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { auditDefects } from '../../support/audit-check.js';
import { CloudikeUser } from '../../support/cloudike-user.js';
import { call, CompanyTown, PASSWORD } from '../../support/companies.js';
import { HttpSession } from '../../support/http-session.js';
import { type Stack, startStack } from '../../support/stack.js';

// Records of calls: docs/decisions/audit.md. Every other e2e file compares calls and records at its end, too (test/support/audit-check.ts).

interface WireRecord {
  id: string;
  action: string;
  outcome: string;
  error: string | null;
  user_id: number | null;
  impersonator_id: number | null;
  company_id: number | null;
  credential: string | null;
  address: string;
  subjects: Record<string, string[]>;
  params: Record<string, unknown>;
}

let stack: Stack;
let database: pg.Client;
let town: CompanyTown;
let system: CloudikeUser;
let boss: CloudikeUser;
let member: CloudikeUser;
let companyId: number;
let otherBoss: CloudikeUser;
let otherId: number;

beforeAll(async () => {
  stack = await startStack({ audit: 'strict', env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
  database = new pg.Client(stack.databaseUrl);
  await database.connect();
  town = new CompanyTown(stack.baseUrl);
  system = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
  ({ admin: boss, companyId } = await town.found('one'));
  ({ admin: otherBoss, companyId: otherId } = await town.found('two'));
  member = await town.hire(boss, companyId);
});
afterAll(async () => {
  await database?.end();
  await stack?.stop();
});

const text = async (user: CloudikeUser, path: string): Promise<string> => (await user.http.send(`/api/1/${path}`)).body.toString();
const recordsOf = async (user: CloudikeUser, path: string): Promise<WireRecord[]> =>
  (await text(user, path))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as WireRecord);

describe('records', () => {
  it('tell of files: what was made, by whom, with which token, and nothing that is secret', async () => {
    await member.mkdir('/plans');
    await member.upload('/plans/=cmd.txt', Buffer.from('the content'));
    await member.http.form('/api/1/fileops/rename/', { path: '/plans/=cmd.txt', newname: 'b.txt' });
    const found = await recordsOf(system, `admin/audit/?account=${member.userId}`);
    expect(found.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'Session.login changed',
      'Fileops.folderCreate changed',
      'Uploads.create changed',
      'Uploads.confirm changed',
      'Fileops.rename changed',
    ]);
    const [login, folder, , confirm] = found as [WireRecord, WireRecord, WireRecord, WireRecord];
    expect(folder).toMatchObject({ user_id: member.userId, company_id: companyId, params: { path: '/plans' }, address: '127.0.0.1' });
    expect(folder.credential).toBe(login.credential);
    expect(confirm.subjects.node).toHaveLength(1);
    const all = await text(system, 'admin/audit/');
    for (const secret of [member.token, PASSWORD, stack.admin.password, 'the content', member.email]) expect(all).not.toContain(secret);
  });

  it('tell of sign-ins that failed, and of no other refusal', async () => {
    const before = (await recordsOf(system, 'admin/audit/')).length;
    expect((await call(town.anonymous, 'accounts/login/', { login: `email:${member.email}`, password: 'wrong' })).said).toContain('4');
    const basic = { authorization: `Basic ${Buffer.from(`${member.email}:wrong too`).toString('base64')}` };
    expect((await town.anonymous.send('/api/1/metadata/', { headers: basic })).status).not.toBe(200);
    expect((await call(member.http, 'fileops/folder_create/', { path: '/plans' })).said).toContain('4');
    expect((await call(member.http, 'groups/create/', { name: 'mine' })).said).toContain('403');
    const late = (await recordsOf(system, 'admin/audit/')).slice(before);
    expect(late.map(({ action, outcome, error }) => [action, outcome, error])).toEqual([
      ['Session.login', 'refused', 'INVALID_CREDENTIALS'],
      ['Basic.signIn', 'refused', 'INVALID_CREDENTIALS'],
    ]);
    expect(late.map(({ user_id }) => user_id)).toEqual([null, null]);
    expect(late[0]!.subjects).toEqual({ account: [String(member.userId)] });
  });

  it('tell who acted as somebody else, and what a guest of a link did', async () => {
    await system.http.form('/api/1/admin/set_effective_userid/', { euser_id: member.userId });
    await system.mkdir('/plans/by the administrator');
    await system.http.form('/api/1/admin/set_effective_userid/', { euser_id: system.userId });
    const link = await member.http.form<{ public_hash: string }>('/api/1/links/create/', { path: '/plans' });
    const guest = new HttpSession(stack.baseUrl);
    await guest.get(`/api/1/links/get/${link.public_hash}/b.txt`);
    await member.mkdir('/drop');
    const drop = await member.http.form<{ public_hash: string }>('/api/1/links/create/', { path: '/drop', upload_folder: true });
    const upload = await guest.form<{ url: string; confirm_url: string }>(`/api/1/links/file_create/${drop.public_hash}`, { path: 'x.txt' });
    expect((await fetch(upload.url, { method: 'PUT', body: 'of a guest' })).status).toBe(200);
    expect((await fetch(upload.confirm_url, { method: 'POST' })).status).toBe(200);
    const large = await guest.form<{ temp_path: string }>(`/api/1/links/file_create/${drop.public_hash}`, { path: 'y.txt', multipart: true });
    await guest.form(`/api/1/links/file_create_part/${drop.public_hash}`, { temp_path: large.temp_path, part_num: 1 });
    const found = await recordsOf(system, 'admin/audit/');
    const made = found.find(({ params }) => params.path === '/plans/by the administrator');
    expect(made).toMatchObject({ user_id: member.userId, impersonator_id: system.userId, company_id: companyId });
    const taken = found.find(({ action }) => action === 'LinkReads.get');
    expect(taken).toMatchObject({ user_id: null, credential: expect.stringMatching(/^link:/), params: { tail: '/b.txt' } });
    expect(JSON.stringify(found)).not.toContain(link.public_hash);
    // whoever administrates the company of the link's owner reads of it too, and nobody else does
    const byGuests = (records: WireRecord[]) => records.filter(({ credential }) => /^(link|share):/.test(credential ?? ''));
    const told = byGuests(await recordsOf(boss, 'company/audit/'));
    expect(told.map(({ action, company_id, user_id }) => [action, company_id, user_id])).toEqual(
      ['LinkReads.get', 'LinkUploads.create', 'Uploads.confirm', 'LinkUploads.create', 'LinkUploads.createPart'].map((action) => [
        action,
        companyId,
        null,
      ]),
    );
    expect(byGuests(await recordsOf(otherBoss, 'company/audit/'))).toEqual([]);
  });
});

describe('the files of records', () => {
  it('are for administrators: of the system all, of a company their own', async () => {
    for (const path of ['company/audit/', 'accounts/company/audit/']) {
      const own = await recordsOf(boss, path);
      expect(new Set(own.map((record) => record.company_id))).toEqual(new Set([companyId]));
      expect(own.map(({ action }) => action)).toEqual(expect.arrayContaining(['Fileops.folderCreate', 'Session.login']));
    }
    const others = await recordsOf(otherBoss, 'company/audit/');
    expect(others.every((record) => record.company_id === otherId)).toBe(true);
    expect(await recordsOf(system, `company/audit/?company_id=${companyId}&action=Fileops.rename`)).toHaveLength(1);
    const said = async (user: CloudikeUser | null, path: string) => (await call(user?.http ?? town.anonymous, path)).said;
    expect(await said(null, 'admin/audit/')).toContain('401');
    expect(await said(null, 'company/audit/')).toContain('401');
    for (const user of [boss, member]) expect(await said(user, 'admin/audit/')).toContain('403');
    expect(await said(member, 'company/audit/')).toContain('403');
    expect(await said(boss, `company/audit/?company_id=${otherId}`)).toBe(await said(boss, 'company/audit/?company_id=999999'));
    expect(await said(boss, `company/audit/?company_id=${otherId}`)).toContain('404');
    for (const wrong of ['format=xml', 'outcome=maybe', 'from=x', 'account=-1']) expect(await said(system, `admin/audit/?${wrong}`)).toContain('400');
  });

  it('are also CSV that no spreadsheet takes for formulas', async () => {
    const reply = await system.http.send(`/api/1/admin/audit/?format=csv&account=${member.userId}`);
    expect(reply.headers).toMatchObject({ 'content-type': 'text/csv; charset=utf-8', 'content-disposition': 'attachment; filename="audit.csv"' });
    const lines = reply.body.toString().trimEnd().split('\r\n');
    expect(lines[0]).toMatch(/^id,time,action,outcome,/);
    expect(lines.length).toBe((await recordsOf(system, `admin/audit/?account=${member.userId}`)).length + 1);
    for (const line of lines) expect(line).not.toMatch(/(^|,)"?[=+@-]/);
  });
});

describe('the command that checks the chain', () => {
  const verify = (env: Record<string, string> = {}, ...args: string[]) =>
    spawnSync(process.execPath, [resolve('dist/apps/worker/src/audit-verify.js'), ...args], { env: { ...stack.env, ...env }, encoding: 'utf8' });
  const sealed = async (): Promise<number> =>
    Number((await database.query('SELECT count(*) AS n FROM audit_records WHERE position IS NULL')).rows[0].n);

  it('finds nothing wrong once the worker has sealed, then one changed row, and nothing when that is as before', async () => {
    await expect.poll(sealed, { timeout: 60_000, interval: 250 }).toBe(0);
    const clean = verify();
    expect({ status: clean.status, stderr: clean.stderr }).toEqual({ status: 0, stderr: '' });
    const end = /^the chain ends at (\d+:[0-9a-f]{64})$/m.exec(clean.stdout)![1]!;
    expect(verify({}, `--expect=${end}`).status).toBe(0);
    const change = async (by: number) => {
      await database.query('ALTER TABLE audit_records DISABLE TRIGGER tr_audit_records_keep');
      await database.query('UPDATE audit_records SET actor_id = actor_id + $1 WHERE position = 5', [by]);
      await database.query('ALTER TABLE audit_records ENABLE TRIGGER tr_audit_records_keep');
    };
    const { rows } = await database.query('SELECT actor_id FROM audit_records WHERE position = 5');
    if (rows[0].actor_id === null) throw new Error('the fifth record is of nobody; choose another one');
    await change(1);
    const tampered = verify();
    expect(tampered.status).toBe(1);
    expect(tampered.stdout).toMatch(/^changed {2}5 {2}/m);
    await change(-1);
    expect(verify().status).toBe(0);
    expect(verify({ STOWAGE_SECRET_KEY: 'another key of thirty-two characters' }).stdout).toMatch(/^bad-head/m);
    expect(verify({}, '--repair')).toMatchObject({ status: 2, stderr: expect.stringContaining('--expect') });
  });
});

describe('the comparison of calls and records', () => {
  it('holds for all that was done here', async () => {
    expect(await defects()).toEqual([]);
  });

  it('shows a call without a record, and a change beside the record of its call', async () => {
    // what a route that goes around the unit of work would leave
    const rogue = new pg.Client({ connectionString: stack.databaseUrl, application_name: 'stowage-api' });
    await rogue.connect();
    try {
      const { rows } = await rogue.query('INSERT INTO account_values (account_id, key, value) VALUES ($1, $2, $3) RETURNING key', [
        member.userId,
        'rogue',
        '1',
      ]);
      expect(rows).toHaveLength(1);
      expect(await defects()).toEqual(['1 transactions without an audit record changed account_values']);
      await database.query('ALTER TABLE audit_records DISABLE TRIGGER tr_audit_records_keep');
      await database.query('CREATE TABLE taken AS SELECT * FROM audit_records WHERE action = $$Fileops.rename$$');
      await database.query('DELETE FROM audit_records WHERE action = $$Fileops.rename$$');
      expect(await defects()).toEqual(expect.arrayContaining(['Fileops.rename: 1 calls and 0 audit records']));
      await database.query('INSERT INTO audit_records SELECT * FROM taken');
      await database.query('ALTER TABLE audit_records ENABLE TRIGGER tr_audit_records_keep');
    } finally {
      await rogue.end();
      await forget();
    }
    expect(await defects()).toEqual([]);
  });

  const adminUrl = (): string => {
    const url = new URL(process.env.STOWAGE_TEST_PG_URL!);
    url.pathname = new URL(stack.databaseUrl).pathname;
    return url.toString();
  };
  const defects = () => auditDefects(stack.baseUrls, adminUrl(), { strict: true, settleMs: 0 });
  const forget = async (): Promise<void> => {
    const admin = new pg.Client(adminUrl());
    await admin.connect();
    await admin.query(
      `DELETE FROM test_writes WHERE relation = 'account_values' AND NOT EXISTS (SELECT 1 FROM audit_records r WHERE r.xid = test_writes.xid)`,
    );
    await admin.end();
  };
});
