import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { call, CompanyTown, PASSWORD } from '../../support/companies.js';
import { HttpSession } from '../../support/http-session.js';
import { type Stack, startStack } from '../../support/stack.js';

// Metrics and lists by mail, and what an account is told of its company: docs/contracts/cloudike.md 2, 3 and 13.

let stack: Stack;
let town: CompanyTown;
let system: CloudikeUser;
let boss: CloudikeUser;
let member: CloudikeUser;
let stranger: CloudikeUser;
let companyId: number;
let otherCompanyId: number;
const anonymous = { analytics: '401 Unauthorized' };

beforeAll(async () => {
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
  town = new CompanyTown(stack.baseUrl);
  system = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
  ({ admin: boss, companyId } = await town.found('Acme, Inc.'));
  member = await town.hire(boss, companyId, '=HYPERLINK("http://evil.example.org")');
  ({ admin: stranger, companyId: otherCompanyId } = await town.found('Elsewhere'));
  await member.upload('/a.jpg', Buffer.alloc(1_000, 1));
  await stranger.upload('/b.txt', Buffer.alloc(300, 2));
  await member.download('/a.jpg');
  await stranger.http.send('/api/1/metadata/', { headers: { 'mountbit-user-agent': 'mobile-test/1.0' } });
});
afterAll(async () => {
  town?.close();
  await stack?.stop();
});

const today = Math.floor(Date.now() / 86_400_000) * 86_400;
const range = { date_from: today - 86_400, date_to: today + 86_399 };

/** Makes the figures of now, and waits until they are there. */
async function rollUp(): Promise<void> {
  const client = new pg.Client(stack.databaseUrl);
  await client.connect();
  try {
    const made = async () => (await client.query<{ at: string }>('SELECT max(made_at)::text AS at FROM analytics_periods')).rows[0]!.at;
    const before = await made();
    await client.query(`INSERT INTO outbox (job, payload) VALUES ('analytics.roll-up', '{}')`);
    await expect.poll(made, { timeout: 60_000, interval: 200 }).not.toBe(before);
  } finally {
    await client.end();
  }
}

interface Point {
  readonly region: string;
  readonly period: string;
  readonly name: string;
  readonly value: string;
  readonly time: number;
}

describe('metrics', () => {
  it('are listed with their periods, those of the source among them', async () => {
    const metrics = await system.http.get<Record<string, unknown>>('/api/0/analytics/get_metrics/');
    for (const name of ['avg_storage_size_all', 'avg_storage_size', 'total_files_count', 'total_storage_size'])
      expect(metrics[name]).toEqual({ only_current: true, name, periods: ['day', 'week', 'month'] });
    for (const name of ['files_added_count', 'uniq_users_all', 'uniq_users'])
      expect(metrics[name]).toEqual({ only_current: false, name, periods: ['day', 'week', 'month'] });
    expect(Object.keys(await boss.http.get<object>('/api/0/analytics/get_metrics/'))).toEqual(Object.keys(metrics));
  });

  it('tell all to the system and to a company its own', async () => {
    // a note of who was active is written within a second
    await expect
      .poll(
        async () => {
          await rollUp();
          const found = await system.http.form<Point[]>('/api/0/analytics/get_data/', { metric: 'uniq_users_mobile', ...range });
          return found.at(-1)?.value;
        },
        { timeout: 60_000 },
      )
      .toBe('1');
    const read = async (who: CloudikeUser, metric: string, period = 'day') =>
      (
        await who.http.get<Point[]>(
          `/api/0/analytics/get_data/?metric=${metric}&period=${period}&date_from=${range.date_from}&date_to=${range.date_to}`,
        )
      ).at(-1);
    expect(await read(system, 'total_storage_size')).toEqual({
      region: 'all',
      period: 'day',
      name: 'total_storage_size',
      value: '1300',
      time: expect.any(Number),
    });
    expect(await read(boss, 'total_storage_size')).toMatchObject({ value: '1000' });
    expect(await read(stranger, 'total_storage_size')).toMatchObject({ value: '300' });
    expect(await read(boss, 'uniq_users_all')).toMatchObject({ value: '2' });
    expect(await read(boss, 'avg_storage_size_all')).toMatchObject({ value: '500' });
    expect(await read(boss, 'image_files_count', 'week')).toMatchObject({ value: '1', period: 'week' });
    expect(await read(stranger, 'image_files_count', 'month')).toMatchObject({ value: '0', period: 'month' });
    expect(await read(boss, 'downloads_size')).toMatchObject({ value: '1000' });
    expect(await read(stranger, 'downloads_size')).toMatchObject({ value: '0' });
    expect(await read(stranger, 'uploads_size')).toMatchObject({ value: '300' });
    const many = await boss.http.form<Record<string, { value: string; time: number }[]>>('/api/0/analytics/get_multiple_data/', {
      ...range,
      metrics: ['files_added_count', 'total_files_count'],
    });
    expect(Object.entries(many).map(([name, points]) => [name, points.at(-1)!.value])).toEqual([
      ['total_files_count', '1'],
      ['files_added_count', '1'],
    ]);
    expect(await system.http.form('/api/1/analytics/get_data/', { metric: 'uniq_users', ...range, region: 'nowhere' })).toMatchObject([
      { region: 'nowhere', value: '0' },
    ]);
  });

  it.each([
    ['analytics/get_data', { metric: 'nothing', ...range }, '404 NotFound'],
    ['analytics/get_data', { metric: 'constructor', ...range }, '404 NotFound'],
    ['analytics/get_data', { ...range }, '400 InvalidParameters'],
    ['analytics/get_data', { metric: 'uniq_users', date_from: 5 }, '400 InvalidParameters'],
    ['analytics/get_data', { metric: 'uniq_users', date_from: 5, date_to: 4 }, '400 InvalidParameters'],
    ['analytics/get_data', { metric: 'uniq_users', date_from: 'x', date_to: 4 }, '400 InvalidParameters'],
    ['analytics/get_data', { metric: 'uniq_users', date_from: 0, date_to: Number.MAX_SAFE_INTEGER }, '400 InvalidParameters'],
    ['analytics/get_data', { metric: 'uniq_users', ...range, period: 'year' }, '400 InvalidParameters'],
    ['analytics/get_multiple_data', { ...range }, '400 InvalidParameters'],
    ['analytics/get_multiple_data', { ...range, metrics: ['uniq_users', 'nothing'] }, '404 NotFound'],
    ['csv_download', { type: 'groups' }, '400 InvalidParameters'],
    ['csv_download', { type: 'users', email: 'a@b.c, d@e.f' }, '400 InvalidParameters'],
  ])('%s with %j is %s', async (route, params, said) => {
    expect((await call(system.http, route, params as never)).said).toBe(said);
  });

  it.each(['analytics/get_data', 'analytics/get_multiple_data', 'analytics/get_metrics', 'csv_download'])(
    '%s is for administrators',
    async (route) => {
      const params = { metric: 'uniq_users', metrics: 'uniq_users', ...range };
      expect((await call(town.anonymous, route, params)).said).toBe(anonymous.analytics);
      expect((await call(member.http, route, params)).said).toBe('403 Forbidden');
      const pair = await boss.http.form<{ login: string; password: string }>('/api/1/accounts/create_basic_auth/', {});
      const byPair = new HttpSession(stack.baseUrl, { authorization: `Basic ${Buffer.from(`${pair.login}:${pair.password}`).toString('base64')}` });
      expect((await call(byPair, route, params)).said).toBe('403 Forbidden');
      byPair.close();
    },
  );
});

describe('csv_download', () => {
  /** The mail to an address whose subject holds a text, and its attachment. */
  async function mailTo(address: string, subject: string): Promise<{ mail: string; attached: string }> {
    const dir = join(stack.dataDir, 'outbox');
    const find = async () => {
      for (const name of await readdir(dir).catch(() => [])) {
        const mail = name.endsWith('.eml') ? await readFile(join(dir, name), 'utf8') : '';
        if (mail.includes(`To: ${address}\r\n`) && mail.includes(`Subject: ${subject}`)) return mail;
      }
      return '';
    };
    await expect.poll(find, { timeout: 60_000, interval: 200 }).not.toBe('');
    const mail = await find();
    const body = /filename="[^"]+"\r\n\r\n([\w+/=\r\n]+?)\r\n\r\n--/.exec(mail)![1]!;
    return { mail, attached: Buffer.from(body, 'base64').toString() };
  }

  it('mails the people of a company to its administrator, with nothing in it that a spreadsheet would run', async () => {
    const { code, taskid } = await boss.http.get<{ code: string; taskid: string }>('/api/1/csv_download/');
    expect(code).toBe('OK');
    const { url } = await boss.finished<{ url: string }>(taskid);
    const { mail, attached } = await mailTo(boss.email, 'Report: users-');
    expect(mail).toMatch(
      /Content-Type: text\/csv; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="users-\d{4}-\d\d-\d\d\.csv"/,
    );
    const lines = attached.trimEnd().split('\r\n');
    expect(lines[0]).toMatch(/^userid,name,logins,status,role,company_id,company_name,is_company_admin,/);
    expect(lines.slice(1).map((line) => Number(line.split(',')[0]))).toEqual([boss.userId, member.userId].sort((one, other) => one - other));
    expect(lines.find((line) => line.startsWith(`${member.userId},`))).toContain(`"'=HYPERLINK(""http://evil.example.org"")"`);
    expect(attached).toContain('"Acme, Inc."');
    expect((await boss.http.send(url)).body.toString()).toBe(attached);
    // the task is its starter's
    expect((await call(stranger.http, `task/${taskid}`)).said).toBe('404 TaskNotFound');
  });

  it('mails the companies to the system, at an address of its choice', async () => {
    const { taskid } = await system.http.get<{ taskid: string }>('/api/1/csv_download/?email=board@example.org');
    await system.finished(taskid);
    const { attached } = await mailTo('board@example.org', 'Report: companies-');
    expect(attached.split('\r\n')[0]).toMatch(/^company_id,name,domain,status,plan,owner_id,/);
    expect(
      attached
        .trimEnd()
        .split('\r\n')
        .slice(1)
        .map((line) => Number(line.split(',')[0])),
    ).toEqual([companyId, otherCompanyId]);
    expect((await call(boss.http, 'csv_download', { type: 'companies' })).said).toBe('403 Forbidden');
  });
});

describe('what an account is told of its company', () => {
  it('its groups by name, and no others', async () => {
    for (const name of ['Zeta', 'Alpha']) {
      const { group_id } = await boss.http.form<{ group_id: string }>('/api/1/groups/create/', { name });
      await boss.http.form(`/api/1/groups/${group_id}/add_user/`, { user_ids: member.userId });
    }
    await boss.http.form('/api/1/groups/create/', { name: 'Empty' });
    const { groups } = await member.http.get<{ groups: unknown }>('/api/1/accounts/get/');
    expect(groups).toEqual(['Alpha', 'Zeta'].map((name) => ({ group_id: expect.stringMatching(/^\d+$/), name })));
    expect(await boss.http.get('/api/1/accounts/get/')).toMatchObject({ groups: [] });
    const users = await boss.http.form<{ users: { userid: number; groups: unknown }[] }>('/api/1/admin/accounts_find_users/', {});
    expect(users.users.find(({ userid }) => userid === member.userId)!.groups).toEqual(groups);
  });

  it('the agreement of the company, in place of that of the house, until it is accepted', async () => {
    const login = async (email: string) => {
      const { need_agreement, offer_url } = await town.anonymous.form('/api/1/accounts/login/', { login: `email:${email}`, password: PASSWORD });
      return [need_agreement, offer_url];
    };
    const due = [true, `${stack.baseUrl}/api/1/accounts/get_offer/`];
    const set = (value: boolean, agreement: string) =>
      boss.http.form(`/api/1/accounts/company/${companyId}/custom_user_agreement`, { value, agreement });
    const text = async (who: HttpSession) => (await who.send(`/api/1/accounts/get_offer/?company_id=${companyId}`)).body.toString();
    expect(await login(member.email)).toEqual([false, '']);
    await set(true, '<p>House rules</p>');
    expect(await login(member.email)).toEqual(due);
    expect(await login(stranger.email)).toEqual([false, '']);
    expect([await text(member.http), await text(stranger.http), await text(town.anonymous)]).toEqual(['<p>House rules</p>', '', '']);
    await member.http.form('/api/1/accounts/accept_offer/', {});
    expect(await login(member.email)).toEqual([false, '']);
    await set(true, '<p>Other rules</p>');
    expect(await login(member.email)).toEqual(due);
    await set(false, '<p>Other rules</p>');
    expect(await login(member.email)).toEqual([false, '']);
  });

  it('what lies below a folder that is offered to the company', async () => {
    await boss.mkdir('/Dir/Offer/Sub');
    await boss.http.form('/api/1/shares/company/add/', { path: '/Dir/Offer', public_name: 'Offer' });
    const flags = async (path: string) => {
      const { company_published, parent_company_published, content } = (await boss.metadata(path)) as unknown as Record<string, unknown>;
      return [
        company_published,
        parent_company_published,
        (content as Record<string, unknown>[]).map((entry) => [entry['company_published'], entry['parent_company_published']]),
      ];
    };
    expect(await flags('/Dir')).toEqual([false, false, [[true, false]]]);
    expect(await flags('/Dir/Offer')).toEqual([true, false, [[false, true]]]);
    expect(await flags('/Dir/Offer/Sub')).toEqual([false, true, []]);
    await boss.upload('/Dir/Offer/Sub/file.txt', Buffer.from('x'));
    expect(await boss.metadata('/Dir/Offer/Sub/file.txt')).toMatchObject({ parent_company_published: true });
    await boss.http.form('/api/1/shares/company/hide/', { path: '/Dir/Offer' });
    expect(await flags('/Dir/Offer/Sub')).toEqual([false, false, [[false, false]]]);
  });
});
