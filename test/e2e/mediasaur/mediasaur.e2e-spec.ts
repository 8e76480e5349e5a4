import { createHash } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { call, CompanyTown } from '../../support/companies.js';
import type { HttpSession } from '../../support/http-session.js';
import { type MediaFile, mediaForm, MediasaurUser } from '../../support/mediasaur-user.js';
import { type Stack, startStack } from '../../support/stack.js';
import { SOURCE_CALLS } from './source-calls.js';

// docs/contracts/mediasaur.md 3.1 to 3.5, and the calls of docs/contracts/cloudike.md 23 by which its keys and buckets are made.

const HOST = 'media.example.org';
const UNKNOWN = '00000000-0000-7000-8000-000000000000';
const NO_KEY = `sk_${'a'.repeat(43)}`;

let stack: Stack;
let town: CompanyTown;
let anonymous: HttpSession;
let admin: CloudikeUser;
let founder: CloudikeUser;
let companyId: number;
let jane: CloudikeUser;
let stranger: CloudikeUser;
let media: MediasaurUser;
let other: MediasaurUser;

beforeAll(async () => {
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_API_HOSTS: `mediasaur=${HOST}` } });
  town = new CompanyTown(stack.baseUrl);
  ({ anonymous } = town);
  admin = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
  ({ admin: founder, companyId } = await town.found('Pictures'));
  jane = await town.hire(founder, companyId, 'Jane');
  stranger = await CloudikeUser.register(stack.baseUrl);
  for (const name of ['photos', 'films']) await bucket(jane, name);
  await bucket(stranger, 'photos');
  media = await MediasaurUser.of(stack.baseUrl, jane);
  other = await MediasaurUser.of(stack.baseUrl, stranger);
});
afterAll(async () => {
  media?.close();
  other?.close();
  admin?.http.close();
  town?.close();
  await stack?.stop();
});

const bucket = (person: CloudikeUser, name: string, plan?: string) => call(person.http, 'accounts/buckets/create/', { name, plan });
const said = async (http: HttpSession, path: string, params = {}) => (await call(http, path, params)).said;
/** Of any holder, or of nobody. */
async function fetched(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const { pathname, search } = new URL(url);
  const reply = await anonymous.send(`${pathname}${search}`, { method, headers });
  return { status: reply.status, body: reply.body, headers: reply.headers };
}
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe('keys and buckets at the main API', () => {
  it.each([
    ['service_accounts', 'client_secret'],
    ['api_keys', 'api_key'],
    ['developer_keys', 'developer_key'],
  ])('%s are made, listed without their secret, and revoked', async (kind, secretName) => {
    const { body: made } = await call(jane.http, `accounts/${kind}/create/`, { name: 'mine' });
    expect(made[secretName]).toMatch(/^sk_[\w-]{43}$/);
    if (kind === 'service_accounts') expect(made['client_id']).toMatch(/^id_[\w-]{22}$/);
    const listed = await jane.http.get<{ content: { id: string }[] }>(`/api/1/accounts/${kind}/list/`);
    const row = listed.content.find(({ id }) => id === made['id'])!;
    expect(row).toMatchObject({ name: 'mine', hint: String(made[secretName]).slice(-4), last_used: null });
    expect(JSON.stringify(listed)).not.toContain(String(made[secretName]));
    for (const params of [{}, { name: '' }, { name: 'x'.repeat(256) }, { name: 'a\nb' }]) {
      expect(await said(jane.http, `accounts/${kind}/create/`, params)).toBe('400 InvalidParameters');
    }
    const id = String(made['id']);
    expect(await said(anonymous, `accounts/${kind}/create/`, { name: 'x' })).toBe('401 Unauthorized');
    expect(await said(anonymous, `accounts/${kind}/list/`)).toBe('401 Unauthorized');
    expect(await said(stranger.http, `accounts/${kind}/revoke/`, { id })).toBe('404 TokenNotFound');
    // administrators of his company, and nobody else
    expect(await said(stranger.http, `company/${kind}/list/`, { user_id: jane.userId })).toBe('404 UserNotFound');
    expect(await said(jane.http, `company/${kind}/list/`, { user_id: founder.userId })).toBe('403 Forbidden');
    expect(await said(jane.http, `company/${kind}/create/`, { user_id: founder.userId, name: 'x' })).toBe('403 Forbidden');
    expect(await said(founder.http, `accounts/company/${kind}/list/`, { user_id: jane.userId })).toBe('200');
    expect(await said(founder.http, `company/${kind}/revoke/`, { user_id: jane.userId, id })).toBe('200');
    for (const gone of [id, UNKNOWN, 'nonsense']) expect(await said(jane.http, `accounts/${kind}/revoke/`, { id: gone })).toBe('404 TokenNotFound');
    const forHim = await call(founder.http, `company/${kind}/create/`, { user_id: jane.userId, name: 'from the company' });
    expect(await said(jane.http, `accounts/${kind}/revoke/`, { id: String(forHim.body['id']) })).toBe('200');
  });

  it('buckets have names and plans, and go with their files only when that is said', async () => {
    expect((await bucket(jane, 'papers', 'free')).body).toMatchObject({
      name: 'papers',
      usage: { storage_bytes: 0, file_count: 0, bandwidth_bytes: 0 },
      plan: { id: 'free', name: 'Free' },
    });
    expect((await bucket(jane, 'papers')).said).toBe('403 AlreadyExists');
    for (const name of ['', 'ab', 'Capital', '../x', 'x'.repeat(64)]) expect((await bucket(jane, name)).said).toBe('400 InvalidParameters');
    expect((await bucket(jane, 'golden', 'gold')).said).toBe('400 InvalidParameters');
    expect((await bucket({ http: anonymous } as CloudikeUser, 'nobodys')).said).toBe('401 Unauthorized');
    await media.put('papers', 'a/b.txt', 'text');
    const { content } = await jane.http.get<{ content: { name: string; usage: unknown }[] }>('/api/1/accounts/buckets/list/');
    expect(content.map(({ name }) => name)).toEqual(['films', 'papers', 'photos']);
    expect(content[1]!.usage).toEqual({ storage_bytes: 4, file_count: 1, bandwidth_bytes: 0 });
    expect(await said(stranger.http, 'accounts/buckets/revoke/', { name: 'papers' })).toBe('404 NotFound');
    expect(await said(jane.http, 'accounts/buckets/revoke/', { name: 'papers' })).toBe('403 FolderNotEmpty');
    expect(await said(jane.http, 'accounts/buckets/revoke/', { name: 'papers', force: true })).toBe('200');
    expect((await media.say('GET', '/buckets/papers')).said).toBe('404 not_found');
    expect(await said(founder.http, 'company/buckets/create/', { user_id: jane.userId, name: 'by-the-boss' })).toBe('200');
    expect(await said(jane.http, 'accounts/buckets/revoke/', { name: 'by-the-boss' })).toBe('200');
  });

  it('keys reach what they name', async () => {
    const narrow = await MediasaurUser.of(stack.baseUrl, jane, ['films']);
    const file = await media.put('photos', 'narrow.txt', 'x');
    expect((await narrow.call<{ buckets: { name: string }[] }>('GET', '/buckets')).buckets.map(({ name }) => name)).toEqual(['films']);
    expect((await narrow.say('GET', '/buckets/photos')).said).toBe('404 not_found');
    expect((await narrow.say('GET', '/files?bucket=photos')).said).toBe('404 not_found');
    expect((await narrow.say('GET', `/files/${file.id}`)).said).toBe('404 not_found');
    expect((await narrow.upload({ bucket: 'photos', path: 'x' }, 'x', Buffer.from('x'))).said).toBe('404 not_found');
    expect(await fetched(file.url, bearer(narrow.key))).toMatchObject({ status: 404 });
    narrow.close();
    expect(await said(jane.http, 'accounts/api_keys/create/', { name: 'x', buckets: 'nothing' })).toBe('404 NotFound');
  });
});

describe('the calls of the source document', () => {
  it('are answered as it says', async () => {
    const file = await media.put('photos', 'users/123/avatar.png', 'picture');
    const values: Record<string, string> = { BUCKET: 'photos', OTHER: 'films', FILE: file.id, SECRET: media.key };
    const filled = (text: string) => text.replace(/BUCKET|OTHER|FILE|SECRET/g, (word) => values[word]!);
    const answers: Record<string, unknown>[] = [];
    for (const { method, path, headers, query, body } of SOURCE_CALLS) {
      const search = query ? `?${new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, filled(value)]))}` : '';
      const text = body && filled(JSON.stringify(body)).replace('123/avatar.png","visibility', '123/x.png","visibility');
      const reply = await anonymous.send(`/mediasaur/v1${filled(path)}${search}`, {
        method,
        headers: {
          ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filled(value)])),
          ...(text ? { 'content-length': String(Buffer.byteLength(text)) } : {}),
        },
        ...(text ? { body: text } : {}),
      });
      expect([reply.status, path, method]).toEqual([200, path, method]);
      answers.push(reply.json());
    }
    const [buckets, photos, page, one, changed, byPath, byIds, moved, gone] = answers;
    expect(buckets).toMatchObject({ buckets: [{ name: 'films' }, { name: 'photos' }] });
    expect(photos).toMatchObject({
      id: expect.any(String),
      name: 'photos',
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      usage: { storage_bytes: expect.any(Number), file_count: expect.any(Number), bandwidth_bytes: expect.any(Number) },
      pricing_plan: { id: 'unlimited', name: 'Unlimited', storage_limit_bytes: null, bandwidth_limit_bytes: null },
    });
    expect(page).toMatchObject({ total: 1, limit: 100, offset: 0, has_more: false, files: [{ id: file.id, path: 'users/123/avatar.png' }] });
    expect(one).toEqual(file);
    expect(Object.keys(file).sort()).toEqual(
      ['bucket', 'created_at', 'id', 'metadata', 'mime_type', 'name', 'path', 'size', 'updated_at', 'url', 'visibility'].sort(),
    );
    expect(changed).toMatchObject({ id: file.id, path: 'users/123/me.png', name: 'me.png', visibility: 'PUBLIC' });
    expect(byPath).toMatchObject({ files: [{ bucket: 'films', path: 'copies/me.png', visibility: 'PUBLIC', size: 7 }] });
    expect(byIds).toMatchObject({ files: [{ bucket: 'photos', path: 'copies/me.png' }] });
    expect(moved).toMatchObject({ files: [{ id: file.id, path: 'moved/me.png' }] });
    expect(gone).toEqual({ success: true, id: file.id });
    expect((await media.list('photos', { path: 'copies/' })).map(({ path }) => path)).toEqual(['copies/me.png']);
    expect(await fetched((await media.list('films'))[0]!.url)).toMatchObject({ status: 200, body: Buffer.from('picture') });
  });

  it('come on a host name of their own without the prefix, and the version may be left out', async () => {
    const at = (path: string, headers = {}) => anonymous.send(path, { headers: { host: HOST, ...bearer(media.key), ...headers } });
    expect((await at('/buckets')).json()).toMatchObject({ buckets: [{ name: 'films' }, { name: 'photos' }] });
    expect((await at('/v1/buckets')).status).toBe(200);
    expect((await anonymous.send('/mediasaur/buckets', { headers: bearer(media.key) })).status).toBe(200);
    expect((await anonymous.send('/buckets', { headers: bearer(media.key) })).status).toBe(404);
    const form = mediaForm({ bucket: 'films', path: 'at-host.txt' }, 'x', Buffer.from('at host'));
    const uploaded = await anonymous.send('/', { method: 'POST', headers: { ...form.headers, ...bearer(media.key), host: HOST }, body: form.body });
    expect([uploaded.status, uploaded.json()['path']]).toEqual([201, 'at-host.txt']);
    expect((await media.say('GET', '/nothing')).said).toBe('404 not_found');
    expect((await media.say('POST', '/buckets')).said).toBe('405 MethodNotAllowed');
    expect((await anonymous.send('/mediasaur/v1/files', { method: 'OPTIONS' })).status).toBe(204);
  });
});

describe('without a good key', () => {
  it('nothing is done', async () => {
    const file = await media.put('photos', 'guarded.txt', 'x');
    const { token } = await media.call<{ token: string }>('POST', '/token', { bucket: 'photos', path: 'guarded.txt' });
    const revoked = await MediasaurUser.of(stack.baseUrl, jane);
    expect(await said(jane.http, 'accounts/api_keys/revoke/', { id: revoked.keyId })).toBe('200');
    const { body: pair } = await call(jane.http, 'accounts/service_accounts/create/', { name: 'x' });
    const calls: readonly (readonly [string, string, unknown?])[] = [
      ...([
        ['GET', '/buckets'],
        ['GET', '/buckets/photos'],
        ['GET', '/files?bucket=photos'],
        ['GET', `/files/${file.id}`],
      ] as const),
      ...([
        ['GET', `/files/${file.id}/signed_url`],
        ['DELETE', `/files/${file.id}`],
      ] as const),
      ['PATCH', `/files/${file.id}`, { name: 'x' }],
      ['PUT', `/files/${file.id}`, { name: 'x' }],
      ['POST', '/files/copy', { source_bucket: 'photos', target_bucket: 'films', target_path: 'x', source_path: 'guarded.txt' }],
      ['POST', '/files/move', { bucket: 'photos', file_ids: [file.id], target_path: 'x' }],
      ['POST', '/token', { bucket: 'photos', path: 'x' }],
    ];
    const wrong = [
      '',
      'Basic eDp5',
      `Bearer ${NO_KEY}`,
      `Bearer ${revoked.key}`,
      `Bearer ${jane.token}`,
      `Bearer ${String(pair['client_secret'])}`,
      'Bearer',
    ];
    for (const [method, path, body] of calls) {
      for (const authorization of [...wrong, `Bearer ${token}`]) {
        const reply = await media.say(method, path, body, { authorization });
        expect([method, path, authorization.slice(0, 12), reply.said]).toEqual([method, path, authorization.slice(0, 12), '401 unauthorized']);
      }
    }
    for (const authorization of wrong) {
      const form = await media.upload({ bucket: 'photos', path: 'x' }, 'x', Buffer.from('x'), { bearer: authorization.replace('Bearer ', '') });
      expect(form.said).toBe('401 unauthorized');
    }
    expect((await fetched(file.url, { authorization: `Bearer ${NO_KEY}` })).status).toBe(401);
    expect(await media.call('GET', `/files/${file.id}`)).toEqual(file);
    revoked.close();
  });

  it('a stranger finds nothing', async () => {
    const file = await media.put('photos', 'hidden.txt', 'x');
    await other.put('photos', 'own.txt', 'x');
    expect((await other.say('GET', '/buckets/films')).said).toBe('404 not_found');
    expect((await other.list('photos')).map(({ path }) => path)).toEqual(['own.txt']);
    const foreign = [
      () => other.say('GET', `/files/${file.id}`),
      () => other.say('GET', `/files/${file.id}/signed_url`),
      () => other.say('PATCH', `/files/${file.id}`, { name: 'x' }),
      () => other.say('DELETE', `/files/${file.id}`),
      () => other.say('POST', '/files/move', { bucket: 'photos', file_ids: [file.id], target_path: 'x' }),
      () => other.say('POST', '/files/copy', { source_bucket: 'photos', target_bucket: 'photos', file_ids: [file.id], target_path: 'x' }),
      () => other.say('POST', '/files/copy', { source_bucket: 'films', target_bucket: 'photos', source_path: 'x', target_path: 'x' }),
      () => other.say('POST', '/token', { bucket: 'films', path: 'x' }),
      () => other.upload({ bucket: 'films', path: 'x' }, 'x', Buffer.from('x')),
      () => other.upload({ bucket: 'films', path: 'x' }, 'x', Buffer.from('x'), { fileFirst: true }),
    ];
    for (const [nth, ask] of foreign.entries()) expect([nth, (await ask()).said]).toEqual([nth, '404 not_found']);
    expect((await fetched(file.url, bearer(other.key))).status).toBe(404);
  });
});

describe('bad values', () => {
  it('are refused', async () => {
    const file = await media.put('photos', 'bad/values.txt', 'x');
    await media.put('photos', 'bad/taken.txt', 'x');
    const id = file.id;
    const cases: readonly (readonly [string, string, unknown, string])[] = [
      ...(
        [
          '',
          '?bucket=',
          '?bucket=photos&limit=0',
          '?bucket=photos&limit=1001',
          '?bucket=photos&limit=x',
          '?bucket=photos&offset=-1',
          '?bucket=photos&offset=1.5',
        ] as const
      ).map((query) => ['GET', `/files${query}`, undefined, '400 invalid_request'] as const),
      ['GET', '/files?bucket=photos&bucket=films', undefined, '400 invalid_request'],
      ['GET', '/files?bucket=nothing', undefined, '404 not_found'],
      ...(['GET', 'DELETE'] as const).flatMap((method) =>
        [UNKNOWN, 'nonsense', '..%2f..'].map((unknown) => [method, `/files/${unknown}`, undefined, '404 not_found'] as const),
      ),
      ...[
        {},
        { name: 7 },
        { name: '' },
        { name: '..' },
        { name: 'a/b' },
        { path: '' + '../x' },
        { path: 'a//b' },
        { path: 'a\u0000b' },
        { path: `${'x/'.repeat(511)}yyy` },
      ].map((body) => ['PATCH', `/files/${id}`, body, '400 invalid_request'] as const),
      ...[{ visibility: 'public' }, { visibility: 'SECRET' }, { visibility: true }].map(
        (body) => ['PATCH', `/files/${id}`, body, '400 invalid_request'] as const,
      ),
      ['PATCH', `/files/${UNKNOWN}`, { name: 'x' }, '404 not_found'],
      ['PATCH', `/files/${id}`, { path: 'bad/TAKEN.txt' }, '409 conflict'],
      ['PATCH', `/files/${id}`, { path: 'bad/taken.txt/below' }, '409 conflict'],
      ['POST', '/files/copy', { source_bucket: 'photos', target_bucket: 'photos', target_path: 'x' }, '400 invalid_request'],
      [
        'POST',
        '/files/copy',
        { source_bucket: 'photos', target_bucket: 'photos', target_path: 'x', source_path: 'x', file_ids: [id] },
        '400 invalid_request',
      ],
      ['POST', '/files/copy', { source_bucket: 'photos', target_bucket: 'photos', source_path: 'bad/values.txt' }, '400 invalid_request'],
      [
        'POST',
        '/files/copy',
        { source_bucket: 'photos', target_bucket: 'nothing', target_path: 'x', source_path: 'bad/values.txt' },
        '404 not_found',
      ],
      ['POST', '/files/copy', { source_bucket: 'photos', target_bucket: 'photos', target_path: 'x', source_path: 'bad' }, '404 not_found'],
      ['POST', '/files/copy', { source_bucket: 'photos', target_bucket: 'photos', target_path: 'bad/', file_ids: [id] }, '409 conflict'],
      ['POST', '/files/copy', { source_bucket: 'photos', target_bucket: 'photos', target_path: 'x', file_ids: [id, UNKNOWN] }, '404 not_found'],
      ['POST', '/files/copy', { source_bucket: 'films', target_bucket: 'photos', target_path: 'x', file_ids: [id] }, '404 not_found'],
      ['POST', '/files/move', { bucket: 'photos', target_path: 'x' }, '400 invalid_request'],
      ['POST', '/files/move', { bucket: 'photos', file_ids: id, target_path: 'x' }, '400 invalid_request'],
      ['POST', '/files/move', { bucket: 'photos', file_ids: [id] }, '400 invalid_request'],
      ['POST', '/files/move', { bucket: 'films', file_ids: [id], target_path: 'x' }, '404 not_found'],
      ['POST', '/files/move', { bucket: 'photos', file_ids: ['nonsense'], target_path: 'x' }, '404 not_found'],
      ['POST', '/files/move', { bucket: 'photos', file_ids: [id], target_path: '../x' }, '400 invalid_request'],
      ['POST', '/token', { bucket: 'photos' }, '400 invalid_request'],
      ['POST', '/token', { bucket: 'nothing', path: 'x' }, '404 not_found'],
      ['POST', '/token', { bucket: 'photos', path: '../x' }, '400 invalid_request'],
      ...[0, -1, 604_801, 'x', 1.5].map(
        (expires_in) => ['POST', '/token', { bucket: 'photos', path: 'x', expires_in }, '400 invalid_request'] as const,
      ),
      ['GET', `/files/${id}/signed_url?expires_in=0`, undefined, '400 invalid_request'],
      ['GET', `/files/${UNKNOWN}/signed_url`, undefined, '404 not_found'],
    ];
    for (const [method, path, body, expected] of cases) {
      expect([method, path, body, (await media.say(method, path, body)).said]).toEqual([method, path, body, expected]);
    }
    for (const [method, path] of [
      ['PATCH', `/files/${id}`],
      ['POST', '/files/copy'],
      ['POST', '/files/move'],
    ] as const) {
      const reply = await media.say(method, path, undefined, { 'content-type': 'text/plain' });
      expect(reply.said).toBe('400 invalid_request');
    }
    expect((await media.say('PATCH', `/files/${id}`, undefined, { 'content-type': 'application/json' })).said).toBe('400 invalid_request');
    expect((await media.list('photos', { path: 'bad/' })).map(({ path }) => path)).toEqual(['bad/taken.txt', 'bad/values.txt']);
    expect(await media.call('GET', `/files/${id}`)).toEqual(file);
  });
});

describe('uploads', () => {
  it('take bytes with the fields in front of them or behind, and say where they are', async () => {
    const bytes = Buffer.alloc(300_000, 'stowage');
    for (const fileFirst of [false, true]) {
      const path = `up/${fileFirst}.png`;
      const made = await media.upload({ bucket: 'films', path, visibility: 'PUBLIC', metadata: '{"alt":"a picture"}' }, 'x.bin', bytes, {
        fileFirst,
      });
      expect(made).toMatchObject({
        said: '201',
        body: { bucket: 'films', path, size: bytes.length, mime_type: 'image/png', visibility: 'PUBLIC', metadata: { alt: 'a picture' } },
      });
      const got = await fetched(String(made.body['url']));
      expect(createHash('md5').update(got.body).digest('hex')).toBe(createHash('md5').update(bytes).digest('hex'));
      expect(got.headers).toMatchObject({ 'content-type': 'image/png', 'x-content-type-options': 'nosniff', 'access-control-allow-origin': '*' });
    }
    expect(await media.upload({ bucket: 'films', path: 'up/dir/' }, 'own name.txt', Buffer.from('x'))).toMatchObject({
      said: '201',
      body: { path: 'up/dir/own name.txt' },
    });
    expect(await media.upload({ bucket: 'films' }, 'top.txt', Buffer.from(''))).toMatchObject({
      said: '201',
      body: { path: 'top.txt', size: 0, visibility: 'PRIVATE' },
    });
    const again = await media.put('films', 'top.txt', 'new', { visibility: 'PUBLIC' });
    expect((await media.put('films', 'top.txt', 'newer')).id).toBe(again.id);
    expect(await media.call('GET', `/files/${again.id}`)).toMatchObject({ size: 5, visibility: 'PUBLIC' });
    const racing = await Promise.all(Array.from({ length: 4 }, (_, nth) => media.put('films', 'race.txt', 'x'.repeat(nth + 1))));
    expect(new Set(racing.map(({ id }) => id)).size).toBe(1);
  });

  it('are refused whole', async () => {
    const before = await media.call<{ usage: unknown }>('GET', '/buckets/films');
    const tries: readonly (readonly [Record<string, string>, string])[] = [
      [{ path: 'x' }, '400 invalid_request'],
      [{ bucket: 'films', path: '../x' }, '400 invalid_request'],
      [{ bucket: 'films', path: 'a//x' }, '400 invalid_request'],
      [{ bucket: 'films', path: 'x', visibility: 'open' }, '400 invalid_request'],
      [{ bucket: 'films', path: 'x', metadata: '[1]' }, '400 invalid_request'],
      [{ bucket: 'films', path: 'x', metadata: '{' }, '400 invalid_request'],
      [{ bucket: 'nothing', path: 'x' }, '404 not_found'],
      [{ bucket: 'films', path: 'up' }, '409 conflict'],
    ];
    for (const fileFirst of [false, true]) {
      for (const [fields, expected] of tries) {
        expect([fields, (await media.upload(fields, 'x.bin', Buffer.from('x'), { fileFirst })).said]).toEqual([fields, expected]);
      }
    }
    expect((await media.say('POST', '/upload', { bucket: 'films' })).said).toBe('400 invalid_request');
    expect(await media.call('GET', '/buckets/films')).toMatchObject({ usage: before.usage });
    const limited = await CloudikeUser.register(stack.baseUrl);
    await bucket(limited, 'small');
    await admin.http.form('/api/1/admin/edit_user/', { user_id: limited.userId, hard_quota_size: 10 });
    const small = await MediasaurUser.of(stack.baseUrl, limited);
    const { id } = await small.put('small', 'six.bin', '123456');
    expect((await small.upload({ bucket: 'small', path: 'x' }, 'x', Buffer.alloc(5))).said).toBe('402 quota_exceeded');
    expect((await small.say('POST', '/files/copy', { source_bucket: 'small', target_bucket: 'small', file_ids: [id], target_path: 'c' })).said).toBe(
      '402 quota_exceeded',
    );
    expect(await small.call('GET', '/buckets/small')).toMatchObject({ usage: { storage_bytes: 6, file_count: 1 } });
    small.close();
  });

  it('by a token go to its path and nowhere else, as long as its key lives', async () => {
    const mine = await MediasaurUser.of(stack.baseUrl, jane);
    const { token, ...told } = await mine.call<{ token: string }>('POST', '/token', { bucket: 'photos', path: '/users/7/me.png', expires_in: 60 });
    expect(token).toMatch(/^token_ey/);
    expect(told).toMatchObject({ bucket: 'photos', path: 'users/7/me.png', expires_at: expect.stringMatching(/Z$/) });
    const up = async (fields: Record<string, string>, bearerText = token, fileFirst = false) =>
      (await mine.upload(fields, 'whatever.png', Buffer.from('x'), { bearer: bearerText, fileFirst })).said;
    expect(await up({})).toBe('201');
    expect(await up({ bucket: 'photos', path: 'users/7/me.png', visibility: 'PUBLIC' })).toBe('201');
    expect(await up({ path: '/users/7/me.png' }, token, true)).toBe('201');
    for (const fileFirst of [false, true]) {
      expect(await up({ path: 'users/7/you.png' }, token, fileFirst)).toBe('403 forbidden');
      expect(await up({ bucket: 'films' }, token, fileFirst)).toBe('403 forbidden');
    }
    const [head, claims, signature] = token.slice(6).split('.');
    const forged = Buffer.from(
      JSON.stringify({ ...(JSON.parse(Buffer.from(claims!, 'base64url').toString()) as object), path: 'users/8/me.png' }),
    ).toString('base64url');
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const { url } = await mine.call<{ url: string }>('GET', `/files/${(await mine.list('photos', { path: 'users/7/' }))[0]!.id}/signed_url`);
    const signed = new URL(url).searchParams.get('token')!;
    for (const wrong of [`token_${head}.${forged}.${signature}`, `token_${none}.${claims}.`, 'token_', token.slice(6), `token_${signed}`]) {
      expect([wrong.slice(0, 10), await up({}, wrong)]).toEqual([wrong.slice(0, 10), '401 unauthorized']);
    }
    expect((await mine.list('photos', { path: 'users/7/' })).map(({ path, visibility }) => [path, visibility])).toEqual([
      ['users/7/me.png', 'PUBLIC'],
    ]);
    expect(await said(jane.http, 'accounts/api_keys/revoke/', { id: mine.keyId })).toBe('200');
    expect(await up({})).toBe('401 unauthorized');
    mine.close();
  });
});

describe('urls', () => {
  it('of a public file are for everybody, of a private one for the key and for who has a signed one', async () => {
    const file = await media.put('photos', 'urls/a b ü.txt', 'hello world', { visibility: 'PUBLIC' });
    expect(file.url).toMatch(/\/urls\/a%20b%20%C3%BC\.txt$/);
    expect(await fetched(file.url)).toMatchObject({ status: 200, body: Buffer.from('hello world') });
    expect(await fetched(file.url, { range: 'bytes=6-10' })).toMatchObject({ status: 206, body: Buffer.from('world') });
    expect(await fetched(file.url, {}, 'HEAD')).toMatchObject({ status: 200, headers: { 'content-length': '11' } });
    const show = (visibility: string) => media.call<MediaFile>('PATCH', `/files/${file.id}`, { visibility });
    await show('PRIVATE');
    expect((await fetched(file.url)).status).toBe(404);
    expect(await fetched(file.url, bearer(media.key))).toMatchObject({ status: 200, body: Buffer.from('hello world') });
    const key = await MediasaurUser.of(stack.baseUrl, jane);
    const { url, expires_at } = await key.call<{ url: string; expires_at: string }>('GET', `/files/${file.id}/signed_url?expires_in=60`);
    expect(Date.parse(expires_at) - Date.now()).toBeGreaterThan(50_000);
    expect(await fetched(url)).toMatchObject({ status: 200, body: Buffer.from('hello world') });
    const second = await media.put('photos', 'urls/second.txt', 'second');
    expect((await fetched(`${second.url}${new URL(url).search}`)).status).toBe(404);
    expect((await fetched(`${url}x`)).status).toBe(401);
    expect((await fetched(`${file.url}?token=`)).status).toBe(401);
    const renamed = await media.call<MediaFile>('PATCH', `/files/${file.id}`, { name: 'b.txt' });
    expect(renamed.url).not.toBe(file.url);
    expect((await fetched(url)).status).toBe(404);
    expect(await fetched(`${renamed.url}${new URL(url).search}`)).toMatchObject({ status: 200 });
    expect(await said(jane.http, 'accounts/api_keys/revoke/', { id: key.keyId })).toBe('200');
    expect((await fetched(`${renamed.url}${new URL(url).search}`)).status).toBe(401);
    key.close();
    await show('PUBLIC');
    const { usage } = await media.call<{ usage: { bandwidth_bytes: number } }>('GET', '/buckets/photos');
    expect(await fetched(renamed.url)).toMatchObject({ status: 200 });
    await expect
      .poll(async () => (await media.call<{ usage: { bandwidth_bytes: number } }>('GET', '/buckets/photos')).usage.bandwidth_bytes)
      .toBe(usage.bandwidth_bytes + 11);
    await media.call('DELETE', `/files/${file.id}`);
    expect((await fetched(renamed.url)).status).toBe(404);
  });

  it('open what the owner may give, and no more', async () => {
    const { admin: boss, companyId: firm } = await town.found('Strict');
    const member = await town.hire(boss, firm);
    await bucket(member, 'theirs');
    const his = await MediasaurUser.of(stack.baseUrl, member);
    const file = await his.put('theirs', 'x.txt', 'x', { visibility: 'PUBLIC' });
    const rule = (name: string, value: boolean) => boss.http.form(`/api/1/accounts/company/change_user_${name}/`, { user_id: member.userId, value });
    expect((await fetched(file.url)).status).toBe(200);
    await rule('can_download', false);
    expect((await fetched(file.url)).status).toBe(404);
    await expect.poll(async () => (await fetched(file.url, bearer(his.key))).status, { timeout: 5_000 }).toBe(403);
    await rule('can_download', true);
    await rule('can_upload', false);
    await expect
      .poll(async () => (await his.upload({ bucket: 'theirs', path: 'y' }, 'y', Buffer.from('y'))).said, { timeout: 5_000 })
      .toBe('403 forbidden');
    await boss.http.form(`/api/1/company/${firm}/users_disable/`, { user_id: member.userId });
    expect((await fetched(file.url)).status).toBe(404);
    await expect.poll(async () => (await his.say('GET', '/buckets')).said, { timeout: 2_000 }).toBe('401 unauthorized');
    his.close();
  });

  it('of a file that two delete at once end once', async () => {
    const file = await media.put('photos', 'twice.txt', 'x');
    const answers = await Promise.all([1, 2, 3].map(() => media.say('DELETE', `/files/${file.id}`)));
    expect(answers.map((each) => each.said).sort()).toEqual(['200', '404 not_found', '404 not_found']);
  });
});
