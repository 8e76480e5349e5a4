import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CloudikeUser, encodePath, type UploadTicket } from '../../support/cloudike-user.js';
import { type SharedStack, sharedStack } from '../../support/stack.js';

const main = join(resolve(import.meta.dirname, '../../..'), 'dist/apps/api/src/main.js');

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** Runs the api with `env` until it ends by itself. */
async function runApi(env: Record<string, string>): Promise<Ended> {
  const child = spawn(process.execPath, [main], { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

describe('the api over HTTP', () => {
  let stack: SharedStack;
  let user: CloudikeUser;

  beforeAll(async () => {
    stack = await sharedStack();
    user = await CloudikeUser.register(stack.baseUrl);
    await user.upload('/a/b.txt', Buffer.from('hello'), { modified: 1_385_719_238_000 });
  });

  afterAll(async () => {
    await stack?.stop();
  });

  const call = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${stack.baseUrl}${path}`, {
      redirect: 'manual',
      ...init,
      headers: { 'mountbit-auth': user.token, ...init.headers },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: <T = Record<string, unknown>>() => JSON.parse(text) as T };
  };

  it('tells how it is and what it does', async () => {
    expect((await call('/health/live')).status).toBe(200);
    expect((await call('/health/ready')).status).toBe(200);
    const taken = async () => Number(/stowage_bytes_total\{direction="in"\} (\d+)/.exec((await call('/metrics')).text)?.[1]);
    const before = await taken();
    await user.upload('/counted', Buffer.from('12345'));
    expect((await taken()) - before).toBe(5);
    expect((await call('/metrics')).text).toMatch(/stowage_http_request_duration_seconds_count\{[^}]*route="\/api\/1\/files\/create"/);
  });

  it('serves its documentation without a foreign host', async () => {
    const page = await call('/docs');
    expect(page.status).toBe(200);
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect((await call('/docs/swagger-ui-bundle.js')).status).toBe(200);
    const document = (await call('/docs/cloudike/openapi.json')).json<{ paths: Record<string, unknown> }>();
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/api/1/metadata/{path}', '/api/1/accounts/login', '/api/1/files/create']));
  });

  it('carries CORS on answers, refusals and unknown routes, and answers every preflight', async () => {
    for (const path of ['/api/1/metadata/', '/api/1/metadata/missing', '/api/1/nothing']) {
      const { headers } = await call(path);
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('access-control-expose-headers')).toContain('ETag');
    }
    const preflight = await call('/api/1/files/create/', { method: 'OPTIONS' });
    expect([preflight.status, preflight.headers.get('access-control-max-age')]).toEqual([204, '1728000']);
    const { url } = await user.createUpload('/preflight.txt');
    const storage = await fetch(url, { method: 'OPTIONS' });
    expect([storage.status, storage.headers.get('access-control-allow-methods')]).toEqual([204, expect.stringContaining('PUT')]);
  });

  it('says unknown routes in the form of the dialect', async () => {
    for (const path of ['/api/1/unknown/route', '/api/1', '/elsewhere']) {
      const answer = await call(path);
      expect([answer.status, answer.json()]).toEqual([404, { code: 'RouteNotFound', description: expect.any(String) }]);
    }
  });

  it('answers 304 to a hash that still holds, in every form of the header', async () => {
    const first = await call('/api/1/metadata/a');
    const hash = first.json<{ hash: string }>().hash;
    expect(first.headers.get('etag')).toBe(`"${hash}"`);
    for (const tag of [`"${hash}"`, hash, `W/"${hash}"`]) {
      const answer = await call('/api/1/metadata/a', { headers: { 'if-none-match': tag } });
      expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([304, '', `"${hash}"`]);
    }
    expect((await call(`/api/1/metadata/a?hash=${hash}`)).status).toBe(304);
    expect((await call(`/api/1/metadata/a?hash=${hash}&listing=false`)).status).toBe(200);
    expect((await call(`/api/1/metadata/a/b.txt?hash=${hash}`)).status).toBe(200);
    await user.mkdir('/a/new');
    expect((await call(`/api/1/metadata/a?hash=${hash}`)).status).toBe(200);
    const trash = await call('/api/1/trash/');
    expect((await call('/api/1/trash/', { headers: { 'if-none-match': trash.headers.get('etag')! } })).status).toBe(304);
  });

  it('pages a listing by offset and by cursor', async () => {
    for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) await user.mkdir(`/pages/${name}`);
    const names = (page: { content: { path: string }[] }) => page.content.map((node) => node.path);
    const page = async (query: string) =>
      (await call(`/api/1/metadata/pages?limit=2&${query}`)).json<{ content: { path: string }[]; is_last_page: boolean; next_cursor?: string }>();
    const first = await page('order_by=name');
    expect([names(first), first.is_last_page]).toEqual([['/pages/p1', '/pages/p2'], false]);
    expect(names(await page('order_by=name&offset=2'))).toEqual(['/pages/p3', '/pages/p4']);
    const second = await page(`order_by=name&cursor=${first.next_cursor}`);
    expect(names(second)).toEqual(['/pages/p3', '/pages/p4']);
    const third = await page(`order_by=name&cursor=${second.next_cursor}`);
    expect([names(third), third.is_last_page, third.next_cursor]).toEqual([['/pages/p5'], true, undefined]);
    expect(names(await page('order_by=-name'))).toEqual(['/pages/p5', '/pages/p4']);
    expect((await call('/api/1/metadata/pages?cursor=forged')).status).toBe(400);
  });

  it('opens uploads with exactly 200, and 201 only for what the account has already', async () => {
    const md5 = '5d41402abc4b2a76b9719d911017c592';
    const create = (params: string) =>
      call('/api/1/files/create/', { method: 'POST', body: params, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect((await create('path=/dup.txt&size=5')).status).toBe(200);
    const duplicate = await create(`path=/dup.txt&size=5&checksum=${md5.toUpperCase()}`);
    expect(duplicate.status).toBe(201);
    expect(duplicate.json()).toMatchObject({ path: '/dup.txt', checksum: md5, version: 1 });
    const taken = await create('path=/dup.txt');
    expect([taken.status, taken.json<{ code: string }>().code]).toEqual([409, 'AlreadyExists']);
    expect((await create('path=/no/such/f.txt&create_dirs=false')).status).toBe(404);
    expect((await create('path=/dup.txt&overwrite=true&version=7')).json()).toMatchObject({ code: 'InvalidVersion' });
    await user.upload('/dup.txt', Buffer.from('second'), { overwrite: true, version: 1 });
    const outdated = await create('path=/dup.txt&overwrite=true&version=1');
    expect([outdated.status, outdated.json<{ code: string }>().code]).toEqual([403, 'VersionConflict']);
  });

  it.each([
    ['/api/1/fileops/folder_create', 'path=/x/../y', 400, 'InvalidParameters'],
    ['/api/1/fileops/folder_create', 'path=/bad%01name', 400, 'InvalidParameters'],
    ['/api/1/fileops/move', 'from_path=/a', 400, 'InvalidParameters'],
    ['/api/1/fileops/move', 'from_path=/&to_path=/a', 403, 'Forbidden'],
    ['/api/1/fileops/move', 'from_path=/a/b.txt&to_path=/a', 409, 'SameFolder'],
    ['/api/1/fileops/move', 'from_path=/a&to_path=/a/new', 424, 'MoveIntoDescendant'],
    ['/api/1/fileops/move', 'from_path=/a&to_path=/a/b.txt', 405, 'NotAFolder'],
    ['/api/1/fileops/move', 'from_path=/missing&to_path=/', 404, 'NotFound'],
    ['/api/1/fileops/copy', 'from_path=/a/b.txt&to_path=/a&overwrite=false', 403, 'AlreadyExists'],
    ['/api/1/fileops/folder_info', 'path=/a/b.txt', 400, 'InvalidParameters'],
    ['/api/1/fileops/folder_info', 'path=/missing', 404, 'NotFound'],
    ['/api/1/fileops/delete', 'path=/a&only_empty=true', 403, 'FolderNotEmpty'],
    ['/api/1/fileops/delete', 'path=/', 403, 'Forbidden'],
    ['/api/1/fileops/undelete', 'path=/a', 403, 'NotDeleted'],
    ['/api/1/fileops/undelete', 'path=/never', 404, 'NotFound'],
    ['/api/1/fileops/rename', 'path=/a&newname=x%2Fy', 403, 'FileCantBeRenamed'],
    ['/api/1/files/create_part', 'temp_path=unknown&part_num=1', 404, 'FileNotFound'],
    ['/api/1/files/get/a', '', 404, 'FileNotFound'],
    ['/api/1/files/multi_confirm', 'confirm_urls=nonsense', 400, 'InvalidParameters'],
    ['/api/1/task/unknown', '', 404, 'TaskNotFound'],
    ['/api/1/trash/restore/nothing', '', 404, 'NotFound'],
    ['/api/1/trash/restore', '', 400, 'InvalidParameters'],
    ['/api/1/metadata/a', 'limit=-1', 400, 'InvalidParameters'],
    ['/api/1/files/search', 'query=', 400, 'InvalidParameters'],
  ])('refuses %s %s with %i %s', async (path, body, status, code) => {
    const answer = await call(path, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect([answer.status, answer.json()]).toEqual([status, expect.objectContaining({ code, description: expect.any(String) })]);
  });

  it('shows a stranger nothing, and says so as for what does not exist', async () => {
    const stranger = await CloudikeUser.register(stack.baseUrl);
    const { confirm_url: confirmUrl } = await user.createUpload('/mine.txt');
    const asStranger = await stranger.http.send(confirmUrl, { method: 'POST' });
    expect(asStranger.status).toBe(404);
    expect((await stranger.http.send(`/api/1/metadata${encodePath('/a/b.txt')}`)).status).toBe(404);
    const { listing_request_id: id } = await user.http.get<{ listing_request_id: string }>('/api/1/metadata_full_listing/');
    expect((await stranger.http.send(`/api/1/task/${id}/`)).status).toBe(404);
    expect((await stranger.http.send(`/api/1/metadata_full_listing/?listing_request_id=${id}`)).status).toBe(404);
  });

  it('writes a full listing, and says "progress" until it is there', async () => {
    const { listing_request_id: id } = await user.http.get<{ listing_request_id: string }>('/api/1/metadata_full_listing/');
    for (;;) {
      const answer = await user.http.send(`/api/1/metadata_full_listing/?listing_request_id=${id}`, { method: 'POST' });
      if (answer.status === 200) {
        const tree = (await (await fetch(answer.json<{ url: string }>().url)).json()) as {
          path: string;
          content: { path: string; content?: { path: string; bytes: number }[] }[];
        };
        expect(tree.path).toBe('/');
        const folder = tree.content.find((node) => node.path === '/a');
        expect(folder?.content?.find((node) => node.path === '/a/b.txt')).toMatchObject({ folder: false, bytes: 5 });
        return;
      }
      expect([answer.status, answer.body.toString().includes('progress')]).toEqual([404, true]);
    }
  });

  it('counts a folder: start, then done, then anew', async () => {
    const ask = async () => (await user.http.send('/api/1/dir_size_calculate/?path=/a')).json<{ status: string }>().status;
    expect(await ask()).toBe('start calculating');
    let status = await ask();
    while (status === 'calculating') status = await ask();
    expect(status).toBe('done');
    expect(await ask()).toBe('start calculating');
  });

  it('keeps versions, and sends and takes new ones as deltas', async () => {
    const path = '/delta/note ü.txt';
    const [first, second] = [Buffer.from('first line\n'.repeat(2_000)), Buffer.from(`${'first line\n'.repeat(2_000)}second line\n`)];
    await user.upload(path, first);
    await user.upload(path, second, { overwrite: true });
    const asFirst = await user.metadata(path, { version: 1 });
    expect([asFirst.version, asFirst.bytes]).toEqual([1, first.length]);
    expect((await user.http.send(`/api/1/metadata${encodePath(path)}?version=9`)).status).toBe(404);
    const { url } = await user.http.get<{ url: string }>(`/api/1/files/get_diff${encodePath(path)}?version=1`);
    const delta = Buffer.from(await (await fetch(url)).arrayBuffer());
    expect(delta.length).toBeLessThan(1_000);
    expect(await user.http.form('/api/1/files/restore/', { path, version: 1 })).toMatchObject({ version: 3, bytes: first.length });
    const facts = { path, version: 3, checksum: crc32(first).toString(16) };
    const ticket = await user.http.form<UploadTicket>('/api/1/files/create_from_diff/', facts);
    expect(await user.put(ticket, delta)).toBe(200);
    expect(await user.http.form(ticket.confirm_url, {})).toMatchObject({ path, version: 4, bytes: second.length });
    expect((await user.download(path)).equals(second)).toBe(true);
    const versions = await user.http.get<{ version: number; type: string; timestamp: number; restored_timestamp?: number }[]>(
      `/api/1/files/versions${encodePath(path)}`,
    );
    expect(versions.map(({ version, type }) => [version, type])).toEqual([
      [4, 'from_diff'],
      [3, 'full'],
      [2, 'full'],
      [1, 'full'],
    ]);
    expect(versions[1]!.restored_timestamp).toBe(versions[3]!.timestamp);
    const query = new URLSearchParams({ path, version: '2' }).toString();
    const updates = await user.http.get<{ version: number; diff?: { size: number } }[]>(`/api/1/files/versions_to_update/?${query}`);
    expect(updates.map(({ version, diff }) => [version, diff?.size])).toEqual([
      [3, undefined],
      [4, delta.length],
    ]);
    const refused = await user.http.send('/api/1/files/create_from_diff/', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(facts),
    });
    expect([refused.status, refused.json<{ code: string }>().code]).toEqual([409, 'VersionConflict']);
  });

  it('cuts off a sender of endless headers, and survives nonsense on the wire', async () => {
    const port = Number(new URL(stack.baseUrl).port);
    const answerTo = async (text: string): Promise<string> => {
      const socket = connect(port, '127.0.0.1');
      socket.write(text);
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      socket.on('error', () => undefined);
      await once(socket, 'close');
      return answer;
    };
    expect(await answerTo('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
    expect(await answerTo(`GET /api/1/metadata HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431/);
    expect((await call('/health/live')).status).toBe(200);
  });

  it('ends with one clear line when a setting is wrong or the port is taken', async () => {
    const wrong = await runApi({ ...stack.env, STOWAGE_HTTP_PORT: 'eighty' });
    expect(wrong.code).toBe(78);
    expect(wrong.stderr.trim()).toMatch(/^Stowage api: STOWAGE_HTTP_PORT must be a whole number[^\n]*$/);
    const busy = await runApi({ ...stack.env, STOWAGE_HTTP_PORT: new URL(stack.baseUrl).port, STOWAGE_HTTP_HOST: '127.0.0.1' });
    expect(busy.code).toBe(75);
    expect(busy.stderr.trim()).toMatch(/^Stowage api: cannot listen on 127\.0\.0\.1 port \d+[^\n]*$/);
  });
});
