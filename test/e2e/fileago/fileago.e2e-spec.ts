import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { CompanyTown, PASSWORD } from '../../support/companies.js';
import { fileForm, FileagoUser } from '../../support/fileago-user.js';
import { HttpSession } from '../../support/http-session.js';
import { adminCredentials } from '../../support/services.js';
import { type Stack, startStack } from '../../support/stack.js';
import { SOURCE_ALIASES, SOURCE_CALLS, type SourceCall } from './source-calls.js';

// docs/contracts/fileago.md 4.1 to 4.4; source-calls.ts holds the calls of the source document, word for word.

const HOST = 'files.example.org';
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

let stack: Stack;
let database: pg.Client;
let town: CompanyTown;
let anonymous: HttpSession;
let founder: CloudikeUser;
let companyId: number;
let jane: FileagoUser;
let janeInCloudike: CloudikeUser;
let john: FileagoUser;
let johnInCloudike: CloudikeUser;
let stranger: FileagoUser;

beforeAll(async () => {
  stack = await startStack({
    env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_API_HOSTS: `fileago=${HOST}`, STOWAGE_ADMIN_EMAIL: adminCredentials().email },
  });
  database = new pg.Client(stack.databaseUrl);
  await database.connect();
  town = new CompanyTown(stack.baseUrl);
  anonymous = new HttpSession(stack.baseUrl);
  ({ admin: founder, companyId } = await town.found('Boats'));
  janeInCloudike = await town.hire(founder, companyId, 'Jane');
  johnInCloudike = await town.hire(founder, companyId, 'John');
  jane = await FileagoUser.login(stack.baseUrl, janeInCloudike.email, PASSWORD);
  john = await FileagoUser.login(stack.baseUrl, johnInCloudike.email, PASSWORD);
  const outsider = await CloudikeUser.register(stack.baseUrl);
  stranger = await FileagoUser.login(stack.baseUrl, outsider.email, 'correct horse battery');
});
afterAll(async () => {
  anonymous?.close();
  town?.close();
  await database?.end();
  await stack?.stop();
});

const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function signIn(body: string, path = '/auth', headers: Record<string, string> = {}) {
  const reply = await anonymous.send(path, { method: 'POST', headers, body });
  return { status: reply.status, body: reply.json(), headers: reply.headers };
}

describe('signing in', () => {
  it('answers the members of the document, with a token that says nothing more than who and until when', async () => {
    const { status, body, headers } = await signIn(JSON.stringify({ username: janeInCloudike.email, password: PASSWORD }), '/auth/');
    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual(['avatar', 'fileaccesskey', 'fullname', 'is_admin', 'msg', 'status', 'token', 'uuid']);
    expect(body).toMatchObject({
      uuid: jane.uuid,
      status: 'success',
      msg: 'Login successful.',
      is_admin: false,
      fullname: 'Jane',
      avatar: '/images/default_avatar.png',
    });
    const picture = await anonymous.send(String(body['avatar']));
    expect([picture.status, picture.headers['content-type'], picture.body.subarray(1, 4).toString()]).toEqual([200, 'image/png', 'PNG']);
    expect(body['fileaccesskey']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const [head, claims] = String(body['token'])
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>);
    expect(head).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(claims).toMatchObject({ username: janeInCloudike.email, uuid: jane.uuid });
    expect(Number(claims!['exp']) - Date.now() / 1000).toBeGreaterThan(23.9 * 3600);
    expect(headers['access-control-allow-origin']).toBe('*');
  });

  it('knows the administrator by the name admin', async () => {
    const { body } = await signIn(JSON.stringify({ username: 'admin', password: stack.admin.password }));
    expect(body).toMatchObject({ status: 'success', is_admin: true });
  });

  it.each([
    ['a wrong password', () => JSON.stringify({ username: janeInCloudike.email, password: 'wrong' }), 401, 'invalid_credentials'],
    ['an unknown name', () => JSON.stringify({ username: 'nobody@example.org', password: 'wrong' }), 401, 'invalid_credentials'],
    ['no password', () => JSON.stringify({ username: janeInCloudike.email }), 400, 'invalid'],
    ['a number for a name', () => '{"username":7,"password":"x"}', 400, 'invalid'],
    ['no JSON', () => 'username=x&password=y', 400, 'invalid'],
    ['an array', () => '[]', 400, 'invalid'],
  ])('refuses %s', async (_, body, status, code) => {
    expect(await signIn(body())).toMatchObject({ status, body: { status: 'error', code, msg: expect.any(String) } });
  });

  it('refuses tokens that are missing, of another kind, unsigned, or changed', async () => {
    const [head, claims, signature] = jane.token.split('.');
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const other = Buffer.from(JSON.stringify({ ...(JSON.parse(Buffer.from(claims!, 'base64url').toString()) as object), sub: '1' })).toString(
      'base64url',
    );
    const tokens = ['', 'Basic eDp5', `Bearer ${none}.${claims}.`, `Bearer ${head}.${other}.${signature}`, `Bearer ${janeInCloudike.token}`];
    for (const authorization of tokens) {
      const reply = await anonymous.send('/api/nodes/home', { headers: authorization === '' ? {} : { authorization } });
      expect([reply.status, reply.json()['code']], authorization).toEqual([401, 'unauthenticated']);
    }
  });
});

describe('the calls of the source document', () => {
  /** Sends one as curl does, with the placeholders filled in. */
  async function replay({ method, url, headers, body }: SourceCall, values: Readonly<Record<string, string>>) {
    const filled = (text: string) =>
      text.replace(/<EMAIL ADDRESS>|<PASSWORD>|TARGETNODEUUID|NODEUUID|UPLOADTOKEN|TOKEN|DIRNAME|NEWNAME|BOOL|TARGET/g, (word) => values[word]!);
    const form = body === 'FORM' ? fileForm([{ name: 'filename.txt', bytes: Buffer.from('text') }]) : { headers: {}, body: body && filled(body) };
    const sent = { ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filled(value)])), ...form.headers };
    return anonymous.send(filled(url).replace('https://fileago.mydomain.com', ''), {
      method,
      headers: sent,
      ...(form.body === undefined ? {} : { body: form.body }),
    });
  }

  it('are answered as it says', async () => {
    const folder = await jane.mkdir('home', 'Replay');
    const target = await jane.mkdir('home', 'Replay target');
    const copies = await jane.mkdir('home', 'Replay copies');
    const { uuid: file } = await jane.put(folder, 'invoice.docx', Buffer.from('i'));
    const values: Record<string, string> = {
      ...{ '<EMAIL ADDRESS>': janeInCloudike.email, '<PASSWORD>': PASSWORD, DIRNAME: '"My Documents"', NEWNAME: '"Misc"', BOOL: 'true' },
      ...{ TARGET: `"${john.uuid}"`, NODEUUID: folder },
    };
    for (const call of SOURCE_CALLS) {
      // Moving, copying and sending are about the file; everything else is about the folder.
      const node = /copy_to|move_to|share_copy_with/.test(call.body ?? '') ? file : folder;
      const reply = await replay(call, { ...values, NODEUUID: node, TARGETNODEUUID: `"${call.body?.includes('copy_to') ? copies : target}"` });
      expect(reply.status, call.title).toBe(call.status);
      if (call.status === 204) expect(reply.body.length, call.title).toBe(0);
      else expect(reply.json(), call.title).toMatchObject({ status: 'success' });
      if (call.title === 'Authentication') values['TOKEN'] = reply.json<{ token: string }>().token;
      if (call.title === 'Request an upload token') {
        expect(reply.json()).toEqual({ token: expect.any(String), status: 'success', msg: 'This token is valid for next 5 seconds only' });
        values['UPLOADTOKEN'] = reply.json<{ token: string }>().token;
      }
    }
    expect(await jane.list(target)).toMatchObject([{ name: 'invoice.docx', uuid: file }]);
    expect((await jane.list(copies)).map((entry) => entry.name)).toEqual(['invoice.docx']);
    expect((await jane.list(folder)).map((entry) => entry.name)).toEqual(['filename.txt', 'My Documents']);
    expect(await jane.list('trash')).toMatchObject([{ name: 'Misc', uuid: folder, is_starred: true }]);
    expect((await john.list('incoming')).map((entry) => entry.name)).toEqual(['invoice.docx']);
    await jane.say('DELETE', `/api/nodes/${folder}`);
    await john.say('DELETE', `/api/nodes/${(await john.entry('incoming', 'invoice.docx')).uuid}`);
    for (const node of [target, target, copies, copies]) await jane.say('DELETE', `/api/nodes/${node}`);
  });

  it.each(SOURCE_ALIASES)('know %s, alone, with an owner, and with the colon encoded', async (alias) => {
    for (const node of [alias, `${alias}:${jane.uuid}`, `${alias}%3A${jane.uuid}`]) {
      expect(await jane.http.get(`/api/nodes/${node}`), node).toMatchObject({ data: { uuid: alias, type: 'Dir' } });
      expect(await jane.http.get(`/api/nodes/${node}/dirlist`), node).toMatchObject({ status: 'success', data: expect.any(Array) });
      expect(await jane.http.get(`/api/nodes/${node}/path`), node).toMatchObject({ data: [{ uuid: alias }] });
    }
  });
});

describe('where it is served', () => {
  it('has the bare paths of the document, a prefix, and a host name of its own', async () => {
    const headers = { authorization: `Bearer ${jane.token}` };
    const replies = await Promise.all([
      anonymous.send('/api/nodes/home/', { headers }),
      anonymous.send('/fileago/api/nodes/home', { headers }),
      anonymous.send('/api/nodes/home', { headers: { ...headers, host: HOST } }),
    ]);
    expect(replies.map((reply) => reply.status)).toEqual([200, 200, 200]);
    expect(replies[0].headers['cache-control']).toBe('no-store, no-cache, must-revalidate');
    expect((await anonymous.send('/api/1/accounts/get/', { headers: { 'mountbit-auth': janeInCloudike.token } })).status).toBe(200);
  });

  it('says in its own form what is not there', async () => {
    const say = async (method: string, path: string, host?: string) => {
      const { status, body, headers } = await anonymous.send(path, { method, ...(host ? { headers: { host } } : {}) });
      return [status, (JSON.parse(body.toString()) as Record<string, unknown>)['code'], headers['allow']];
    };
    expect(await say('GET', '/fileago/nothing')).toEqual([404, 'route_not_found', undefined]);
    expect(await say('GET', '/api/nodes/a/b/c')).toEqual([404, 'route_not_found', undefined]);
    expect(await say('GET', '/api/1/accounts/get/', HOST)).toEqual([404, 'route_not_found', undefined]);
    expect(await say('GET', '/~fileago/NodesController.describe')).toEqual([404, 'route_not_found', undefined]);
    expect(await say('PUT', '/api/nodes/home')).toEqual([405, 'MethodNotAllowed', 'GET, POST, DELETE, OPTIONS']);
    expect(await say('GET', '/api/nodes/%E0%A4')).toEqual([400, 'invalid', undefined]);
  });

  it.each(['/auth', `/upload/x`, '/resources/auth/download/k/n/latest/f'])('answers OPTIONS of %s', async (path) => {
    const { status, headers } = await anonymous.send(path, { method: 'OPTIONS' });
    expect([status, headers['access-control-allow-origin']]).toEqual([204, '*']);
  });

  it('documents itself', async () => {
    const { paths } = await anonymous.get<{ paths: Record<string, object> }>('/docs/fileago/openapi.json');
    expect(Object.keys(paths).sort()).toEqual([
      '/api/groups',
      '/api/nodes/{node}',
      '/api/nodes/{node}/dirlist',
      '/api/nodes/{node}/myaccess',
      '/api/nodes/{node}/path',
      '/api/nodes/{node}/upload',
      '/auth',
      '/images/default_avatar.png',
      '/resources/auth/download/{access_key}/{node}/{revision}/{path}',
      '/upload/{upload_token}',
    ]);
  });
});

describe('nodes', () => {
  it('makes, describes, lists, renames, stars, moves and copies', async () => {
    const docs = await jane.mkdir('home', 'Docs');
    const inner = await jane.mkdir(docs, 'Inner');
    const file = await jane.put(docs, 'a.txt', Buffer.from('one'));
    expect(file).toMatchObject({ is_starred: false, public_shares: 0, private_shares: 0, comment_count: 0, size: 3, revision: 1, type: 'File' });
    expect((await jane.list('home')).find((entry) => entry.uuid === docs)).toEqual({
      ...{ is_starred: false, public_shares: 0, name: 'Docs', size: 2, comment_count: 0, uuid: docs, private_shares: 0, type: 'Dir' },
      updated: expect.any(Number),
    });
    expect(await jane.describe(docs)).toEqual({
      ...{ name: 'Docs', type: 'Dir', uuid: docs, owner_type: 'User', owner_uuid: jane.uuid, owner_fullname: 'Jane' },
      ...{ created: expect.any(Number), updated: expect.any(Number) },
    });
    expect(await jane.describe('home')).toMatchObject({ name: 'Home', uuid: 'home', type: 'Dir', owner_uuid: jane.uuid });
    expect(await jane.describe(`home:${jane.uuid}`)).toMatchObject({ uuid: 'home' });
    await jane.did(file.uuid, { new_name: 'b.txt' });
    await jane.did(file.uuid, { starred: true });
    await jane.did(file.uuid, { starred: true });
    expect(await jane.list('favorites')).toMatchObject([{ name: 'b.txt', is_starred: true, uuid: file.uuid }]);
    await jane.did(file.uuid, { starred: false });
    expect(await jane.list('favorites')).toEqual([]);
    await jane.did(file.uuid, { move_to: inner });
    await jane.did(file.uuid, { copy_to: inner });
    expect((await jane.list(inner)).map((entry) => entry.name)).toEqual(['b (1).txt', 'b.txt']);
    await jane.did(docs, { copy_to: 'home' });
    expect(await jane.data(`${file.uuid}/path`)).toEqual([
      { name: 'Home', uuid: 'home' },
      { name: 'Docs', uuid: docs },
      { name: 'Inner', uuid: inner },
      { name: 'b.txt', uuid: file.uuid },
    ]);
    expect(await jane.data('home/path')).toEqual([{ name: 'Home', uuid: 'home' }]);
    expect(await jane.data(`${docs}/myaccess`)).toEqual(['read', 'write', 'delete', 'download']);
    expect(await jane.data('home/myaccess')).toEqual(['read', 'write', 'download']);
    expect(await jane.data('trash/myaccess')).toEqual(['read']);
  });

  it('refuses what the contract refuses', async () => {
    const top = await jane.mkdir('home', 'Refusals');
    const below = await jane.mkdir(top, 'below');
    const { uuid: file } = await jane.put(top, 'f.bin', Buffer.from('x'));
    const cases: [node: string, action: Record<string, unknown>, said: string][] = [
      [top, { new_dir: 'below' }, '409 name_taken'],
      [top, { new_dir: '' }, '400 invalid'],
      [top, { new_dir: 'a/b' }, '400 name_illegal'],
      [top, { new_dir: 7 }, '400 invalid'],
      [top, {}, '400 invalid'],
      [top, { new_dir: 'x', new_name: 'y' }, '400 invalid'],
      [top, { nothing: true }, '400 invalid'],
      [top, { constructor: 'x' }, '400 invalid'],
      [top, { starred: 'true' }, '400 invalid'],
      [file, { new_dir: 'x' }, '400 not_a_folder'],
      [below, { new_name: 'f.bin' }, '409 name_taken'],
      [top, { move_to: below }, '400 into_itself'],
      [top, { copy_to: below }, '400 into_itself'],
      [below, { move_to: top }, '400 same_folder'],
      [below, { move_to: file }, '400 not_a_folder'],
      [below, { move_to: 'favorites' }, '400 not_a_folder'],
      [below, { move_to: UNKNOWN }, '404 node_not_found'],
      [below, { copy_to: 'nonsense' }, '404 node_not_found'],
      [UNKNOWN, { new_name: 'x' }, '404 node_not_found'],
      ['nonsense', { new_name: 'x' }, '404 node_not_found'],
      ['home', { new_name: 'x' }, '403 top_folder'],
      ['trash', { copy_to: 'home' }, '403 top_folder'],
      ['trash', { new_dir: 'x' }, '400 not_a_folder'],
      ['private_shares', { new_dir: 'x' }, '400 not_a_folder'],
      [file, { share_copy_with: [] }, '400 invalid'],
      [file, { share_copy_with: john.uuid }, '400 invalid'],
      [file, { share_copy_with: [john.uuid, UNKNOWN] }, '404 user_not_found'],
      [file, { share_copy_with: [stranger.uuid] }, '404 user_not_found'],
    ];
    for (const [node, action, said] of cases) expect((await jane.act(node, action)).said, JSON.stringify([node, action])).toBe(said);
    expect((await jane.say('DELETE', '/api/nodes/home')).said).toBe('403 top_folder');
    expect((await jane.say('GET', `/api/nodes/${file}/dirlist`)).said).toBe('400 not_a_folder');
    expect((await jane.say('GET', '/api/nodes/favorites/upload')).said).toBe('400 not_a_folder');
    expect((await jane.http.send(`/api/nodes/${top}`, { method: 'POST', body: '{"new_dir":' })).status).toBe(400);
    expect(await john.list('incoming')).toEqual([]);
  });

  it('does not exist for strangers, and places of others are unknown', async () => {
    const { uuid: file } = await jane.put('home', 'private.txt', Buffer.from('mine'));
    for (const other of [john, stranger]) {
      for (const path of [
        file,
        `${file}/path`,
        `${file}/dirlist`,
        `${file}/myaccess`,
        `${file}/upload`,
        `home:${jane.uuid}`,
        `trash:${jane.uuid}/dirlist`,
      ]) {
        expect((await other.say('GET', `/api/nodes/${path}`)).said, path).toBe('404 node_not_found');
      }
      for (const action of [{ new_name: 'x' }, { starred: true }, { copy_to: 'home' }, { move_to: 'home' }, { share_copy_with: [other.uuid] }]) {
        expect((await other.act(file, action)).said, JSON.stringify(action)).toBe('404 node_not_found');
      }
      expect((await other.say('DELETE', `/api/nodes/${file}`)).said).toBe('404 node_not_found');
      expect((await other.http.send(other.downloadPath(file))).status).toBe(404);
    }
    expect(await jane.bytes(file)).toEqual(Buffer.from('mine'));
  });
});

describe('the trash', () => {
  it('takes what is deleted, gives it back by moving, and erases what is deleted again', async () => {
    const folder = await jane.mkdir('home', 'Gone');
    const { uuid: file } = await jane.put(folder, 'deep.txt', Buffer.from('deep'));
    expect((await jane.say('DELETE', `/api/nodes/${folder}`)).status).toBe(204);
    expect(await jane.list('trash')).toMatchObject([{ name: 'Gone', uuid: folder, type: 'Dir' }]);
    expect((await jane.list('home')).map((entry) => entry.name)).not.toContain('Gone');
    expect(await jane.data(`${file}/path`)).toEqual([
      { name: 'Trash', uuid: 'trash' },
      { name: 'Gone', uuid: folder },
      { name: 'deep.txt', uuid: file },
    ]);
    expect(await jane.list(folder)).toMatchObject([{ uuid: file }]);
    expect((await jane.act(file, { move_to: 'home' })).said).toBe('409 inside_trashed_folder');
    expect((await jane.say('DELETE', `/api/nodes/${file}`)).said).toBe('409 inside_trashed_folder');
    expect((await stranger.act(folder, { move_to: 'home' })).said).toBe('404 node_not_found');
    await jane.did(folder, { move_to: 'home' });
    expect(await jane.bytes(file)).toEqual(Buffer.from('deep'));
    await jane.did(folder, { move_to: 'trash' });
    const both = await Promise.all([1, 2].map(() => jane.say('DELETE', `/api/nodes/${folder}`)));
    expect(both.map(({ said }) => said).sort()).toEqual(['204', '404 node_not_found']);
    expect(await jane.list('trash')).toEqual([]);
    expect((await jane.say('GET', `/api/nodes/${file}`)).said).toBe('404 node_not_found');
  });
});

describe('uploads and revisions', () => {
  it('answers the 58 bytes of the real server, and takes several files, empty ones, and a new revision by name and by id', async () => {
    const folder = await jane.mkdir('home', 'Uploads');
    const first = await jane.upload(folder, 'x.txt', Buffer.from('one'));
    expect([first.status, first.body.toString(), first.body.length]).toEqual([200, '{"status":"success","msg":"File(s) uploaded successfully"}', 58]);
    expect(first.headers['content-type']).toMatch(/^application\/json/);
    await jane.upload(folder, 'x.txt', Buffer.from('two'));
    const { uuid } = await jane.entry(folder, 'x.txt');
    await jane.upload(uuid, 'any name.bin', Buffer.from('three'));
    expect(await jane.list(folder)).toMatchObject([{ uuid, name: 'x.txt', size: 5, revision: 3 }]);
    const many = fileForm([
      { name: 'ü b.txt', bytes: Buffer.from('b') },
      { name: 'c.txt', bytes: Buffer.alloc(0) },
    ]);
    expect((await anonymous.send(`/upload/${await jane.ticket(folder)}`, { method: 'POST', ...many })).status).toBe(200);
    expect((await jane.list(folder)).map((entry) => [entry.name, entry.size])).toEqual([
      ['c.txt', 0],
      ['x.txt', 5],
      ['ü b.txt', 1],
    ]);
    const read = async (revision: string | number) => (await jane.bytes(uuid, revision)).toString();
    expect(await Promise.all([1, 2, 3, 'latest', 'oldest', '999999999999999', Date.now()].map(read))).toEqual([
      'one',
      'two',
      'three',
      'three',
      'one',
      'three',
      'three',
    ]);
    for (const [revision, status] of [
      [4, 404],
      [0, 404],
      [1_000_000_000_000, 404],
      ['x', 400],
    ] as const) {
      expect((await jane.http.send(jane.downloadPath(uuid, revision))).status, String(revision)).toBe(status);
    }
  });

  it('takes a token once and for the node it was made for', async () => {
    const folder = await jane.mkdir('home', 'Once');
    const token = await jane.ticket(folder);
    expect(token).toMatch(/^[0-9a-f-]{73}$/);
    const form = fileForm([{ name: 'once.txt', bytes: Buffer.from('x') }]);
    const answers = await Promise.all([1, 2, 3].map(() => anonymous.send(`/upload/${token}`, { method: 'POST', ...form })));
    expect(answers.map((reply) => reply.status).sort()).toEqual([200, 404, 404]);
    expect(answers.find((reply) => reply.status === 404)?.json()).toMatchObject({ status: 'error', code: 'upload_token_unknown' });
    expect((await anonymous.send(`/upload/${UNKNOWN}-${UNKNOWN}`, { method: 'POST', ...form })).status).toBe(404);
    expect((await jane.list(folder)).map((entry) => entry.revision)).toEqual([1]);
  });

  it('counts the five seconds to the arrival of the upload, not to its end', async () => {
    const folder = await jane.mkdir('home', 'Slow');
    const left = async () =>
      (
        await database.query<{ ms: string }>(
          `SELECT extract(epoch FROM expires_at - now()) * 1000 AS ms FROM upload_tickets ORDER BY expires_at DESC`,
        )
      ).rows;
    const ticket = await jane.ticket(folder);
    expect(Number((await left())[0]!.ms)).toBeLessThanOrEqual(5000);
    await database.query(`UPDATE upload_tickets SET expires_at = now() - interval '1 millisecond'`);
    const form = fileForm([{ name: 'slow.bin', bytes: Buffer.alloc(200_000, 'x') }]);
    expect((await anonymous.send(`/upload/${ticket}`, { method: 'POST', ...form })).status).toBe(404);
    await database.query('DELETE FROM upload_tickets');
    const second = await jane.ticket(folder);
    const inTwoParts = async function* () {
      yield form.body.subarray(0, 100_000);
      // The token is used up while the bytes still come; what comes later than its end is taken all the same.
      await expect.poll(left, { timeout: 20_000 }).toEqual([]);
      yield form.body.subarray(100_000);
    };
    const reply = await anonymous.send(`/upload/${second}`, { method: 'POST', headers: form.headers, body: Readable.from(inTwoParts()) });
    expect(reply.status).toBe(200);
    expect(await jane.list(folder)).toMatchObject([{ name: 'slow.bin', size: 200_000 }]);
  });

  it('shows nothing of a form without a file, cut off, or refused', async () => {
    const folder = await jane.mkdir('home', 'Broken');
    const { uuid: file } = await jane.put(folder, 'one.txt', Buffer.from('x'));
    const send = async (node: string, files: Parameters<typeof fileForm>[0]) =>
      (await anonymous.send(`/upload/${await jane.ticket(node)}`, { method: 'POST', ...fileForm(files) })).status;
    expect(await send(folder, [{ name: 'a', bytes: Buffer.from('x'), field: 'other' }])).toBe(400);
    expect(await send(folder, [{ name: '', bytes: Buffer.from('x') }])).toBe(400);
    expect(
      await send(folder, [
        { name: 'good.txt', bytes: Buffer.from('x') },
        { name: 'x'.repeat(300), bytes: Buffer.from('x') },
      ]),
    ).toBe(400);
    expect(
      await send(file, [
        { name: 'a', bytes: Buffer.from('x') },
        { name: 'b', bytes: Buffer.from('y') },
      ]),
    ).toBe(400);
    const { body, headers } = fileForm([{ name: 'cut.txt', bytes: Buffer.alloc(64 * 1024) }]);
    const cut = body.subarray(0, body.length - 20);
    expect(
      (
        await anonymous.send(`/upload/${await jane.ticket(folder)}`, {
          method: 'POST',
          headers: { ...headers, 'content-length': String(cut.length) },
          body: cut,
        })
      ).status,
    ).toBe(400);
    expect((await anonymous.send(`/upload/${await jane.ticket(folder)}`, { method: 'POST', body: 'no form' })).status).toBe(400);
    expect((await jane.list(folder)).map((entry) => [entry.name, entry.revision])).toEqual([['one.txt', 1]]);
  });

  it('serves ranges and the name of the file, and only to a living session', async () => {
    const bytes = Buffer.from('0123456789');
    const { uuid } = await jane.put('home', 'Bericht ä.txt', bytes);
    const whole = await anonymous.send(jane.downloadPath(uuid));
    expect([whole.status, whole.headers['content-length'], whole.headers['x-content-type-options']]).toEqual([200, '10', 'nosniff']);
    expect(whole.headers['content-disposition']).toContain("filename*=UTF-8''Bericht%20%C3%A4.txt");
    const part = await anonymous.send(jane.downloadPath(uuid), { headers: { range: 'bytes=2-4' } });
    expect([part.status, part.body.toString(), part.headers['content-range']]).toEqual([206, '234', 'bytes 2-4/10']);
    const folder = await jane.mkdir('home', 'No bytes');
    expect((await anonymous.send(jane.downloadPath(folder))).status).toBe(400);
    expect((await anonymous.send(jane.downloadPath(uuid).replace(jane.accessKey, `${UNKNOWN}-${UNKNOWN}`))).status).toBe(401);
  });

  it('ends with the session: calls, download URLs and upload tokens', async () => {
    const { uuid } = await jane.put('home', 'ends.txt', Buffer.from('x'));
    const session = await FileagoUser.login(stack.baseUrl, janeInCloudike.email, PASSWORD);
    const ticket = await session.ticket('home');
    expect(await session.bytes(uuid)).toEqual(Buffer.from('x'));
    const { sub, jti } = JSON.parse(Buffer.from(session.token.split('.')[1]!, 'base64url').toString()) as { sub: string; jti: string };
    expect(Number(sub)).toBe(janeInCloudike.userId);
    await janeInCloudike.http.form('/api/1/accounts/remove_token/', { token_id: jti, id: jti });
    expect((await session.say('GET', '/api/nodes/home')).said).toBe('401 unauthenticated');
    expect((await anonymous.send(session.downloadPath(uuid))).status).toBe(401);
    expect((await anonymous.send(`/upload/${ticket}`, { method: 'POST', ...fileForm([{ name: 'late', bytes: Buffer.from('x') }]) })).status).toBe(
      404,
    );
    expect(await jane.bytes(uuid)).toEqual(Buffer.from('x'));
  });
});

describe('others', () => {
  it('receive copies of their own in incoming', async () => {
    const { uuid } = await jane.put('home', 'gift.txt', Buffer.from('gift'));
    await jane.did(uuid, { share_copy_with: [john.uuid] });
    await jane.did(uuid, { share_copy_with: [john.uuid, john.uuid] });
    const received = await john.list('incoming');
    expect(received.map((entry) => entry.name)).toEqual(['gift (1).txt', 'gift.txt']);
    expect(await john.describe(received[1]!.uuid)).toMatchObject({ owner_uuid: john.uuid, owner_type: 'User' });
    expect(await john.data(`${received[1]!.uuid}/path`)).toEqual([
      { name: 'Incoming', uuid: 'incoming' },
      { name: 'gift.txt', uuid: received[1]!.uuid },
    ]);
    await jane.say('DELETE', `/api/nodes/${uuid}`);
    expect(sha(await john.bytes(received[1]!.uuid))).toBe(sha(Buffer.from('gift')));
  });

  it('see what is shared with them, with the rights they were given', async () => {
    const folder = await jane.mkdir('home', 'Shared');
    const { uuid: file } = await jane.put(folder, 's.txt', Buffer.from('s'));
    const { hash } = await janeInCloudike.http.form<{ hash: string }>('/api/1/shares/add/', {
      ...{ path: '/Shared', member_login: `email:${johnInCloudike.email}`, writer: false },
    });
    await johnInCloudike.http.form('/api/1/shares/accept/', { hash });
    expect(await john.list('shared_with_you')).toMatchObject([{ name: 'Shared', uuid: folder, type: 'Dir', private_shares: 0 }]);
    expect(await jane.list('private_shares')).toMatchObject([{ name: 'Shared', uuid: folder, private_shares: 1 }]);
    expect(await john.data(`${file}/myaccess`)).toEqual(['read', 'download']);
    expect(await john.describe(file)).toMatchObject({ owner_uuid: jane.uuid, owner_fullname: 'Jane' });
    expect((await john.act(file, { new_name: 'x' })).said).toBe('403 forbidden');
    expect((await john.act(folder, { new_dir: 'x' })).said).toBe('403 forbidden');
    expect((await john.say('GET', `/api/nodes/${file}/upload`)).said).toBe('403 forbidden');
    expect((await john.say('DELETE', `/api/nodes/${file}`)).said).toBe('403 forbidden');
    expect(await john.bytes(file)).toEqual(Buffer.from('s'));
    await janeInCloudike.http.form('/api/1/links/create/', { path: '/Shared/s.txt' });
    expect(await jane.list('public_shares')).toMatchObject([{ name: 's.txt', uuid: file, public_shares: 1 }]);
  });

  it('share the places of their groups', async () => {
    const groups = (path: string, params: Record<string, string | number>) =>
      founder.http.form<{ group_id: string }>(`/api/1/groups/${path}`, params);
    const { group_id: groupId } = await groups('create/', { name: 'Crew' });
    await groups(`${groupId}/add_user/`, { user_ids: janeInCloudike.userId });
    const { data: mine } = await jane.http.get<{ data: { group_name: string; group_uuid: string }[] }>('/api/groups/');
    expect(mine).toEqual([{ group_name: 'Crew', group_uuid: expect.stringMatching(/^[0-9a-f-]{36}$/) }]);
    const crew = mine[0]!.group_uuid;
    const home = `home:${crew}`;
    expect((await john.say('GET', `/api/nodes/${home}`)).said).toBe('404 node_not_found');
    expect((await stranger.say('GET', `/api/nodes/${home}/dirlist`)).said).toBe('404 node_not_found');
    expect(await jane.describe(home)).toMatchObject({ name: 'Home', uuid: home, owner_type: 'Group', owner_uuid: crew, owner_fullname: 'Crew' });
    const plans = await jane.mkdir(home, 'Plans');
    const { uuid: file } = await jane.put(plans, 'p.txt', Buffer.from('plan'));
    expect(await jane.describe(file)).toMatchObject({ owner_type: 'Group', owner_uuid: crew });
    expect(await jane.data(`${file}/path`)).toEqual([
      { name: 'Home', uuid: home },
      { name: 'Plans', uuid: plans },
      { name: 'p.txt', uuid: file },
    ]);
    await groups(`${groupId}/add_user/`, { user_ids: johnInCloudike.userId });
    expect((await john.list(home)).map((entry) => entry.uuid)).toEqual([plans]);
    expect(await john.bytes(file)).toEqual(Buffer.from('plan'));
    await john.did(file, { starred: true });
    expect(await john.list(`favorites:${crew}`)).toMatchObject([{ uuid: file }]);
    expect(await john.list(`public_shares:${crew}`)).toEqual([]);
    expect(await john.list(`private_shares:${crew}`)).toEqual([]);
    expect(await john.list(`shared_with_you:${crew}`)).toEqual([]);
    const { uuid: own } = await john.put('home', 'for all.txt', Buffer.from('all'));
    await john.did(own, { share_copy_with: [crew, jane.uuid] });
    expect((await jane.list(`incoming:${crew}`)).map((entry) => entry.name)).toEqual(['for all.txt']);
    expect((await jane.list('incoming')).map((entry) => entry.name)).toContain('for all.txt');
    expect((await john.say('DELETE', `/api/nodes/${plans}`)).status).toBe(204);
    expect((await jane.list(`trash:${crew}`)).map((entry) => entry.uuid)).toEqual([plans]);
    await jane.did(plans, { move_to: home });
    expect(await john.bytes(file)).toEqual(Buffer.from('plan'));
    await groups(`${groupId}/remove_user/`, { user_ids: johnInCloudike.userId });
    for (const path of [home, plans, `${file}/path`]) expect((await john.say('GET', `/api/nodes/${path}`)).said, path).toBe('404 node_not_found');
    expect((await john.http.send(john.downloadPath(file))).status).toBe(404);
  });
});

describe('policies of the company', () => {
  it('close the way to the bytes here as everywhere, and open it again', async () => {
    const { uuid } = await john.put('home', 'policy.txt', Buffer.from('p'));
    const { group_id: groupId } = await founder.http.form<{ group_id: string }>('/api/1/groups/create/', { name: 'Lookers' });
    await founder.http.form(`/api/1/groups/${groupId}/add_user/`, { user_ids: johnInCloudike.userId });
    const allow = (value: boolean) => founder.http.form(`/api/1/groups/${groupId}/change_can_download/`, { value });
    const status = async () => (await anonymous.send(john.downloadPath(uuid))).status;
    await allow(false);
    await expect.poll(status, { timeout: 5_000 }).toBe(403);
    expect(await john.data(`${uuid}/myaccess`)).toEqual(['read', 'write', 'delete']);
    expect((await john.act(uuid, { share_copy_with: [jane.uuid] })).said).toBe('403 forbidden');
    await allow(true);
    await expect.poll(status, { timeout: 5_000 }).toBe(200);
  });

  it('end with the account: a member who is disabled is out within two seconds', async () => {
    const member = await town.hire(founder, companyId, 'Leaver');
    const user = await FileagoUser.login(stack.baseUrl, member.email, PASSWORD);
    expect(await user.list('home')).toEqual([]);
    const admin = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
    await admin.http.form('/api/1/admin/accounts_disable/', { user_id: member.userId });
    await expect.poll(async () => (await user.say('GET', '/api/nodes/home')).said, { timeout: 2_000 }).toBe('401 unauthenticated');
    expect((await anonymous.send(user.downloadPath(UNKNOWN))).status).toBe(401);
  });
});

describe('quota', () => {
  it('refuses what has no room, before it is kept', async () => {
    const full = await CloudikeUser.register(stack.baseUrl);
    const user = await FileagoUser.login(stack.baseUrl, full.email, 'correct horse battery');
    const admin = await CloudikeUser.login(stack.baseUrl, stack.admin.email, stack.admin.password);
    await admin.http.form('/api/1/admin/edit_user/', { user_id: full.userId, hard_quota_size: 10 });
    const form = (bytes: number) => ({ method: 'POST', ...fileForm([{ name: 'q', bytes: Buffer.alloc(bytes) }]) });
    const first = await anonymous.send(`/upload/${await user.ticket('home')}`, form(11));
    expect([first.status, first.json()['code']]).toEqual([507, 'quota_exceeded']);
    expect((await anonymous.send(`/upload/${await user.ticket('home')}`, form(10))).status).toBe(200);
    expect((await user.act('home', { new_dir: 'no room' })).said).toBe('507 quota_exceeded');
    expect((await user.act((await user.entry('home', 'q')).uuid, { copy_to: 'home' })).said).toBe('507 quota_exceeded');
    expect((await user.list('home')).map((entry) => entry.name)).toEqual(['q']);
  });
});
