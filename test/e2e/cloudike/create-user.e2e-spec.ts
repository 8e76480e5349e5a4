import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { type FormValue, HttpSession } from '../../support/http-session.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';

// company/<id>/create_user of docs/contracts/cloudike.md section 13, by real HTTP.

const PASSWORD = 'correct horse battery';
const PREFIXES = ['company', 'accounts/company'] as const;

let stack: SharedStack;
let db: pg.Client;
let anonymous: HttpSession;
let admin: CloudikeUser;
let rival: CloudikeUser;
let companyId: number;
let nth = 0;

const freshLogin = () => `email:new-${++nth}-${Math.random().toString(36).slice(2)}@example.org`;

async function found(name: string): Promise<CloudikeUser> {
  const email = `founder-${name}@example.org`;
  await anonymous.form('/api/1/accounts/create/', { email, password: PASSWORD, name, company_name: name });
  return CloudikeUser.login(stack.baseUrl, email, PASSWORD);
}

const companyOf = async (user: CloudikeUser) =>
  (await db.query<{ id: string }>('SELECT company_id AS id FROM accounts WHERE id = $1', [user.userId])).rows[0]!.id;

beforeAll(async () => {
  stack = await sharedStack();
  anonymous = new HttpSession(stack.baseUrl);
  db = new pg.Client(stack.databaseUrl);
  await db.connect();
  [admin, rival] = [await found('acme'), await found('rival')];
  companyId = Number(await companyOf(admin));
});
afterAll(async () => {
  await db?.end();
  anonymous?.close();
  await stack?.stop();
});

async function create(who: CloudikeUser | null, id: number | string, params: Record<string, FormValue> = {}, prefix: string = PREFIXES[0]) {
  const filled = { login: freshLogin(), name: 'Nina', password: PASSWORD, ...params };
  const sent = Object.entries(filled).filter(([, value]) => value !== undefined);
  const reply = await (who?.http ?? anonymous).send(`/api/1/${prefix}/${id}/create_user/`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(sent.map(([name, value]): [string, string] => [name, String(value)])).toString(),
  });
  const body = reply.json<Record<string, unknown> & { code?: string }>();
  return { said: `${reply.status} ${body.code ?? ''}`.trim(), body };
}

describe('create_user', () => {
  it.each(PREFIXES)('makes a member who can sign in at once (%s)', async (prefix) => {
    const login = freshLogin();
    const { said, body } = await create(admin, companyId, { login, lang: 'de', can_print: 'false', can_upload: '0', can_download: 'true' }, prefix);
    expect(said).toBe('200');
    expect(body).toMatchObject({ company_id: companyId, login, name: 'Nina', lang: 'de', is_active: true, role: 'user', is_company_admin: false });
    expect(body).toMatchObject({ can_print: false, can_upload: false, can_download: true, pc_can_download: true });
    const member = await CloudikeUser.login(stack.baseUrl, login.slice(6), PASSWORD);
    expect(member.userId).toBe(body['userid']);
    expect(await member.http.get('/api/1/accounts/get/')).toMatchObject({ userid: member.userId, company_id: companyId, can_upload: false });
  });

  it('is the same by GET, and takes a bare address or a phone number', async () => {
    const reply = await admin.http.send(
      `/api/1/company/${companyId}/create_user/?${new URLSearchParams({ login: freshLogin().slice(6), name: 'Get', password: PASSWORD }).toString()}`,
    );
    expect([reply.status, reply.json<{ name: string }>().name]).toEqual([200, 'Get']);
    expect((await create(admin, companyId, { login: '+4915112345678' })).body).toMatchObject({ logins: ['msisdn:4915112345678'] });
  });

  it('is for administrators of that company and of the system', async () => {
    const login = freshLogin();
    await create(admin, companyId, { login });
    const member = await CloudikeUser.login(stack.baseUrl, login.slice(6), PASSWORD);
    const stranger = await CloudikeUser.register(stack.baseUrl);
    expect((await create(null, companyId)).said).toBe('401 Unauthorized');
    expect((await create(member, companyId)).said).toBe('403 Forbidden');
    expect((await create(rival, companyId)).said).toBe('404 CompanyNotFound');
    expect((await create(stranger, companyId)).said).toBe('404 CompanyNotFound');
    for (const unknown of [999_999, 0, 'abc', '-1', '1e3']) expect((await create(admin, unknown)).said).toBe('404 CompanyNotFound');
    expect((await create(member, await companyOf(rival))).said).toBe('404 CompanyNotFound');

    await db.query('UPDATE accounts SET is_company_admin = true WHERE id = $1', [member.userId]);
    expect((await create(member, companyId)).said).toBe('200');
    await db.query('UPDATE accounts SET is_company_admin = false WHERE id = $1', [member.userId]);
    expect((await create(member, companyId)).said).toBe('403 Forbidden');

    await db.query(`UPDATE accounts SET role = 'admin' WHERE id = $1`, [stranger.userId]);
    expect((await create(stranger, companyId)).body).toMatchObject({ company_id: companyId });
    expect((await create(stranger, 999_999)).said).toBe('404 CompanyNotFound');
  });

  it('refuses what is no member', async () => {
    for (const params of [
      { login: undefined },
      { name: undefined },
      { password: undefined },
      { login: '' },
      { login: 'nobody' },
      { login: 'basic:program' },
      { name: '' },
      { password: '' },
      { can_print: 'maybe' },
      { lang: 'x'.repeat(17) },
    ]) {
      expect((await create(admin, companyId, params)).said, JSON.stringify(params)).toBe('400 InvalidParameters');
    }
  });

  it('makes one of two with the same login', async () => {
    const login = freshLogin();
    const both = await Promise.all([create(admin, companyId, { login }), create(admin, companyId, { login })]);
    expect(both.map(({ said }) => said).sort()).toEqual(['200', '403 AlreadyExists']);
    expect((await create(rival, await companyOf(rival), { login })).said).toBe('403 AlreadyExists');
  });

  it('never passes the number of members that the company may have', async () => {
    const { rows } = await db.query<{ count: string }>('SELECT count(*) FROM accounts WHERE company_id = $1', [companyId]);
    const before = Number(rows[0]!.count);
    await db.query('UPDATE companies SET quota_employees_count = $2 WHERE id = $1', [companyId, before + 2]);
    const all = await Promise.all(Array.from({ length: 6 }, () => create(admin, companyId)));
    expect(all.map(({ said }) => said).sort()).toEqual(['200', '200', ...Array<string>(4).fill('402 QuotaExceeded')]);
    const manual = await admin.http.send('/api/1/accounts/create/', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ email: freshLogin().slice(6), password: PASSWORD, name: 'M', created_manually: 'true' }).toString(),
    });
    expect(manual.status).toBe(402);
    await db.query('UPDATE companies SET quota_employees_count = 0 WHERE id = $1', [companyId]);
    expect((await create(admin, companyId)).said).toBe('200');
  });
});
