import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser, type UploadTicket, type WireNode } from '../../support/cloudike-user.js';
import { HttpSession } from '../../support/http-session.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';

// The behaviours that real clients of the API depend on, in the order and with the numbers of docs/contracts/cloudike.md section 16.

let stack: SharedStack;
let user: CloudikeUser;
let anonymous: HttpSession;

beforeAll(async () => {
  stack = await sharedStack();
  user = await CloudikeUser.register(stack.baseUrl, 'clients@example.org', 'a good password');
  anonymous = new HttpSession(stack.baseUrl);
});
afterAll(() => stack?.stop());

/** A multipart/form-data body; a value with `filename` becomes a file part. */
function multipart(parts: readonly { name: string; value: string | Buffer; filename?: string; type?: string }[]): {
  body: Buffer;
  headers: Record<string, string>;
} {
  const boundary = `----test${randomBytes(8).toString('hex')}`;
  const chunks: Buffer[] = [];
  for (const part of parts) {
    const file = part.filename === undefined ? '' : `; filename="${part.filename}"`;
    const type = part.type === undefined ? '' : `Content-Type: ${part.type}\r\n`;
    chunks.push(
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${part.name}"${file}\r\n${type}\r\n`),
      Buffer.from(part.value),
      Buffer.from('\r\n'),
    );
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`));
  const body = Buffer.concat(chunks);
  return { body, headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': String(body.length) } };
}

const json = (value: unknown) => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });

describe('1: files/create', () => {
  it('answers exactly 200 with absolute URLs and headers that are strings', async () => {
    const ticket = await user.http.form<UploadTicket & { parameters: unknown }>('/api/1/files/create/', { path: '/one.txt' });
    expect(ticket.url).toMatch(/^https?:\/\//);
    expect(ticket.confirm_url).toMatch(/^https?:\/\/.*\/api\/1\/files\/confirm\/one\.txt\?.*user_id=\d+.*temp_name=/);
    expect(ticket.method).toBe('PUT');
    expect(ticket.headers['Content-Type']).toBe('application/octet-stream');
    expect(Object.values(ticket.headers).every((value) => typeof value === 'string')).toBe(true);
    expect(ticket.parameters).toEqual({});
  });
});

describe('2: the storage URL', () => {
  const bytes = Buffer.from('the same bytes, whichever way they come');

  it.each([
    ['raw PUT', () => ({ method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body: bytes })],
    ['raw PUT without a type', () => ({ method: 'PUT', headers: {}, body: bytes })],
    ['raw POST', () => ({ method: 'POST', headers: { 'content-type': 'image/png' }, body: bytes })],
    [
      'multipart POST with header entries as file parts (desktop uploader)',
      () => {
        const form = multipart([
          { name: 'Content-Type', value: 'application/octet-stream', filename: 'Content-Type' },
          { name: 'file', value: bytes, filename: 'räksmörgås.bin', type: 'application/octet-stream' },
        ]);
        return { method: 'POST', ...form };
      },
    ],
    [
      'multipart POST with fields before the file (iOS)',
      () => {
        const form = multipart([
          { name: 'key', value: 'abc' },
          { name: 'Content-Type', value: 'application/octet-stream' },
          { name: 'file', value: bytes, filename: 'a.bin', type: 'application/octet-stream' },
        ]);
        return { method: 'POST', ...form };
      },
    ],
  ])('takes a %s without a token', async (name, request) => {
    const path = `/ways/${name.replaceAll(/[^a-z]/gi, '-')}.bin`;
    const ticket = await user.createUpload(path);
    const reply = await anonymous.send(ticket.url, request());
    expect(reply.status).toBe(200);
    await user.http.form(ticket.confirm_url, {});
    expect(await user.download(path)).toEqual(bytes);
  });

  it('answers the preflight of a browser PUT', async () => {
    const ticket = await user.createUpload('/ways/preflight.bin');
    const reply = await anonymous.send(ticket.url, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example.org', 'access-control-request-method': 'PUT', 'access-control-request-headers': 'content-type' },
    });
    expect(reply.status).toBe(204);
    expect(reply.headers['access-control-allow-origin']).toBe('*');
    expect(reply.headers['access-control-allow-methods']).toContain('PUT');
  });

  it('refuses a changed signature and a multipart body without a part named file', async () => {
    const ticket = await user.createUpload('/ways/bad.bin');
    expect((await anonymous.send(`${ticket.url}0`, { method: 'PUT', body: bytes })).status).toBe(403);
    const form = multipart([{ name: 'data', value: bytes, filename: 'a.bin' }]);
    expect((await anonymous.send(ticket.url, { method: 'POST', ...form })).status).toBe(400);
    expect((await user.http.send(ticket.confirm_url, { method: 'POST' })).status).toBe(404);
  });
});

describe('3: confirm', () => {
  it.each([
    ['an empty body', { method: 'POST' }],
    ['the JSON body {}', json({})],
    ['JSON without a body', { method: 'POST', headers: { 'content-type': 'application/json' } }],
    ['GET', { method: 'GET' }],
  ])('works with %s, without credentials, and again', async (name, request) => {
    const path = `/confirm/${name.replaceAll(/[^a-z]/gi, '-')}.txt`;
    const ticket = await user.createUpload(path, { created: 1, modified: 2 });
    await user.put(ticket, Buffer.from('x'));
    const first = await anonymous.send(ticket.confirm_url, request);
    expect(first.status).toBe(200);
    const again = await user.http.send(ticket.confirm_url, request);
    expect(again.status).toBe(200);
    expect(again.json()).toEqual(first.json());
    expect(first.json<WireNode>()).toMatchObject({ path, bytes: 1, version: 1 });
  });

  it('is one file when ten clients confirm at once', async () => {
    const ticket = await user.createUpload('/confirm/ten.txt');
    await user.put(ticket, Buffer.from('ten'));
    const replies = await Promise.all(Array.from({ length: 10 }, () => anonymous.send(ticket.confirm_url, { method: 'POST' })));
    expect(replies.map((reply) => reply.status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect((await user.http.get<unknown[]>('/api/1/files/versions/confirm/ten.txt')).length).toBe(1);
  });

  it('refuses the token of somebody else and an unknown temp_name', async () => {
    const stranger = await CloudikeUser.register(stack.baseUrl);
    const ticket = await user.createUpload('/confirm/foreign.txt');
    await user.put(ticket, Buffer.from('x'));
    expect((await stranger.http.send(ticket.confirm_url, { method: 'POST' })).status).toBe(404);
    const unknown = ticket.confirm_url.replace(/temp_name=[^&]+/, `temp_name=${user.userId}_${'0'.repeat(32)}`);
    expect((await anonymous.send(unknown, { method: 'POST' })).status).toBe(404);
  });

  it('reports bytes that are not what was announced, and takes the right ones afterwards', async () => {
    const ticket = await user.createUpload('/confirm/mismatch.txt', { size: 3, checksum: '900150983cd24fb0d6963f7d28e17f72' });
    await user.put(ticket, Buffer.from('abd'));
    expect((await user.http.send(ticket.confirm_url, { method: 'POST' })).status).toBe(400);
    expect((await user.http.send('/api/1/metadata/confirm/mismatch.txt')).status).toBe(404);
    await user.put(ticket, Buffer.from('abc'));
    expect((await user.http.form<WireNode>(ticket.confirm_url, {})).checksum).toBe('900150983cd24fb0d6963f7d28e17f72');
  });
});

describe('4: methods', () => {
  it.each(['metadata/', 'accounts/get/', 'accounts/permanent_tokens/', 'files/favorites/', 'trash/'])('POST %s equals GET', async (path) => {
    const get = await user.http.send(`/api/1/${path}`);
    const post = await user.http.send(`/api/1/${path}`, json({}));
    expect(get.status).toBe(200);
    expect(post.status).toBe(200);
    expect(Object.keys(post.json())).toEqual(Object.keys(get.json()));
  });

  it('search works by GET and parameters of a POST may stand in the query', async () => {
    await user.http.send('/api/1/fileops/folder_create/?path=/queried', { method: 'POST', headers: { 'content-type': 'application/json' } });
    const found = await user.http.get<{ content: WireNode[]; is_last_page: boolean }>('/api/1/files/search/?query=QUERIE');
    expect(found.content.map((node) => node.path)).toEqual(['/queried']);
    expect(found.is_last_page).toBe(true);
  });
});

describe('5: bodies', () => {
  it('form, multipart, JSON and bracketed lists say the same', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) await user.mkdir(`/lists/${name}`);
    const url = '/api/1/fileops/multi/delete/';
    const formHeaders = { 'content-type': 'application/x-www-form-urlencoded' };
    const requests = [
      { method: 'POST', headers: formHeaders, body: 'path=/lists/a&path=/lists/b' },
      {
        method: 'POST',
        ...multipart([
          { name: 'path', value: '/lists/c' },
          { name: 'path', value: '/lists/d' },
        ]),
      },
      json({ path: ['/lists/e', '/lists/f'] }),
      { method: 'POST', headers: formHeaders, body: 'path[0]=/lists/g&path[]=/lists/h' },
    ];
    for (const request of requests) {
      const reply = await user.http.send(url, request);
      expect(reply.status).toBe(200);
      expect(reply.json()).toMatchObject({ success: 2, failed: 0 });
    }
    expect((await user.metadata('/lists')).content).toEqual([]);
  });

  it('the body wins over the query, and broken JSON is a clear 400', async () => {
    const made = await user.http.send('/api/1/fileops/folder_create/?path=/from-query', json({ path: '/from-body' }));
    expect(made.json<WireNode>().path).toBe('/from-body');
    const broken = await user.http.send('/api/1/fileops/folder_create/', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"path":',
    });
    expect(broken.status).toBe(400);
    expect(broken.json()).toMatchObject({ code: 'InvalidParameters', description: expect.stringMatching(/JSON/) });
  });
});

describe('6: node objects', () => {
  it('tell folders by icon and times in ms', async () => {
    await user.upload('/nodes/photo.jpg', Buffer.from('x'));
    const folder = await user.metadata('/nodes');
    expect(folder).toMatchObject({ folder: true, icon: 'folder', path: '/nodes', bytes: 0 });
    expect(folder.modified).toBeGreaterThan(1_600_000_000_000);
    expect(folder.content![0]).toMatchObject({ folder: false, icon: 'image', path: '/nodes/photo.jpg' });
    expect(await user.metadata('/')).toMatchObject({ path: '/', folder: true });
  });
});

describe('8: errors and data', () => {
  it('errors have code and description, data has no code', async () => {
    const missing = await user.http.send('/api/1/metadata/nothing-here');
    expect(missing.status).toBe(404);
    expect(missing.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(missing.json()).toEqual({ code: 'NotFound', description: expect.stringMatching(/./) });
    for (const path of ['metadata/', 'accounts/get/', 'trash/']) expect(await user.http.get(`/api/1/${path}`)).not.toHaveProperty('code');
  });

  it('a path that no route serves is RouteNotFound, with CORS headers', async () => {
    const reply = await anonymous.send('/api/1/no/such/route/');
    expect(reply.status).toBe(404);
    expect(reply.json().code).toBe('RouteNotFound');
    expect(reply.headers['access-control-allow-origin']).toBe('*');
  });

  it.each([
    ['no token', {}],
    ['an unknown token', { 'mountbit-auth': '0'.repeat(32) }],
    ['a token of another length', { 'mountbit-auth': 'abc' }],
    ['wrong Basic credentials', { authorization: `Basic ${Buffer.from('clients@example.org:wrong').toString('base64')}` }],
  ])('%s is 401 Unauthorized', async (_, headers) => {
    const reply = await anonymous.send('/api/1/metadata/', { headers });
    expect(reply.status).toBe(401);
    expect(reply.json().code).toBe('Unauthorized');
  });
});

describe('9: tasks', () => {
  it('answer an error with progress until they are done, then the result', async () => {
    await user.upload('/tasks/a.txt', Buffer.from('a'));
    const { taskid } = await user.http.form<{ taskid: string }>('/api/1/files/download_as_archive/', { path: '/tasks' });
    expect(taskid).toMatch(/^[0-9a-f]{128}$/);
    const { url } = await user.finished<{ url: string }>(taskid);
    expect((await anonymous.send(url)).body.subarray(0, 2).toString()).toBe('PK');
    const stranger = await CloudikeUser.register(stack.baseUrl);
    expect((await stranger.http.send(`/api/1/task/${taskid}/`)).status).toBe(404);
    expect((await user.http.send(`/api/1/task/${'0'.repeat(128)}/`)).json()).toMatchObject({ code: 'TaskNotFound' });
  });
});

describe('10: trash', () => {
  it('lists names and restore paths, and restores by names', async () => {
    await user.upload('/bin/same.txt', Buffer.from('1'));
    await user.http.form('/api/1/fileops/delete/', { path: '/bin/same.txt' });
    await user.upload('/bin/same.txt', Buffer.from('2'));
    await user.http.form('/api/1/fileops/delete/', { path: '/bin/same.txt' });
    const trash = await user.http.get<{ content: WireNode[] }>('/api/1/trash/?order_by=name');
    const mine = trash.content.filter((item) => item.restore_path === '/bin/same.txt');
    expect(new Set(mine.map((item) => item.name)).size).toBe(2);
    expect(mine.every((item) => !('path' in item))).toBe(true);
    const reply = await user.http.send('/api/1/trash/restore/', { method: 'POST', ...multipart([{ name: 'paths', value: mine[0]!.name! }]) });
    await user.finished(reply.json<{ taskid: string }>().taskid);
    expect((await user.download('/bin/same.txt')).length).toBe(1);
    const { taskid } = await user.http.form<{ taskid: string }>('/api/1/trash/clear/', { path: mine[1]!.name });
    await user.finished(taskid);
    const left = await user.http.get<{ content: WireNode[] }>('/api/1/trash/');
    expect(left.content.some((item) => item.restore_path === '/bin/same.txt')).toBe(false);
    expect(left.content.length).toBeGreaterThan(0);
  });

  it('can be emptied twice in a row', async () => {
    for (let round = 0; round < 2; round++) {
      const { taskid } = await user.http.form<{ taskid: string }>('/api/1/trash/clear/', {});
      await user.finished(taskid);
    }
    expect((await user.http.get<{ content: WireNode[] }>('/api/1/trash/')).content).toEqual([]);
  });
});

describe('11: multi/delete', () => {
  it('deletes a single path and reports a missing one beside it', async () => {
    await user.mkdir('/gone');
    const reply = await user.http.send('/api/1/fileops/multi/delete/', { method: 'POST', ...multipart([{ name: 'path', value: '/gone' }]) });
    expect(reply.json()).toMatchObject({ success: 1, failed: 0, nodes: [{ error_code: null, deleted: true }] });
    const mixed = await user.http.form('/api/1/fileops/multi/delete/', { path: ['/gone', '/never'] });
    expect(mixed).toMatchObject({
      success: 0,
      failed: 2,
      nodes: [
        { path: '/gone', error_code: 404 },
        { path: '/never', error_code: 404 },
      ],
    });
  });
});

describe('12: slashes', () => {
  it('around paths do not matter', async () => {
    await user.upload('/slash/f.txt', Buffer.from('x'));
    for (const path of [
      'metadata//slash',
      'metadata/slash/',
      'metadata/slash//f.txt',
      'files/get//slash/f.txt/?for_view=true',
      'files/get/slash/f.txt',
    ]) {
      expect((await user.http.send(`/api/1/${path}`)).status, path).toBe(200);
    }
    expect((await user.http.send('/api/1/accounts/get')).status).toBe(200);
    expect((await user.http.send('/api/0/accounts/get/')).status).toBe(200);
    await user.http.form('/api/1/fileops/folder_create', { path: 'without-leading-slash' });
    expect((await user.metadata('/without-leading-slash')).folder).toBe(true);
  });
});

describe('13: tokens', () => {
  it('have 32 characters and work in every header form', async () => {
    expect(user.token).toMatch(/^[0-9a-f]{32}$/);
    const basic = Buffer.from('clients@example.org:a good password').toString('base64');
    const prefixed = Buffer.from('email:clients@example.org:a good password').toString('base64');
    const forms: Record<string, string>[] = [
      { 'Mountbit-Auth': user.token },
      { authorization: user.token },
      { authorization: `Basic ${basic}` },
      { authorization: `Basic ${prefixed}` },
    ];
    for (const headers of forms) expect((await anonymous.send('/api/1/accounts/get/', { headers })).status).toBe(200);
  });
});

describe('14: listings', () => {
  it('page, order, and leave content out', async () => {
    for (const name of ['b', 'a', 'c']) await user.upload(`/listing/${name}.txt`, Buffer.from(name), { modified: name.charCodeAt(0) });
    await user.mkdir('/listing/d');
    const paths = async (query: string) =>
      (await user.http.get<WireNode>(`/api/1/metadata/listing?${query}`)).content?.map((node) => node.path.slice(9));
    expect(await paths('limit=500&offset=0&order_by=name')).toEqual(['a.txt', 'b.txt', 'c.txt', 'd']);
    expect(await paths('order_by=-name&limit=2')).toEqual(['d', 'c.txt']);
    expect((await paths('order_by=-modified_time'))!.slice(0, 2)).toEqual(['d', 'c.txt']);
    expect(await paths('offset=1&limit=2')).toEqual(['b.txt', 'c.txt']);
    expect(await paths('dirs_only=true')).toEqual(['d']);
    for (const query of ['listing=0', 'listing=false', 'list=false', 'listing=False']) expect(await paths(query)).toBeUndefined();
    expect((await user.metadata('/listing', { limit: 2 })).is_last_page).toBe(false);
    expect((await user.metadata('/listing', { limit: 4 })).is_last_page).toBe(true);
  });

  it('answer 304 until something in the folder changes', async () => {
    await user.upload('/etag/a.txt', Buffer.from('a'));
    const etag = async () => String((await user.http.send('/api/1/metadata/etag')).headers['etag']);
    const first = await etag();
    expect(first).toMatch(/^"[^"]+"$/);
    for (const form of [first, `W/${first}`, first.slice(1, -1)]) {
      expect((await user.http.send('/api/1/metadata/etag', { headers: { 'if-none-match': form } })).status).toBe(304);
    }
    expect((await user.http.send(`/api/1/metadata/etag?hash=${first.slice(1, -1)}`)).status).toBe(304);
    const changes = [
      () => user.upload('/etag/b.txt', Buffer.from('b')),
      () => user.upload('/etag/a.txt', Buffer.from('aa'), { overwrite: true }),
      () => user.http.form('/api/1/fileops/rename/', { path: '/etag/a.txt', newname: 'c.txt' }),
      () => user.http.form('/api/1/fileops/delete/', { path: '/etag/c.txt' }),
      () => user.http.form('/api/1/fileops/undelete/', { path: '/etag/c.txt' }),
    ];
    let known = first;
    for (const change of changes) {
      await change();
      const now = await etag();
      expect(now).not.toBe(known);
      known = now;
    }
  });
});

describe('15: the full listing', () => {
  it('gives an id, then progress, then a URL to the nested tree', async () => {
    const { listing_request_id } = await user.http.get<{ listing_request_id: string }>('/api/1/metadata_full_listing/');
    let url: string | undefined;
    for (let tries = 0; url === undefined && tries < 200; tries++) {
      const reply = await user.http.send(`/api/1/metadata_full_listing/?listing_request_id=${listing_request_id}`);
      if (reply.status === 200) ({ url } = reply.json<{ url: string }>());
      else {
        expect(reply.status).toBe(404);
        expect(reply.body.toString()).toContain('progress');
        await new Promise((done) => setTimeout(done, 50));
      }
    }
    const tree = (await anonymous.send(url!)).json<WireNode>();
    expect(tree).toMatchObject({ path: '/', folder: true });
    expect(tree.content!.find((node) => node.path === '/listing')!.content!.map((node) => node.path)).toContain('/listing/a.txt');
    expect((await user.http.send('/api/1/metadata_full_listing/?listing_request_id=ffffffff')).status).toBe(404);
  });
});

describe('17: the account', () => {
  it('tells its size and its quota', async () => {
    const account = await user.http.get('/api/1/accounts/get/');
    expect(account).toMatchObject({
      userid: user.userId,
      storage_size: expect.any(Number),
      quota_size: expect.any(Number),
      logins: ['email:clients@example.org'],
      balance: 'n/a',
    });
  });
});
