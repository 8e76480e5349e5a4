import { readdir, readFile } from 'node:fs/promises';

import pg from 'pg';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { call, CompanyTown } from '../../support/companies.js';
import type { HttpSession } from '../../support/http-session.js';
import { type Stack, startStack } from '../../support/stack.js';

// A company's own affairs, by real HTTP: docs/contracts/cloudike.md 2, 13 and 15.

let stack: Stack;
let db: pg.Client;
let town: CompanyTown;
let system: CloudikeUser;
let admin: CloudikeUser;
let member: CloudikeUser;
let rival: CloudikeUser;
let stranger: CloudikeUser;
let companyId: number;
let rivalId: number;

beforeAll(async () => {
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_COMPANY_APPROVAL: 'manual' } });
  db = new pg.Client(stack.databaseUrl);
  await db.connect();
  town = new CompanyTown(stack.baseUrl);
  system = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
  [admin, companyId] = await approved('Acme', { company_domain: 'acme.example', company_plan: 'gold' });
  [rival, rivalId] = await approved('Rival', {});
  member = await town.hire(admin, companyId);
  stranger = await CloudikeUser.register(stack.baseUrl);
});
afterAll(async () => {
  await db?.end();
  town?.close();
  await stack?.stop();
});

async function approved(name: string, more: Record<string, string>): Promise<[CloudikeUser, number]> {
  const { admin: founder, companyId: id } = await town.found(name, more);
  expect((await call(system.http, `admin/company/${id}/approve/`)).said).toBe('200');
  return [founder, id];
}

/** What everybody but its administrators gets from a route of the company; `template` holds {id}. */
async function refusals(template: string, params: Record<string, string | number> = {}, plainMember = '403 Forbidden'): Promise<void> {
  const at = (id: number | string) => template.replace('{id}', String(id));
  expect((await call(town.anonymous, at(companyId), params)).said, 'nobody').toBe('401 Unauthorized');
  expect((await call(member.http, at(companyId), params)).said, 'a plain member').toBe(plainMember);
  for (const other of [rival, stranger]) expect((await call(other.http, at(companyId), params)).said, 'a stranger').toBe('404 CompanyNotFound');
  for (const unknown of [999_999, 0, 'abc', '-1', '1e3', '9'.repeat(30)]) {
    expect((await call(admin.http, at(unknown), params)).said, String(unknown)).toBe('404 CompanyNotFound');
    expect((await call(system.http, at(unknown), params)).said, String(unknown)).toBe('404 CompanyNotFound');
  }
  expect((await call(admin.http, at(rivalId), params)).said, 'of another company').toBe('404 CompanyNotFound');
}

const info = async (http: HttpSession = admin.http, id = companyId) => (await call(http, `company/${id}`)).body;

describe('the company', () => {
  it.each(['company', 'accounts/company'])('shows itself to members, and its settings to administrators (%s)', async (prefix) => {
    const { body } = await call(member.http, `${prefix}/${companyId}/`);
    expect(body).toEqual({
      company_id: companyId,
      name: 'Acme',
      owner_id: admin.userId,
      employees_count: expect.any(Number),
      logo: '',
      logo_url: '',
      domain: 'acme.example',
      storage_size: 0,
      quota_size: 0,
      registration_date: expect.any(Number),
    });
    const whole = (await call(admin.http, `${prefix}/${companyId}`)).body;
    expect(whole).toMatchObject({ ...body, status: 'active', plan: 'gold', plan_expired: false, public_links_allow: true });
    expect(whole).toMatchObject({
      ldap_port: 389,
      ldap_user_agent_password: '',
      auth_methods: { email: true, ldap: false },
      quota_employees_count: 0,
    });
    expect(Object.values(whole).filter((value) => value === null || value === undefined)).toEqual([]);
    expect(await info(system.http)).toEqual(whole);
  });

  it('does not exist for others', async () => {
    for (const other of [rival, stranger]) {
      const foreign = await call(other.http, `company/${companyId}`);
      const unknown = await call(other.http, 'company/999999');
      expect([foreign.reply.status, foreign.body]).toEqual([unknown.reply.status, unknown.body]);
      expect(foreign.said).toBe('404 CompanyNotFound');
    }
    expect((await call(town.anonymous, `company/${companyId}`)).said).toBe('401 Unauthorized');
  });

  it('is found by its domain by everybody', async () => {
    for (const path of ['company/domain/acme.example/', 'accounts/company/domain/ACME.example']) {
      expect((await call(town.anonymous, path)).body).toEqual({
        status: 'active',
        domain: 'acme.example',
        name: 'Acme',
        company_id: companyId,
        logo: '',
        auth_method: { email: true },
      });
    }
    for (const none of ['unknown.example', '%25', 'x'.repeat(300)])
      expect((await call(town.anonymous, `company/domain/${none}/`)).said, none).toBe('404 CompanyNotFound');
  });
});

describe('change', () => {
  it('sets what is given and leaves the rest, whatever else is sent', async () => {
    const before = await info();
    const given = {
      name: ' Acme Ltd ',
      public_links_allow: false,
      sharing_outside_allow: 'False',
      mobile_using_start_at: '08:00',
      password_lifetime: 90,
      notification_email: 'it@acme.example',
      ldap_is_enabled: true,
      ldap_address: 'ldaps://directory.acme.example:636',
      ldap_port: 636,
      ldap_user_agent_password: 'secret of the directory',
      lang: 'DE',
      wizard_state: '3',
    };
    const { said, body } = await call(admin.http, `company/${companyId}/change/`, {
      ...given,
      owner_id: 1,
      status: 'expired',
      plan: 'free',
      nonsense: 'x',
    });
    expect(said).toBe('200');
    expect(body).toEqual({
      ...before,
      name: 'Acme Ltd',
      public_links_allow: false,
      sharing_outside_allow: false,
      mobile_using_start_at: '08:00',
      password_lifetime: 90,
      notification_email: 'it@acme.example',
      ldap_is_enabled: true,
      ldap_address: 'ldaps://directory.acme.example:636',
      ldap_port: 636,
      lang: 'de',
      wizard_state: '3',
      auth_methods: { email: true, ldap: true },
    });
    const { rows } = await db.query<{ settings: { ldapUserAgentPassword: string } }>('SELECT settings FROM companies WHERE id = $1', [companyId]);
    expect(rows[0]!.settings.ldapUserAgentPassword).toMatch(/^[\w-]{40,}$/);
    expect(JSON.stringify(rows[0])).not.toContain('secret of');
    // the whole company sent back changes nothing, the password that was not shown included
    const sent = Object.entries(body).filter(([, value]) => typeof value !== 'object') as [string, string | number | boolean][];
    expect((await call(admin.http, `accounts/company/${companyId}/change`, Object.fromEntries(sent))).body).toEqual(body);
    const after = await db.query<{ settings: object }>('SELECT settings FROM companies WHERE id = $1', [companyId]);
    expect(after.rows[0]!.settings).toMatchObject(rows[0]!.settings);
    expect((await call(town.anonymous, 'company/domain/acme.example')).body).toMatchObject({ auth_method: { email: true, ldap: true } });
    await call(admin.http, `company/${companyId}/change/`, { name: 'Acme', ldap_is_enabled: false, public_links_allow: true });
  });

  it('refuses values that cannot be', async () => {
    const before = await info();
    for (const wrong of [
      { name: '' },
      { name: 'x'.repeat(300) },
      { domain: 'no domain' },
      { public_links_allow: 'perhaps' },
      { mobile_using_start_at: '25:00' },
      { password_lifetime: 99_999 },
      { password_lifetime: -1 },
      { notification_email: 'nobody' },
      { ldap_address: 'http://x' },
      { ldap_port: 70_000 },
      { ldap_is_enabled: true, ldap_address: '' },
      { lang: 'xx' },
      { phone_number: 'call me' },
      { wizard_state: 'a\nb' },
    ]) {
      expect((await call(admin.http, `company/${companyId}/change/`, wrong)).said, JSON.stringify(wrong)).toBe('400 InvalidParameters');
    }
    expect(await info()).toEqual(before);
    await refusals('company/{id}/change/', { name: 'Mine' });
  });

  it('gives a domain to one company alone, whoever comes at once', async () => {
    expect((await call(rival.http, `company/${rivalId}/change/`, { domain: 'ACME.example' })).said).toBe('403 AlreadyExists');
    const both = await Promise.all([
      call(rival.http, `company/${rivalId}/change/`, { domain: 'new.example' }),
      call(admin.http, `company/${companyId}/change/`, { domain: 'new.example' }),
    ]);
    expect(both.map(({ said }) => said).sort()).toEqual(['200', '403 AlreadyExists']);
    for (const [who, id] of [
      [rival, rivalId],
      [admin, companyId],
    ] as const)
      await call(who.http, `company/${id}/change/`, { domain: '' });
    expect((await call(admin.http, `company/${companyId}/change/`, { domain: 'acme.example' })).body).toMatchObject({ domain: 'acme.example' });
  });

  it('keeps an agreement and a reference address', async () => {
    const path = `accounts/company/${companyId}/custom_user_agreement/`;
    expect((await call(admin.http, path, { value: true, show: true, agreement: 'Be kind.\nAlways.' })).body).toMatchObject({
      use_custom_agreement: true,
      custom_agreement_shown: true,
      custom_agreement: 'Be kind.\nAlways.',
    });
    expect((await call(admin.http, path, { value: false })).body).toMatchObject({
      use_custom_agreement: false,
      custom_agreement: 'Be kind.\nAlways.',
    });
    expect((await call(admin.http, path)).said).toBe('400 InvalidParameters');
    await refusals('accounts/company/{id}/custom_user_agreement/', { value: 'true' });

    expect((await call(admin.http, `accounts/company/${companyId}/update_reference/`, { reference_email: 'ref@acme.example' })).said).toBe('200');
    expect(await info()).toMatchObject({ reference_email: 'ref@acme.example' });
    for (const wrong of ['', 'nobody', 'a@b@c'])
      expect((await call(admin.http, `company/${companyId}/update_reference/`, { reference_email: wrong })).said, wrong).toBe(
        '400 InvalidParameters',
      );
    await refusals('company/{id}/update_reference/', { reference_email: 'x@example.org' });
  });
});

describe('payment', () => {
  it('knows the ways to pay and forgets the card', async () => {
    expect((await call(admin.http, 'info/')).body).toEqual({ methods: [{ id: 'none', name: 'No payment' }], current: 'none' });
    expect((await call(stranger.http, 'info/')).body).toMatchObject({ current: 'none' });
    expect((await call(town.anonymous, 'info/')).said).toBe('401 Unauthorized');
    expect((await call(admin.http, 'choose/', { method: 'none' })).said).toBe('200');
    for (const method of ['card', '']) expect((await call(admin.http, 'choose/', { method })).said).toBe('400 InvalidParameters');
    for (const other of [member, stranger]) expect((await call(other.http, 'choose/', { method: 'none' })).said).toBe('403 Forbidden');
    for (const prefix of ['company', 'accounts/company'])
      expect((await call(admin.http, `${prefix}/${companyId}/delete_card_info/`)).said).toBe('200');
    await refusals('company/{id}/delete_card_info/');
  });
});

describe('the logo', () => {
  const picture = () =>
    sharp({ create: { width: 900, height: 600, channels: 3, background: '#0a7' } })
      .png()
      .withMetadata({ exif: { IFD0: { Artist: 'nobody' } } })
      .toBuffer();

  async function send(bytes: Buffer, more: Record<string, string | number> = {}): Promise<string> {
    const { said, body } = await call(admin.http, `company/${companyId}/logo_upload/`, { size: bytes.length, path: '/logo.png', ...more });
    expect(said).toBe('200');
    expect(body).toEqual({
      url: expect.any(String),
      method: 'PUT',
      headers: expect.any(Object),
      parameters: {},
      confirm_url: expect.any(String),
      temp_name: expect.any(String),
    });
    expect(await admin.put(body as never, bytes)).toBe(200);
    return String(body['confirm_url']);
  }
  const confirm = async (url: string, http = admin.http) => {
    const reply = await http.send(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' });
    return `${reply.status} ${String(reply.json()['code'])}`;
  };

  it('is sent, made anew, shown to everybody, replaced and taken away', async () => {
    const url = await send(await picture());
    expect(await confirm(url)).toBe('200 OK');
    expect(await confirm(url), 'again').toBe('200 OK');
    const { logo } = (await call(town.anonymous, 'company/domain/acme.example')).body as { logo: string };
    expect(await info(member.http)).toMatchObject({ logo, logo_url: logo });
    const shown = await town.anonymous.send(logo);
    expect([shown.status, shown.headers['content-type'], shown.headers['cache-control']]).toEqual([
      200,
      'image/jpeg',
      'public, max-age=31536000, immutable',
    ]);
    expect(await sharp(shown.body).metadata()).toMatchObject({ format: 'jpeg', width: 512, height: 341 });
    expect(shown.body.includes('nobody')).toBe(false);
    expect((await town.anonymous.send(logo, { headers: { 'if-none-match': String(shown.headers.etag) } })).status).toBe(304);
    expect((await town.anonymous.send(logo, { method: 'HEAD' })).body).toHaveLength(0);

    expect(await confirm(await send(await picture()))).toBe('200 OK');
    const second = String((await info())['logo']);
    expect(second).not.toBe(logo);
    expect((await town.anonymous.send(logo)).status).toBe(404);
    for (const prefix of ['company', 'accounts/company']) expect((await call(admin.http, `${prefix}/${companyId}/logo_clear/`)).said).toBe('200');
    expect(await info()).toMatchObject({ logo: '', logo_url: '' });
    expect((await town.anonymous.send(second)).status).toBe(404);
    const { rows } = await db.query(`SELECT 1 FROM derived_objects WHERE kind = 'logo' AND expires_at > now()`);
    expect(rows).toEqual([]);
    expect((await admin.metadata('/')).content).toEqual([]);
  });

  it('refuses what is no picture, too large, or not what was said', async () => {
    for (const bytes of [Buffer.from('<?php echo 1;'), Buffer.from('<svg><script>alert(1)</script>'), Buffer.alloc(1000), Buffer.alloc(0)]) {
      expect(await confirm(await send(bytes)), bytes.toString().slice(0, 20)).toBe('400 InvalidParameters');
    }
    expect((await call(admin.http, `company/${companyId}/logo_upload/`, { size: 11 * 2 ** 20 })).said).toBe('413 TooLarge');
    const bytes = await picture();
    expect(await confirm(`${await send(bytes)}&size=5`)).toBe('400 SizeMismatch');
    expect(await confirm(`${await send(bytes)}&checksum=${'0'.repeat(32)}`)).toBe('400 ChecksumMismatch');
    expect(await confirm(await send(bytes, { checksum: 'f'.repeat(32) }))).toBe('400 ChecksumMismatch');
    const { body } = await call(admin.http, `company/${companyId}/logo_upload/`);
    expect(await confirm(String(body['confirm_url'])), 'nothing was sent').toBe('404 FileNotFound');
    expect((await call(admin.http, `company/${companyId}/logo_confirm/`, { temp_name: '1_0' })).said).toBe('404 FileNotFound');
    expect((await call(admin.http, `company/${companyId}/logo_confirm/`)).said).toBe('400 InvalidParameters');
    expect(await info()).toMatchObject({ logo: '' });
  });

  it('is for administrators of the company', async () => {
    await refusals('company/{id}/logo_upload/');
    await refusals('company/{id}/logo_confirm/', { temp_name: 'x' });
    await refusals('company/{id}/logo_clear/');
    const url = await send(await picture());
    expect(await confirm(url.replace(`company/${companyId}/`, `company/${rivalId}/`), rival.http), 'an upload of somebody else').toBe(
      '404 FileNotFound',
    );
    const file = await admin.upload('/picture.png', await picture());
    expect(file.path).toBe('/picture.png');
    expect((await town.anonymous.send(`/api/1/company/logo/${'0'.repeat(8)}-0000-7000-8000-${'0'.repeat(12)}/`)).status).toBe(404);
    expect((await town.anonymous.send('/api/1/company/logo/abc/')).status).toBe(404);
  });
});

describe('states', () => {
  const mails = async (to: string) => {
    const folder = `${stack.dataDir}/outbox`;
    const names = await readdir(folder).catch(() => []);
    const texts = await Promise.all(names.map((name) => readFile(`${folder}/${name}`, 'utf8')));
    return texts.filter((text) => text.includes(to));
  };

  it('begin with waiting, until an administrator of the system says yes or no', async () => {
    const { admin: founder, companyId: id } = await town.found('Fresh');
    expect(await info(founder.http, id)).toMatchObject({ status: 'waiting' });
    const hire = () => call(founder.http, `company/${id}/invite_user/`, { email: town.freshEmail() });
    expect((await hire()).said).toBe('403 Forbidden');
    expect((await call(system.http, `admin/company/${id}/deny/`, { reason: 'Not yet.' })).said).toBe('200');
    expect((await call(system.http, `admin/company/${id}/deny/`)).said, 'again').toBe('200');
    expect(await info(system.http, id)).toMatchObject({ status: 'denied' });
    expect((await call(founder.http, `company/${id}`)).said, 'nobody gets in').toBe('401 Unauthorized');
    expect((await system.http.send(`/api/1/admin/company/${id}/approve/`)).status).toBe(200);
    expect(await info(founder.http, id)).toMatchObject({ status: 'active' });
    expect((await hire()).said).toBe('200');
    await expect.poll(async () => (await mails(founder.email)).length, { timeout: 20_000 }).toBe(2);
    expect((await mails(founder.email)).join()).toContain('Not yet.');
    expect((await call(system.http, `admin/company/${id}/approve/`)).said, 'again').toBe('200');
    expect((await call(system.http, `admin/company/${id}/deny/`)).said, 'too late').toBe('400 InvalidParameters');
  });

  it('are read by administrators and changed by those of the system', async () => {
    for (const prefix of ['company', 'accounts/company'])
      expect((await call(admin.http, `${prefix}/${companyId}/status/`)).body).toEqual({ company_id: companyId, status: 'active' });
    await refusals('company/{id}/status/');
    expect((await call(admin.http, `company/${companyId}/status/`, { status: 'inactive' })).said).toBe('403 Forbidden');
    expect((await call(system.http, `company/${companyId}/status/`, { status: 'removing' })).said).toBe('400 InvalidParameters');
    expect((await call(system.http, `company/${companyId}/status/`, { status: 'inactive' })).body).toEqual({
      company_id: companyId,
      status: 'inactive',
    });
    for (const person of [admin, member]) {
      expect((await call(person.http, 'accounts/get/')).said, 'its people are out').toBe('401 Unauthorized');
      expect((await call(town.anonymous, 'accounts/login/', { login: `email:${person.email}`, password: 'correct horse battery' })).said).toBe(
        '403 UserDisabled',
      );
    }
    await call(system.http, `company/${companyId}/status/`, { status: 'active' });
    for (const person of [admin, member]) expect((await call(person.http, 'accounts/get/')).said).toBe('200');
  });

  it('end with the plan, and go on with it', async () => {
    for (const path of ['company/{id}/set_expired', 'company/{id}/remove/', 'admin/company/{id}/approve/', 'admin/company/{id}/deny/']) {
      await refusals(path);
      expect((await call(admin.http, path.replace('{id}', String(companyId)))).said, path).toBe('403 Forbidden');
    }
    expect((await call(system.http, `accounts/company/${companyId}/set_expired`)).said).toBe('200');
    expect(await info()).toMatchObject({ status: 'expired', plan_expired: true });
    expect((await call(admin.http, `company/${companyId}/invite_user/`, { email: town.freshEmail() })).said).toBe('403 Forbidden');
    expect((await call(system.http, `company/${companyId}/set_expired`, { expired: false })).said).toBe('200');
    expect(await info()).toMatchObject({ status: 'active', plan_expired: false });
  });

  it('end for good when nobody and nothing is left', async () => {
    const { admin: founder, companyId: id } = await town.found('Short');
    const refused = await call(system.http, `company/${id}/remove/`);
    expect([refused.said, refused.body['reason']]).toEqual(['400 InvalidParameters', 'users']);
    await db.query('UPDATE companies SET owner_id = NULL WHERE id = $1', [id]);
    await db.query('UPDATE accounts SET company_id = NULL WHERE id = $1', [founder.userId]);
    await db.query(`INSERT INTO quotas (owner_kind, owner_id, used_bytes) VALUES ('company', $1, 5)`, [id]);
    expect((await call(system.http, `company/${id}/remove/`)).body).toMatchObject({ code: 'InvalidParameters', reason: 'data' });
    await db.query(`UPDATE quotas SET used_bytes = 0 WHERE owner_kind = 'company' AND owner_id = $1`, [id]);
    const both = await Promise.all([call(system.http, `company/${id}/remove/`), call(system.http, `accounts/company/${id}/remove/`)]);
    // in the background: who comes second may find it gone already
    expect(both.map(({ said }) => said).filter((text) => text === '200').length).toBeGreaterThan(0);
    expect(both.every(({ said }) => said === '200' || said === '404 CompanyNotFound')).toBe(true);
    await system.finished(both.find(({ said }) => said === '200')!.body['taskid'] as string);
    expect((await call(system.http, `company/${id}`)).said).toBe('404 CompanyNotFound');
    expect((await db.query(`SELECT 1 FROM quotas WHERE owner_kind = 'company' AND owner_id = $1`, [id])).rows).toEqual([]);
  });

  it('change the owner, by the owner or the system', async () => {
    const path = `company/${companyId}/admin_change/`;
    expect((await call(admin.http, path)).said).toBe('400 InvalidParameters');
    for (const nobody of [rival.userId, stranger.userId, 999_999])
      expect((await call(admin.http, path, { user_id: nobody })).said).toBe('404 UserNotFound');
    await refusals('company/{id}/admin_change/', { user_id: member.userId });
    expect((await call(admin.http, `accounts/${path}`, { user_id: member.userId })).body).toMatchObject({ owner_id: member.userId });
    expect((await call(admin.http, path, { user_id: admin.userId })).said, 'still an administrator, no owner any more').toBe('403 Forbidden');
    expect(await info(member.http)).toMatchObject({ owner_id: member.userId, status: 'active' });
    expect((await call(system.http, path, { user_id: admin.userId })).body).toMatchObject({ owner_id: admin.userId });
    await call(admin.http, 'accounts/change_admin_rights', { user_id: member.userId, value: false });
  });
});

describe('find_companies', () => {
  const find = async (params: Record<string, string | number> = {}) =>
    (await call(system.http, 'admin/find_companies/', params)).body as {
      companies: Record<string, unknown>[];
      limit: number;
      offset: number;
      count: number;
    };
  const names = async (params: Record<string, string | number>) => (await find(params)).companies.map(({ name }) => name);

  it('finds by every filter, in order and by pages', async () => {
    await call(system.http, `admin/company/${rivalId}/edit_user/`, {
      quota_size: 5000,
      hard_quota_size: 6000,
      quota_employees_count: 7,
      plan: 'silver',
    });
    const all = await find();
    expect(all).toMatchObject({ limit: 20, offset: 0, count: all.companies.length });
    const [own] = (await find({ company_id: companyId })).companies;
    expect(own).toMatchObject({
      company_id: companyId,
      name: 'Acme',
      owner_id: admin.userId,
      domain: 'acme.example',
      status: 'active',
      public_links_allow: true,
      employees_count: 2,
    });
    for (const params of <Record<string, string | number>[]>[
      { name: 'acme' },
      { domain: 'ACME.EXAMPLE' },
      { owner_id: admin.userId },
      { registration_date: Number(own!['registration_date']) },
      { company_id_in: JSON.stringify([companyId, 999_999]) },
      { name_in: JSON.stringify(['ACME', 'nobody']) },
      { owner_id_in: `[${admin.userId}]` },
      { domain_in: JSON.stringify(['acme.example']) },
      { employees_count: 2, status: 'active', name: 'Acme' },
    ]) {
      expect(await names(params), JSON.stringify(params)).toEqual(['Acme']);
    }
    expect(await names({ quota_employees_count: 7 })).toEqual(['Rival']);
    expect(await names({ name: 'Acme', domain_in: '["other.example"]' })).toEqual([]);
    expect(await names({ storage_size_from: 1 })).toEqual(['Acme']);
    expect(
      await names({ storage_size_to: 9_000_000, company_id_in: `${companyId},${rivalId}`, order_field: 'name', order_direction: 'DESCENDING' }),
    ).toEqual(['Rival', 'Acme']);
    expect(await find({ order_field: 'company_id', limit: 1, offset: 1 })).toMatchObject({
      limit: 1,
      offset: 1,
      count: all.count,
      companies: [{ company_id: all.companies[1]!['company_id'] }],
    });
    for (const field of [
      'company_id',
      'name',
      'domain',
      'status',
      'owner_id',
      'registration_date',
      'employees_count',
      'quota_employees_count',
      'storage_size',
      'nonsense',
    ])
      expect((await find({ order_field: field, order_direction: 'DESCENDING' })).count).toBe(all.count);
  });

  it('is for administrators of the system', async () => {
    for (const other of [admin, member, stranger]) expect((await call(other.http, 'admin/find_companies/')).said).toBe('403 Forbidden');
    expect((await call(town.anonymous, 'admin/find_companies/')).said).toBe('401 Unauthorized');
    for (const wrong of [{ limit: -1 }, { company_id: 'x' }, { name_in: '[1]' }, { registration_date: 'soon' }])
      expect((await call(system.http, 'admin/find_companies/', wrong)).said).toBe('400 InvalidParameters');
  });

  it('shows what edit_user set', async () => {
    expect(await info(rival.http, rivalId)).toMatchObject({ quota_size: 5000, hard_quota_size: 6000, quota_employees_count: 7, plan: 'silver' });
    const path = `admin/company/${rivalId}/edit_user/`;
    expect((await call(system.http, path, { quota_size: 0 })).said).toBe('200');
    expect(await info(rival.http, rivalId)).toMatchObject({ quota_size: 0, hard_quota_size: 0, quota_employees_count: 7 });
    expect((await call(system.http, path)).said).toBe('400 InvalidParameters');
    expect((await call(system.http, path, { quota_size: 10, hard_quota_size: 5 })).said).toBe('400 InvalidParameters');
    expect((await call(system.http, path, { quota_size: -2 })).said).toBe('400 InvalidParameters');
    expect((await call(rival.http, path, { quota_size: 10 })).said).toBe('403 Forbidden');
    await refusals('admin/company/{id}/edit_user/', { quota_size: 10 });
  });
});
