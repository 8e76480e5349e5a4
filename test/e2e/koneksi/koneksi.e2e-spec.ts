import { randomBytes } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { HttpSession } from '../../support/http-session.js';
import { clientHeaders, formOf, type KoneksiFile, KoneksiUser, mintServiceAccount, type ServiceAccount } from '../../support/koneksi-user.js';
import { type Stack, startStack } from '../../support/stack.js';
import { SOURCE_CALLS } from './source-calls.js';

// docs/contracts/koneksi.md; source-calls.ts holds the calls of the source document, word for word.

const HOST = 'koneksi.example.org';
const UNKNOWN = '00000000-0000-7000-8000-000000000000';
const PASSPHRASE = 'Passphrase123!';
const HELLO = Buffer.from('hello world\n');
/** What `ipfs add` answers for these bytes. */
const HELLO_CID = 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o';

let stack: Stack;
let database: pg.Client;
let anonymous: HttpSession;
let jane: KoneksiUser;
let janeInCloudike: CloudikeUser;
let john: KoneksiUser;
let johnInCloudike: CloudikeUser;

beforeAll(async () => {
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_API_HOSTS: `koneksi=${HOST}` } });
  database = new pg.Client(stack.databaseUrl);
  await database.connect();
  anonymous = new HttpSession(stack.baseUrl);
  janeInCloudike = await CloudikeUser.register(stack.baseUrl);
  johnInCloudike = await CloudikeUser.register(stack.baseUrl);
  jane = await KoneksiUser.of(janeInCloudike);
  john = await KoneksiUser.of(johnInCloudike, '/api/clients/v1');
});
afterAll(async () => {
  anonymous?.close();
  await database?.end();
  await stack?.stop();
});

const said = async (method: string, path: string, body?: unknown, who = jane) => (await who.say(method, path, body)).said;
const rows = async <R extends pg.QueryResultRow>(sql: string, values: unknown[] = []) => (await database.query<R>(sql, values)).rows;
const publicGet = (path: string, headers: Record<string, string> = {}) => anonymous.send(path, { headers });
const messageOf = (body: Buffer) => (JSON.parse(body.toString()) as { message: string }).message;
const publicSaid = async (path: string, headers: Record<string, string> = {}) => {
  const reply = await publicGet(path, headers);
  return reply.status === 200 ? `200 ${reply.body.toString()}` : `${reply.status} ${messageOf(reply.body)}`;
};

describe('credentials', () => {
  const ask = async (headers: Record<string, string>) => {
    const reply = await anonymous.send('/clients/v1/profile/me', { headers });
    return { status: reply.status, body: reply.json(), headers: reply.headers };
  };

  it('are both headers, of a pair that lives', async () => {
    const mine = clientHeaders(jane.account);
    expect((await ask(mine)).status).toBe(200);
    expect((await ask({ 'client-id': mine['Client-ID']!, 'client-secret': mine['Client-Secret']! })).status).toBe(200);
    const refusals: [Record<string, string>, string][] = [
      [{}, 'Client-ID header is required'],
      [{ 'Client-Secret': mine['Client-Secret']! }, 'Client-ID header is required'],
      [{ 'Client-ID': mine['Client-ID']! }, 'Client-Secret header is required'],
      [{ ...mine, 'Client-Secret': john.account.client_secret }, 'invalid credentials'],
      [{ ...mine, 'Client-ID': 'id_nobody' }, 'invalid credentials'],
      [{ ...mine, 'Client-Secret': `${mine['Client-Secret']!}x` }, 'invalid credentials'],
      [{ Authorization: `Bearer ${janeInCloudike.token}` }, 'Client-ID header is required'],
    ];
    for (const [headers, message] of refusals) {
      const { status, body } = await ask(headers);
      expect([status, body], message).toEqual([401, { status: 'error', message, data: null, meta: null }]);
    }
  });

  it('end when they are revoked, and with their account', async () => {
    const user = await CloudikeUser.register(stack.baseUrl);
    const [first, second] = [await mintServiceAccount(user, 'first'), await mintServiceAccount(user, 'second')];
    const status = async (account: ServiceAccount) => (await ask(clientHeaders(account))).status;
    expect([await status(first), await status(second)]).toEqual([200, 200]);
    await user.http.form('/api/1/accounts/service_accounts/revoke/', { id: first.id });
    expect([await status(first), await status(second)]).toEqual([401, 200]);
    const admin = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
    await admin.http.form('/api/1/admin/accounts_disable/', { user_id: user.userId, reason: '' });
    expect(await status(second)).toBe(401);
  });

  it('answers on both prefixes, on a host of its own, and to browsers of any origin', async () => {
    for (const path of ['/clients/v1/profile/me', '/api/clients/v1/profile/me/']) expect((await jane.http.send(path)).status).toBe(200);
    expect((await jane.http.send('/profile/me', { headers: { host: HOST } })).status).toBe(200);
    expect((await jane.http.send('/profile/me')).status).toBe(404);
    const preflight = await anonymous.send('/clients/v1/directories', { method: 'OPTIONS' });
    expect([preflight.status, preflight.headers['access-control-allow-origin'], preflight.headers['access-control-allow-methods']]).toEqual([
      204,
      '*',
      'POST, OPTIONS',
    ]);
    expect(preflight.headers['access-control-allow-headers']).toContain('Client-Id, Client-Secret');
    expect(await said('PUT', '/directories')).toBe('405 method not allowed');
    expect(await said('GET', '/nothing')).toBe('404 route not found');
    for (const path of ['/check-health', '/api/check-health', '/clients/v1/check-health']) {
      expect((await publicGet(path)).json()).toMatchObject({ status: 'success', data: { healthy: true, name: 'stowage' } });
    }
  });
});

describe('the caller', () => {
  it('has a profile and figures, without the trash and without the root', async () => {
    const person = await CloudikeUser.register(stack.baseUrl);
    const user = await KoneksiUser.of(person);
    await mintServiceAccount(person, 'another');
    const { body } = await user.say('GET', '/profile/me');
    expect(body.message).toBe('user info retrieved successfully');
    expect(body.data).toMatchObject({
      user: { email: person.email, is_verified: true },
      profile: { first_name: person.email.split('@')[0], last_name: '' },
      settings: { backup_cycle: 'daily', is_mfa_enabled: false },
      role: { name: 'system_user' },
      limit: { used: 0 },
    });
    const folder = await user.mkdir('docs');
    await user.put('a.txt', Buffer.from('12345'), { directory_id: folder });
    const gone = await user.put('b.txt', Buffer.from('123'));
    await user.did('DELETE', `/files/${gone.file_id}`);
    expect((await user.say('GET', '/dashboard/collect-metrics')).body.data).toEqual({
      byte_limit: expect.any(Number) as number,
      byte_usage: 5,
      directory_count: 1,
      file_count: 1,
      service_account_count: 2,
    });
    expect((await user.did<{ limit: object }>('GET', '/profile/me')).limit).toMatchObject({ used: 5 });
    user.close();
  });
});

describe('the calls of the source document', () => {
  it('are understood as they are printed', async () => {
    const folders = ['directory', 'moved directory', 'other moved directory', 'deleted directory', 'other deleted directory'];
    const files = ['file', 'other file', 'deleted file', 'other deleted file'];
    const ids: Record<string, string> = { 'first address': johnInCloudike.email, 'second address': janeInCloudike.email };
    for (const name of folders) ids[name] = await jane.mkdir(name);
    for (const name of files) ids[name] = (await jane.put(`${name}.jpg`, HELLO)).file_id;
    ids['sealed file'] = (await jane.put('sealed', HELLO, { passphrase: 'Password123!' })).file_id;
    const filled = (text: string) => text.replace(/<([a-z ]+)>/g, (_, name: string) => ids[name]!);
    for (const { title, method, path, headers = {}, body = {}, isForm, status } of SOURCE_CALLS) {
      const form = formOf(
        Object.entries(body).map(([field, value]) =>
          field === 'file' ? { field, fileName: 'a.txt', bytes: HELLO } : { field, value: filled(String(value)) },
        ),
      );
      const text = filled(JSON.stringify(body));
      const sent = isForm ? form : { headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }, body: text };
      const hasBody = Object.keys(body).length > 0;
      const reply = await jane.http.send(filled(path), {
        method,
        headers: { ...(hasBody ? sent.headers : {}), ...headers },
        ...(hasBody ? { body: sent.body } : {}),
      });
      expect([title, reply.status, reply.status === status ? '' : reply.body.toString()]).toEqual([title, status, '']);
    }
  });
});

describe('directories', () => {
  let top: string;

  beforeAll(async () => {
    top = await jane.mkdir('top');
  });

  it('are made, with a superset that clients of two ages read, and listed with the sizes of all below them', async () => {
    const { status, body } = await jane.say<Record<string, unknown>>('POST', '/directories', {
      name: 'Ordner ü',
      directory_id: top,
      description: 'ignored',
    });
    expect([status, body.message, body.meta]).toEqual([201, 'directory created successfully', null]);
    const directory = body.data['directory'] as Record<string, unknown>;
    expect(directory).toMatchObject({ name: 'Ordner ü', size: 0, created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string });
    expect(body.data).toMatchObject({ id: directory['id'], name: 'Ordner ü', created_at: directory['created_at'] });
    const id = String(directory['id']);
    const deeper = await jane.mkdir('deeper', id);
    await jane.put('a', Buffer.alloc(10), { directory_id: id });
    await jane.put('b', Buffer.alloc(7), { directory_id: deeper });
    const content = await jane.content(top);
    expect(content.subdirectories).toMatchObject([{ id, name: 'Ordner ü', size: 17 }]);
    expect([content.directory.size, content.files]).toEqual([17, []]);
    expect((await jane.content(id)).files).toMatchObject([
      { name: 'a', directory_id: id, size: 10, access: 'private', is_encrypted: false, recipients: null },
    ]);
    expect((await jane.content('root')).directory.name).toBe('root');
    expect((await jane.content((await jane.content('root')).directory.id)).directory.name).toBe('root');
  });

  it('of one name stand beside each other, and the answer has the name that was given', async () => {
    const parent = await jane.mkdir('same', top);
    const made = await Promise.all(
      Array.from({ length: 4 }, () => jane.say<{ name: string }>('POST', '/directories', { name: 'x', directory_id: parent })),
    );
    expect(made.map(({ status, body }) => [status, body.data.name])).toEqual(Array.from({ length: 4 }, () => [201, 'x']));
    expect((await jane.content(parent)).subdirectories.map(({ name }) => name).sort()).toEqual(['x', 'x (1)', 'x (2)', 'x (3)']);
    const long = 'é'.repeat(300);
    const { body } = await jane.say<{ name: string }>('POST', '/directories', { name: long, directory_id: parent });
    expect([body.meta, body.data.name]).toEqual([{ is_trimmed: true }, 'é'.repeat(127)]);
  });

  it('are renamed and moved in one call', async () => {
    const [from, to] = [await jane.mkdir('from', top), await jane.mkdir('to', top)];
    const [one, other] = [await jane.mkdir('one', from), await jane.mkdir('wanted', to)];
    const { body } = await jane.say('PUT', `/directories/${one}`, { name: 'wanted', directory_id: to });
    expect([body.message, body.data]).toEqual([
      'directory updated successfully',
      { directory: expect.objectContaining({ id: one, name: 'wanted', size: 0 }) as object },
    ]);
    expect((await jane.content(to)).subdirectories.map(({ id, name }) => [id, name])).toEqual([
      [other, 'wanted'],
      [one, 'wanted (1)'],
    ]);
    expect(await said('PUT', `/directories/${one}`, { directory_id: 'root' })).toBe('200 directory updated successfully');
    expect((await jane.content('root')).subdirectories.map(({ id }) => id)).toContain(one);
    const inner = await jane.mkdir('inner', to);
    const refusals: [string, unknown, string][] = [
      [one, {}, '400 no fields to update'],
      [one, { name: '', directory_id: null }, '400 no fields to update'],
      [one, { name: 7 }, '400 invalid request body'],
      [one, { name: 'a/b' }, '400 A name cannot hold "/".'],
      [one, { directory_id: one }, '400 parent directory cannot be same as current directory'],
      [to, { directory_id: inner }, '400 cannot move a directory into itself or a directory below it'],
      ['root', { name: 'x' }, '400 cannot update root directory'],
      [one, { directory_id: UNKNOWN }, '404 parent directory not found'],
      [one, { directory_id: 'abc' }, '400 invalid directory ID format'],
      [UNKNOWN, { name: 'x' }, '404 directory not found'],
      ['688344475123816c01c8529', { name: 'x' }, '400 invalid directory ID format'],
    ];
    for (const [id, change, answer] of refusals) expect(await said('PUT', `/directories/${id}`, change)).toBe(answer);
    expect(await said('PUT', `/directories/${one}`, { name: 'mine' }, john)).toBe('404 directory not found');
  });

  it('refuse what is wrong, in the words of the contract', async () => {
    const file = await jane.put('no directory.txt', HELLO);
    expect(await said('POST', '/directories', {})).toBe('400 invalid request body');
    expect(await said('POST', '/directories', { name: '' })).toBe('400 invalid request body');
    expect(await said('POST', '/directories', { name: 'x', directory_id: 'abc' })).toBe('400 invalid directory ID format');
    expect(await said('POST', '/directories', { name: 'x', directory_id: UNKNOWN })).toBe('404 directory not found');
    expect(await said('POST', '/directories', { name: 'x', directory_id: top }, john)).toBe('404 directory not found');
    expect(await said('POST', '/directories', { name: 'x', directory_id: file.file_id })).toBe('404 directory not found');
    const broken = await jane.http.send('/clients/v1/directories', { method: 'POST', body: '{"name"' });
    expect([broken.status, messageOf(broken.body)]).toEqual([400, 'invalid request body']);
    for (const id of [UNKNOWN, file.file_id]) expect(await said('GET', `/directories/${id}`)).toBe('404 directory not found');
    expect(await said('GET', `/directories/${top}`, undefined, john)).toBe('404 directory not found');
    expect(await said('GET', '/directories/abc')).toBe('400 invalid directory ID format');
  });

  it('go to the trash with all below them, one by one or many at once', async () => {
    const parent = await jane.mkdir('doomed', top);
    const [a, b] = [await jane.mkdir('a', parent), await jane.mkdir('b', parent)];
    const below = await jane.mkdir('below', a);
    const file = await jane.put('f', HELLO, { directory_id: below });
    expect(await said('DELETE', '/directories/delete', { directory_ids: [a, 'root'] })).toBe('400 cannot delete root directory');
    expect(await said('DELETE', '/directories/delete', { directory_ids: [a, 'abc'] })).toBe('400 invalid directory ID format');
    expect(await said('DELETE', '/directories/delete', {})).toBe('400 directory_ids is required');
    expect(await said('DELETE', '/directories/delete', { directory_ids: 'x' })).toBe('400 invalid request body');
    expect((await jane.say('DELETE', '/directories/delete', { directory_ids: [a] }, {})).status).toBe(200);
    await janeInCloudike.http.form('/api/1/fileops/undelete/', { path: '/top/doomed/a' });
    const { body } = await jane.say('DELETE', '/directories/delete', { directory_ids: [a, below, UNKNOWN] });
    expect(body).toMatchObject({
      message: 'directories deleted successfully',
      data: { deleted_count: 2, deleted_ids: [a, below], failed: [{ id: UNKNOWN, reason: 'directory not found' }] },
    });
    expect(await said('GET', `/files/${file.file_id}`)).toBe('404 file not found');
    expect(await said('DELETE', `/directories/${b}`, undefined, john)).toBe('404 directory not found');
    expect(await said('DELETE', `/directories/${b}`)).toBe('200 directory deleted successfully');
    expect(await said('DELETE', `/directories/${b}`)).toBe('404 directory not found');
    expect(await said('DELETE', '/directories/root')).toBe('400 cannot delete root directory');
    const trash = await janeInCloudike.http.get<{ content: { restore_path: string }[] }>('/api/1/trash/');
    expect(trash.content.map((each) => each.restore_path)).toEqual(expect.arrayContaining(['/top/doomed/a', '/top/doomed/b']));
  });

  it('are moved all or none', async () => {
    const [to, a, b] = [await jane.mkdir('target', top), await jane.mkdir('m1', top), await jane.mkdir('m2', top)];
    const refusals: [unknown, string][] = [
      [{ directory_ids: [a] }, '400 target_directory_id is required'],
      [{ target_directory_id: to }, '400 directory_ids is required'],
      [{ target_directory_id: to, directory_ids: [a, 'root'] }, '400 cannot update root directory'],
      [{ target_directory_id: to, directory_ids: [a, UNKNOWN] }, '404 directory not found'],
      [{ target_directory_id: UNKNOWN, directory_ids: [a] }, '404 directory not found'],
      [{ target_directory_id: 'abc', directory_ids: [a] }, '400 invalid directory ID format'],
      [{ target_directory_id: a, directory_ids: [b, a] }, '400 cannot move a directory into itself or a directory below it'],
    ];
    for (const [body, answer] of refusals) expect(await said('POST', '/directories/move', body)).toBe(answer);
    expect((await jane.content(to)).subdirectories).toEqual([]);
    const { body } = await jane.say('POST', '/directories/move', { target_directory_id: to, directory_ids: [a, b] });
    expect(body).toMatchObject({
      message: 'directories moved successfully',
      data: {
        directories: [
          { id: a, directory_id: to },
          { id: b, directory_id: to },
        ],
      },
    });
    expect((await jane.content(to)).subdirectories.map(({ id }) => id)).toEqual([a, b]);
    expect(await said('POST', '/directories/move', { target_directory_id: 'root', directory_ids: [a] })).toBe('200 directories moved successfully');
  });
});

describe('files', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await jane.mkdir('files');
  });

  it('are brought with the id of their content, wherever the form or the address says', async () => {
    const first = await jane.form([
      { field: 'file', fileName: 'a.txt', bytes: HELLO, type: 'text/plain' },
      { field: 'directory_id', value: folder },
    ]);
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({
      status: 'success',
      message: 'file uploaded successfully',
      meta: null,
      data: { directory_id: folder, name: 'a.txt', hash: HELLO_CID, size: 12, content_type: 'text/plain', access: 'private', is_encrypted: false },
    });
    const second = await jane.form([{ field: 'file', fileName: 'a.txt', bytes: HELLO }], `/files?directory_id=${folder}`);
    expect(second.body.data).toMatchObject({ name: 'a.txt', directory_id: folder });
    const third = await jane.form(
      [
        { field: 'file', fileName: 'a.txt', bytes: HELLO },
        { field: 'directory_id', value: folder },
      ],
      '/files?directory_id=root',
    );
    expect(third.body.data.directory_id).toBe(folder);
    expect((await jane.content(folder)).files.map(({ name, hash }) => [name, hash])).toEqual([
      ['a (1).txt', HELLO_CID],
      ['a (2).txt', HELLO_CID],
      ['a.txt', HELLO_CID],
    ]);
    expect((await jane.content(folder)).files.map((each) => each.content_type)).toEqual([
      'application/octet-stream',
      'application/octet-stream',
      'text/plain',
    ]);
    expect((await jane.download(second.body.data.file_id)).headers['content-type']).toBe('application/octet-stream');
    const root = await jane.put('in root.txt', HELLO);
    expect(root.directory_id).toBe((await jane.content('root')).directory.id);
    const long = await jane.form([{ field: 'file', fileName: `${'n'.repeat(300)}.txt`, bytes: HELLO }]);
    expect([long.body.meta, long.body.data.name]).toEqual([{ is_trimmed: true }, `${'n'.repeat(251)}.txt`]);
    const shared = await jane.form(
      [
        { field: 'file', fileName: 'open.txt', bytes: HELLO },
        { field: 'is_public', value: 'true' },
      ],
      '/files/upload',
    );
    expect(shared.body.data.access).toBe('public');
    expect(await publicSaid(`/public/files/${shared.body.data.file_id}/download`)).toBe('200 hello world\n');
  });

  it('refuse what is wrong', async () => {
    const file = { field: 'file', fileName: 'a.txt', bytes: HELLO } as const;
    const refusals: [Parameters<KoneksiUser['form']>[0], string, string][] = [
      [[{ field: 'other', fileName: 'a.txt', bytes: HELLO }], '', '400 failed to get uploaded file'],
      [[{ field: 'directory_id', value: folder }], '', '400 failed to get uploaded file'],
      [[file, { ...file, fileName: 'second' }], '', '400 failed to get uploaded file'],
      [[{ field: 'directory_id', value: 'abc' }, file], '', '400 invalid directory ID format'],
      [[file, { field: 'directory_id', value: 'abc' }], '', '400 invalid directory ID format'],
      [[{ field: 'directory_id', value: UNKNOWN }, file], '', '404 directory not found'],
      [[file, { field: 'directory_id', value: UNKNOWN }], '', '404 directory not found'],
      [[{ field: 'passphrase', value: 'weak' }, file], '', '400 invalid passphrase format'],
      [[file, { field: 'passphrase', value: 'weak' }], '', '400 invalid passphrase format'],
      [[{ field: 'passphrase', value: PASSPHRASE }, file], '?stream=true', '400 stream mode is not supported for encrypted uploads'],
      [[file], '?stream=perhaps', '201 file uploaded successfully'],
    ];
    for (const [parts, query, answer] of refusals) expect((await jane.form(parts, `/files${query}`)).said).toBe(answer);
    expect((await john.form([{ field: 'directory_id', value: folder }, file])).said).toBe('404 directory not found');
    expect((await john.form([file, { field: 'directory_id', value: folder }])).said).toBe('404 directory not found');
    const noForm = await jane.http.send('/clients/v1/files', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    expect([noForm.status, messageOf(noForm.body)]).toEqual([400, 'failed to get uploaded file']);
    const small = await CloudikeUser.register(stack.baseUrl);
    const admin = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
    await admin.http.form('/api/1/admin/edit_user/', { user_id: small.userId, hard_quota_size: 20 });
    const user = await KoneksiUser.of(small);
    expect((await user.form([{ ...file, bytes: Buffer.alloc(21) }])).said).toBe('403 upload limit reached');
    expect((await user.form([file])).status).toBe(201);
    expect((await user.content()).files).toHaveLength(1);
    user.close();
  });

  it('of one name that come at once stand beside each other', async () => {
    const target = await jane.mkdir('at once', folder);
    const made = await Promise.all(Array.from({ length: 5 }, (_, index) => jane.put('same.txt', Buffer.from(`${index}`), { directory_id: target })));
    expect(new Set(made.map(({ file_id }) => file_id)).size).toBe(5);
    expect((await jane.content(target)).files.map(({ name }) => name).sort()).toEqual([
      'same (1).txt',
      'same (2).txt',
      'same (3).txt',
      'same (4).txt',
      'same.txt',
    ]);
    for (const [index, { file_id: id }] of made.entries()) expect((await jane.download(id)).body.toString()).toBe(`${index}`);
  });

  it('get the id of their content from the worker when they came through another API, once they are looked at', async () => {
    await janeInCloudike.upload('/from elsewhere.txt', HELLO);
    const hash = async () => (await jane.content('root')).files.find(({ name }) => name === 'from elsewhere.txt')?.hash;
    await expect.poll(hash, { timeout: 20_000 }).toBe(HELLO_CID);
  });

  it('are read with their blocks', async () => {
    const bytes = randomBytes(600_000);
    const { file_id: id, hash } = await jane.put('blocks.bin', bytes, { directory_id: folder });
    const plain = await jane.say<KoneksiFile & { chunks: unknown }>('GET', `/files/${id}`);
    expect(plain.body).toMatchObject({ message: 'file read successfully', data: { id, hash, size: 600_000, chunks: null } });
    const { chunks } = await jane.did<{ chunks: { hash: string; size: number; type: number }[] }>('GET', `/files/${id}?include_chunks=true`);
    expect(chunks.map(({ size, type }) => [size, type])).toEqual([
      [262_144, 2],
      [262_144, 2],
      [75_712, 2],
    ]);
    for (const each of chunks) expect(each.hash).toMatch(/^Qm[1-9A-HJ-NP-Za-km-z]{44}$/);
    expect(await said('GET', `/files/${id}?include_chunks=7`)).toBe('400 include_chunks must be a boolean');
    expect(await said('GET', `/files/${UNKNOWN}`)).toBe('404 file not found');
    expect(await said('GET', `/files/${folder}`)).toBe('404 file not found');
    expect(await said('GET', '/files/abc')).toBe('400 invalid file ID format');
    expect(await said('GET', `/files/${id}`, undefined, john)).toBe('404 file not found');
  });

  it('keep their extension when they are renamed, and get a number where the name is taken', async () => {
    const [one, other] = [await jane.put('one.TXT', HELLO, { directory_id: folder }), await jane.put('taken.txt', HELLO, { directory_id: folder })];
    expect((await jane.say<KoneksiFile>('PUT', `/files/${one.file_id}`, { name: 'taken.txt' })).body).toMatchObject({
      message: 'file updated successfully',
      data: { id: one.file_id, name: 'taken.txt', directory_id: folder },
    });
    expect((await jane.did<KoneksiFile>('GET', `/files/${one.file_id}`)).name).toBe('taken (1).txt');
    expect(await said('PUT', `/files/${one.file_id}`, { directory_id: 'root', name: 'elsewhere.txt' })).toBe('200 file updated successfully');
    const refusals: [string, unknown, string][] = [
      [one.file_id, {}, '400 no fields to update'],
      [one.file_id, { name: 'one.jpg' }, '400 cannot change file extension'],
      [one.file_id, { name: 'one' }, '400 cannot change file extension'],
      [one.file_id, { directory_id: UNKNOWN }, '404 directory not found'],
      [UNKNOWN, { name: 'x.txt' }, '404 file not found'],
      [folder, { name: 'x' }, '404 file not found'],
    ];
    for (const [id, change, answer] of refusals) expect(await said('PUT', `/files/${id}`, change)).toBe(answer);
    expect(await said('PUT', `/files/${other.file_id}`, { name: 'mine.txt' }, john)).toBe('404 file not found');
  });

  it('are deleted and moved, one by one or many at once', async () => {
    const made = [];
    for (const name of ['1', '2', '3', '4']) made.push((await jane.put(name, HELLO, { directory_id: folder })).file_id);
    const [a, b, c, d] = made as [string, string, string, string];
    const target = await jane.mkdir('moved to', folder);
    expect(await said('POST', '/files/move', { directory_id: target, file_ids: [a, UNKNOWN] })).toBe('404 file not found');
    expect(await said('POST', '/files/move', { directory_id: UNKNOWN, file_ids: [a] })).toBe('404 directory not found');
    expect(await said('POST', '/files/move', { file_ids: [a] })).toBe('400 directory_id is required');
    expect(await said('POST', '/files/move', { directory_id: target, file_ids: [] })).toBe('400 file_ids is required');
    expect(await said('POST', '/files/move', { directory_id: target, file_ids: [a, 'abc'] })).toBe('400 invalid file ID format');
    expect((await jane.content(target)).files).toEqual([]);
    const moved = await jane.did<{ files: KoneksiFile[] }>('POST', '/files/move', { directory_id: target, file_ids: [a, b, a] });
    expect(moved.files.map(({ id, directory_id }) => [id, directory_id])).toEqual([
      [a, target],
      [b, target],
    ]);
    expect(await said('POST', '/files/move', { directory_id: (await john.content()).directory.id, file_ids: [a] }, john)).toBe('404 file not found');
    expect(await said('DELETE', '/files/delete', { file_ids: [] })).toBe('400 file_ids is required');
    expect((await john.say('DELETE', '/files/delete', { file_ids: [c] })).body.data).toEqual({
      deleted_count: 0,
      deleted_ids: [],
      failed: [{ id: c, reason: 'file not found' }],
    });
    expect((await jane.say('DELETE', '/files/delete', { file_ids: [c, UNKNOWN] })).body.data).toMatchObject({ deleted_count: 1, deleted_ids: [c] });
    expect(await said('DELETE', `/files/${d}`)).toBe('200 file deleted successfully');
    expect(await said('DELETE', `/files/${d}`)).toBe('404 file not found');
    expect(await said('DELETE', `/files/${b}`, undefined, john)).toBe('404 file not found');
  });

  it('are downloaded whole and in parts, under their own names', async () => {
    const { file_id: id } = await jane.put('Bericht "ü".txt'.replaceAll('"', "'"), Buffer.from('0123456789'), { directory_id: folder });
    const whole = await jane.download(id);
    expect([whole.status, whole.body.toString(), whole.headers['content-type'], whole.headers['content-length']]).toEqual([
      200,
      '0123456789',
      'application/octet-stream',
      '10',
    ]);
    expect(whole.headers['content-disposition']).toContain("filename*=UTF-8''Bericht%20%27%C3%BC%27.txt");
    expect(whole.headers['cache-control']).toContain('no-cache');
    const part = await jane.download(id, '?stream=true', { range: 'bytes=3-5' });
    expect([part.status, part.body.toString()]).toEqual([206, '345']);
    expect((await jane.download(id, '?stream=false')).body.toString()).toBe('0123456789');
    expect((await john.download(id)).status).toBe(404);
    expect((await jane.download(folder)).status).toBe(404);
    expect((await jane.download('abc')).status).toBe(400);
    expect((await jane.download(id, '?stream=x')).status).toBe(400);
  });
});

describe('one tree', () => {
  it('has what came by another API, with the id of its content once a worker has named it', async () => {
    await janeInCloudike.mkdir('/elsewhere');
    await janeInCloudike.upload('/elsewhere/there.txt', HELLO);
    const folder = (await jane.content()).subdirectories.find(({ name }) => name === 'elsewhere')!;
    const file = async () => (await jane.content(folder.id)).files[0]!;
    expect(await file()).toMatchObject({ name: 'there.txt', size: 12, is_encrypted: false });
    await expect.poll(async () => (await file()).hash, { timeout: 20_000 }).toBe(HELLO_CID);
    await jane.did('PUT', `/files/${(await file()).id}`, { name: 'here.txt' });
    expect((await janeInCloudike.metadata('/elsewhere')).content?.map(({ path }) => path)).toEqual(['/elsewhere/here.txt']);
  });
});

describe('sealed files', () => {
  it('open with their passphrase alone, wherever it stood in the form, and are plain to nobody else', async () => {
    const folder = await jane.mkdir('vault');
    const early = await jane.put('early.txt', HELLO, { passphrase: PASSPHRASE, directory_id: folder });
    const late = (
      await jane.form([
        { field: 'file', fileName: 'late.txt', bytes: HELLO },
        { field: 'directory_id', value: folder },
        { field: 'passphrase', value: PASSPHRASE },
      ])
    ).body.data;
    for (const { file_id: id, size, hash, is_encrypted: isEncrypted } of [early, late]) {
      expect([size, isEncrypted, hash === HELLO_CID]).toEqual([12, true, false]);
      const get = async (query: string, headers: Record<string, string> = {}) => {
        const reply = await jane.download(id, query, headers);
        return reply.status === 200 ? `200 ${reply.body.toString()}` : `${reply.status} ${messageOf(reply.body)}`;
      };
      expect(await get('?stream=false', { Passphrase: PASSPHRASE })).toBe('200 hello world\n');
      const { url } = await janeInCloudike.http.get<{ url: string }>(`/api/1/files/get/vault/${id === early.file_id ? 'early' : 'late'}.txt`);
      const raw = (await janeInCloudike.http.send(url)).body;
      expect([raw.length, raw.equals(HELLO)]).toEqual([12, false]);
      if (id !== early.file_id) continue;
      expect(await get('', { Passphrase: PASSPHRASE })).toBe('400 stream mode is not supported for encrypted downloads');
      expect(await get('?stream=false')).toBe('400 Passphrase header is required for encrypted files');
      expect(await get('?stream=false', { Passphrase: 'Wrong-pass1!' })).toBe('403 failed to decrypt file');
      expect((await jane.did<KoneksiFile>('GET', `/files/${id}`)).is_encrypted).toBe(true);
    }
    expect((await john.download(early.file_id, '?stream=false', { Passphrase: PASSPHRASE })).status).toBe(404);
    // what was stored before the passphrase was known is on its way out
    expect((await rows<{ count: string }>(`SELECT count(*) FROM object_tombstones`))[0]!.count).not.toBe('0');
  });

  it('take a passphrase in any letters, which a header carries as UTF-8', async () => {
    const passphrase = 'Grüße-пароль-1!';
    const { file_id: id } = await jane.put('letters.txt', HELLO, { passphrase });
    const { status, body } = await jane.download(id, '?stream=false', { Passphrase: Buffer.from(passphrase).toString('latin1') });
    expect([status, body.toString()]).toEqual([200, 'hello world\n']);
  });

  it('have at most 50 MiB', async () => {
    const { said: answer } = await jane.form([
      { field: 'passphrase', value: PASSPHRASE },
      { field: 'file', fileName: 'big', bytes: Buffer.alloc(50 * 1024 * 1024 + 1) },
    ]);
    expect(answer).toBe('400 file size exceeds the limit for encrypted uploads');
  });
});

describe('files that are open to others', () => {
  let id: string;
  const share = (access: string, body: unknown = {}, who = jane) => said('POST', `/files/${id}/share?access=${access}`, body, who);
  const read = async () => (await publicGet(`/public/files/${id}/read`)).json<{ data: object }>().data;
  const download = (query = '', headers: Record<string, string> = {}) => publicSaid(`/public/files/${id}/download${query}`, headers);

  beforeAll(async () => {
    id = (await jane.put('shared.txt', HELLO)).file_id;
  });

  it('are private at first, and tell everybody so', async () => {
    expect(await read()).toEqual({ id, access: 'private', size: 12, is_encrypted: false });
    for (const start of ['/api/public', '/clients/v1/public', '/api/clients/v1/public'])
      expect((await publicGet(`${start}/files/${id}/read`)).status).toBe(200);
    expect(await download()).toBe('404 file not found');
    expect(await publicSaid(`/public/files/${UNKNOWN}/read`)).toBe('404 file not found');
    expect(await publicSaid('/public/files/abc/read')).toBe('400 invalid file ID format');
  });

  it('open to anybody, as a link that other APIs see, and end with it', async () => {
    expect(await share('public')).toBe('200 file shared successfully');
    expect(await read()).toMatchObject({ access: 'public' });
    expect((await jane.did<KoneksiFile>('GET', `/files/${id}`)).access).toBe('public');
    expect(await download()).toBe('200 hello world\n');
    expect((await publicGet(`/public/files/${id}/download`, { range: 'bytes=0-4' })).body.toString()).toBe('hello');
    const links = await janeInCloudike.http.get<{ path: string }[]>('/api/1/links/');
    expect(links.map(({ path }) => path)).toContain('/shared.txt');
    await janeInCloudike.http.form('/api/1/links/delete/', { path: '/shared.txt' });
    expect([await read(), await download()]).toEqual([expect.objectContaining({ access: 'private' }), '404 file not found']);
  });

  it('a link that was made elsewhere opens nothing by the id of its file', async () => {
    await janeInCloudike.http.form('/api/1/links/create/', { path: '/shared.txt' });
    expect([await read(), await download()]).toEqual([expect.objectContaining({ access: 'private' }), '404 file not found']);
    expect(await share('private')).toBe('200 file shared successfully');
    expect(await janeInCloudike.http.get<unknown[]>('/api/1/links/')).toEqual(
      expect.not.arrayContaining([expect.objectContaining({ path: '/shared.txt' })]),
    );
  });

  it('ask for a password', async () => {
    expect(await share('password')).toBe('400 password is required for password-protected access');
    expect(await share('password', { password: 'weak' })).toBe('400 invalid password format');
    expect(await share('password', { password: 'Password123!' })).toBe('200 file shared successfully');
    expect(await read()).toMatchObject({ access: 'password' });
    expect(await download()).toBe('400 password is required for password-protected access');
    expect(await download('', { Password: 'Wrong-pass1!' })).toBe('400 invalid password');
    expect(await download('', { password: 'Password123!' })).toBe('200 hello world\n');
    const [stored] = await rows<{ password_hash: string }>('SELECT password_hash FROM links WHERE node_id = $1', [id]);
    expect(stored!.password_hash).toMatch(/^\$argon2id\$/);
  });

  it('open to people on a list, who download and nothing more', async () => {
    const other = await CloudikeUser.register(stack.baseUrl);
    const another = await KoneksiUser.of(other);
    expect(await share('email')).toBe('400 at least one email is required for email access');
    expect(await share('email', { emails: [johnInCloudike.email, 'nobody@example.org'] })).toBe('400 one or more provided emails are invalid');
    expect(await share('email', { emails: 'x' })).toBe('400 invalid request body');
    expect(await read()).toMatchObject({ access: 'password' });
    expect(await share('email', { emails: [johnInCloudike.email.toUpperCase(), janeInCloudike.email] })).toBe('200 file shared successfully');
    const file = await jane.did<KoneksiFile>('GET', `/files/${id}`);
    expect([file.access, file.recipients?.map(({ email }) => email)]).toEqual(['email', [johnInCloudike.email]]);
    expect((await john.download(id)).body.toString()).toBe('hello world\n');
    expect([await download(), await download('', { password: 'Password123!' })]).toEqual(['404 file not found', '404 file not found']);
    const forbidden: [string, string, unknown][] = [
      ['GET', `/files/${id}`, undefined],
      ['PUT', `/files/${id}`, { name: 'mine.txt' }],
      ['DELETE', `/files/${id}`, undefined],
      ['POST', `/files/${id}/generate-link`, { duration: 60 }],
      ['POST', `/files/${id}/share?access=public`, {}],
    ];
    for (const [method, path, body] of forbidden) expect(await said(method, path, body, john), path).toBe('404 file not found');
    expect((await john.content()).files).toEqual([]);
    expect((await another.download(id)).status).toBe(404);
    expect(await share('email', { emails: [other.email] })).toBe('200 file shared successfully');
    expect([(await john.download(id)).status, (await another.download(id)).status]).toEqual([404, 200]);
    expect(await share('private')).toBe('200 file shared successfully');
    expect((await another.download(id)).status).toBe(404);
    expect((await jane.did<KoneksiFile>('GET', `/files/${id}`)).recipients).toBe(null);
    another.close();
  });

  it('open by a key of their own until it ends', async () => {
    const key = async (duration: unknown, who = jane) =>
      who.say<{ duration: string; file_key: string }>('POST', `/files/${id}/generate-link`, { duration });
    const { body } = await key(3600);
    expect(body).toMatchObject({ message: 'file shared successfully', data: { duration: '1h0m0s' } });
    const { file_key: fileKey } = body.data;
    expect(fileKey.startsWith(`${id}_`)).toBe(true);
    expect(await download(`?key=${fileKey}`)).toBe('200 hello world\n');
    expect(await download(`?key=${fileKey}`)).toBe('200 hello world\n');
    expect(await download(`?key=${fileKey}x`)).toBe('404 file not found');
    const other = (await jane.put('other.txt', Buffer.from('other'))).file_id;
    for (const wrong of [fileKey, fileKey.replace(id, other)]) {
      expect(await publicSaid(`/public/files/${other}/download?key=${wrong}`)).toBe('404 file not found');
    }
    for (const [duration, answer] of [
      [undefined, '400 duration is required'],
      ['60', '400 duration must be a number'],
      [0, '400 duration must be 1 to 31536000 seconds'],
      [1.5, '400 duration must be 1 to 31536000 seconds'],
    ] as const) {
      expect((await key(duration)).said).toBe(answer);
    }
    expect((await key(60, john)).said).toBe('404 file not found');
    expect((await key(90)).body.data.duration).toBe('1m30s');
    await database.query('UPDATE file_keys SET expires_at = now() WHERE node_id = $1', [id]);
    expect(await download(`?key=${fileKey}`)).toBe('404 file not found');
    const { file_key: last } = (await key(60)).body.data;
    await jane.did('DELETE', `/files/${id}`);
    expect([await download(`?key=${last}`), await publicSaid(`/public/files/${id}/read`)]).toEqual(['404 file not found', '404 file not found']);
  });

  it('and sealed need their passphrase as well', async () => {
    const { file_id: sealed } = await jane.put('sealed.txt', HELLO, { passphrase: PASSPHRASE });
    await jane.did('POST', `/files/${sealed}/share?access=public`, {});
    const get = (query: string, headers: Record<string, string> = {}) => publicSaid(`/public/files/${sealed}/download${query}`, headers);
    expect((await publicGet(`/public/files/${sealed}/read`)).json()).toMatchObject({ data: { size: 12, is_encrypted: true, access: 'public' } });
    expect(await get('')).toBe('400 stream mode is not supported for encrypted downloads');
    expect(await get('?stream=false')).toBe('400 Passphrase header is required for encrypted files');
    expect(await get('?stream=false', { Passphrase: PASSPHRASE })).toBe('200 hello world\n');
  });

  it('refuse an unknown mode', async () => {
    const { file_id: file } = await jane.put('mode.txt', HELLO);
    for (const query of ['', '?access=', '?access=everybody'])
      expect(await said('POST', `/files/${file}/share${query}`, {})).toBe('400 invalid access type');
    expect(await said('POST', `/files/${UNKNOWN}/share?access=public`, {})).toBe('404 file not found');
    expect(await said('POST', '/files/abc/share?access=public', {})).toBe('400 invalid file ID format');
  });
});
