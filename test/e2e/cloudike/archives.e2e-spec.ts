import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Extracted, extract } from '../../../libs/archives/test/zip-samples.js';
import { CloudikeUser } from '../../support/cloudike-user.js';
import { HttpSession } from '../../support/http-session.js';
import { type Stack, startStack } from '../../support/stack.js';

interface StreamLink {
  readonly url: string;
  readonly hash: string;
  readonly file_name: string;
  readonly expired: string;
}

interface StreamState {
  readonly private_hash: string;
  readonly progress: number;
  readonly status: string;
  readonly label: string;
  readonly modified: string;
  readonly created: string;
}

const CREATE = '/api/1/files/download_as_archive_stream/';
const PROGRESS = '/api/1/files/progress_download_streams/';
const sha256 = (...parts: Buffer[]) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');
const pathsOf = (entries: readonly Extracted[]) => entries.map((entry) => entry.path);

describe('archives over HTTP', () => {
  let stack: Stack;
  let anna: CloudikeUser;
  let ben: CloudikeUser;
  let anyone: HttpSession;
  const big = randomBytes(9_000_000);

  beforeAll(async () => {
    stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
    [anna, ben] = [await CloudikeUser.register(stack.baseUrl), await CloudikeUser.register(stack.baseUrl)];
    anyone = new HttpSession(stack.baseUrl);
    await anna.upload('/Доки/Отчёт.txt', Buffer.from('отчёт'), { modified: 1_500_000_000_123 });
    await anna.upload('/Доки/sub/a b.bin', big);
    await anna.upload('/Доки/sub/aux.txt', Buffer.from('device'));
    await anna.upload('/Доки/sub/what?.txt', Buffer.from('question'));
    await anna.mkdir('/Доки/empty');
  });

  afterAll(async () => {
    anyone?.close();
    await stack?.stop();
  });

  async function until<T>(look: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
    for (const end = performance.now() + 20_000; ;) {
      const value = await look();
      if (wanted(value)) return value;
      if (performance.now() > end) throw new Error(`it stayed ${JSON.stringify(value)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  it('makes a link that anybody can follow, with the exact length and the names as they are', async () => {
    const link = await anna.http.form<StreamLink>(CREATE, { path: '/Доки' });
    expect(link.url).toBe(`${stack.baseUrl}${CREATE}${link.hash}/`);
    expect(link.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(link.file_name).toMatch(/^Доки_\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\+0000\.zip$/);
    expect(new Date(link.expired).toISOString()).toBe(link.expired);
    const head = await anyone.send(link.url, { method: 'HEAD' });
    const reply = await anyone.send(link.url);
    expect([head.status, head.body.length, reply.status]).toEqual([200, 0, 200]);
    expect(head.headers['content-length']).toBe(String(reply.body.length));
    expect(reply.headers).toMatchObject({
      'content-length': String(reply.body.length),
      'content-type': 'application/zip',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      etag: head.headers.etag,
    });
    expect(reply.headers['content-disposition']).toMatch(/^attachment; filename="[\x20-\x7e]+"; filename\*=UTF-8''%D0%94%D0%BE%D0%BA%D0%B8_.*\.zip$/);
    const entries = await extract(reply.body);
    expect(pathsOf(entries).sort()).toEqual(
      ['Доки/', 'Доки/empty/', 'Доки/sub/', 'Доки/sub/a b.bin', 'Доки/sub/aux.txt', 'Доки/sub/what?.txt', 'Доки/Отчёт.txt'].sort(),
    );
    expect(entries.find((entry) => entry.path.endsWith('Отчёт.txt'))).toMatchObject({ modifiedMs: 1_500_000_000_123, content: Buffer.from('отчёт') });
    expect(sha256(entries.find((entry) => entry.path.endsWith('.bin'))!.content)).toBe(sha256(big));
  });

  it('streams by GET, by POST to a hash, and at once by GET with paths and a token', async () => {
    const { hash } = await anna.http.form<StreamLink>('/api/1/files/create_link_of_archive/', {
      path: ['/Доки/sub', '/Доки/empty'],
      parent_folder: '/Доки',
      is_win: true,
    });
    const expected = ['empty/', 'sub/', 'sub/_aux.txt', 'sub/a b.bin', 'sub/what_.txt'];
    const bodies = [
      await anyone.send(`/api/0/files/download_as_archive_stream/${hash}`),
      await anyone.send(`${CREATE}${hash}/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
      await anyone.send(`${CREATE}?hash=${hash}`),
      await anna.http.send(`${CREATE}?path=%2F${encodeURIComponent('Доки')}%2Fsub&path=%2F${encodeURIComponent('Доки')}%2Fempty&is_win=1`),
    ];
    for (const { status, body } of bodies) {
      expect(status).toBe(200);
      expect(pathsOf(await extract(body)).sort()).toEqual(expected);
    }
  });

  it('resumes to the same bytes, by Range and If-Range; another range is refused', async () => {
    const { url } = await anna.http.form<StreamLink>(CREATE, { path: '/' });
    const whole = await anyone.send(url);
    const size = whole.body.length;
    for (const start of [0, 70, 1_000_000, size - 100]) {
      const rest = await anyone.send(url, { headers: { range: `bytes=${start}-`, 'if-range': String(whole.headers.etag) } });
      expect([rest.status, rest.headers['content-range'], rest.headers['content-length']]).toEqual([
        206,
        `bytes ${start}-${size - 1}/${size}`,
        String(size - start),
      ]);
      expect(sha256(whole.body.subarray(0, start), rest.body)).toBe(sha256(whole.body));
    }
    const middle = await anyone.send(url, { headers: { range: 'bytes=500000-599999' } });
    expect([middle.status, middle.body.equals(whole.body.subarray(500_000, 600_000))]).toEqual([206, true]);
    const outside = await anyone.send(url, { headers: { range: `bytes=${size}-` } });
    expect([outside.status, outside.headers['content-range']]).toEqual([416, `bytes */${size}`]);
    expect((await anyone.send(url, { headers: { range: 'bytes=0-9', 'if-range': '"other"' } })).status).toBe(200);
    await anna.upload('/late.txt', Buffer.from('late'));
    const changed = await anyone.send(url, { headers: { range: 'bytes=100-' } });
    expect(changed.status).toBe(200);
    expect(pathsOf(await extract(changed.body))).toContain('late.txt');
  });

  it('tells progress: completed, broken off by the client, the list by creation, only to the owner', async () => {
    const first = await anna.http.form<StreamLink>(CREATE, { path: '/Доки' });
    const second = await anna.http.form<StreamLink>(CREATE, { path: '/Доки/sub' });
    expect(await anna.http.get<StreamState>(PROGRESS + first.hash)).toMatchObject({
      private_hash: first.hash,
      progress: 0,
      status: 'created',
      label: '/Доки',
    });
    await anyone.send(first.url);
    await until(
      () => anna.http.get<StreamState>(PROGRESS + first.hash),
      ({ status, progress }) => status === 'completed' && progress === 100,
    );
    await new Promise<void>((resolve, reject) => {
      const outgoing = httpRequest(second.url, (incoming) => {
        incoming.once('data', () => {
          incoming.destroy();
          resolve();
        });
      });
      outgoing.on('error', reject).end();
    });
    await until(
      () => anna.http.get<StreamState>(PROGRESS + second.hash),
      ({ status }) => status === 'error',
    );
    const list = await anna.http.get<StreamState[]>(PROGRESS);
    const hashes = list.map((stream) => stream.private_hash);
    expect(hashes.indexOf(first.hash)).toBeGreaterThanOrEqual(0);
    expect(hashes.indexOf(second.hash)).toBeGreaterThan(hashes.indexOf(first.hash));
    expect(list.map((stream) => stream.created)).toEqual(list.map((stream) => stream.created).sort());
    expect((await ben.http.send(PROGRESS + first.hash)).status).toBe(404);
    expect(await ben.http.get<StreamState[]>(PROGRESS)).toEqual([]);
    expect((await anyone.send(PROGRESS)).status).toBe(401);
  });

  it('answers 404 for what is missing, of others, expired or unknown; 400 without a path; 401 without a token', async () => {
    const status = async (user: HttpSession, path: string, body: string) =>
      (await user.send(path, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body })).status;
    for (const route of [CREATE, '/api/1/files/create_link_of_archive/', '/api/1/files/download_as_archive/']) {
      expect(await status(anna.http, route, 'path=/missing')).toBe(404);
      expect(await status(ben.http, route, `path=${encodeURIComponent('/Доки')}`)).toBe(404);
      expect(await status(anna.http, route, '')).toBe(400);
      expect(await status(anyone, route, 'path=/')).toBe(401);
    }
    for (const hash of ['0'.repeat(64), 'x', '%27%20OR%20true']) expect((await anyone.send(`${CREATE}${hash}/`)).status).toBe(404);
  });

  it('builds in the worker: a task id, then a URL without any header; two at once do no harm', async () => {
    const start = () => anna.http.form<{ taskid: string }>('/api/1/files/download_as_archive/', { path: '/Доки' });
    const tasks = await Promise.all([start(), start()]);
    expect(tasks[0].taskid).not.toBe(tasks[1].taskid);
    for (const { taskid } of tasks) {
      expect((await ben.http.send(`/api/1/task/${taskid}/`)).status).toBe(404);
      const { url } = await anna.finished<{ url: string }>(taskid);
      const reply = await anyone.send(url);
      expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/zip']);
      expect(reply.headers['content-disposition']).toContain("filename*=UTF-8''%D0%94");
      expect(sha256((await extract(reply.body)).find((entry) => entry.path.endsWith('.bin'))!.content)).toBe(sha256(big));
    }
    const { taskid } = await anna.http.get<{ taskid: string }>(`/api/1/files/download_as_archive/?path=${encodeURIComponent('/Доки/empty')}`);
    const { url } = await anna.finished<{ url: string }>(taskid);
    expect(pathsOf(await extract((await anyone.send(url)).body))).toEqual(['empty/']);
  });

  it('finishes a build whose worker was killed in the middle', async () => {
    const text = Buffer.from(randomBytes(12_000_000).toString('hex'));
    for (let index = 0; index < 6; index++) await ben.upload(`/much/${index}.txt`, text);
    const { taskid } = await ben.http.form<{ taskid: string }>('/api/1/files/download_as_archive/', { path: '/much' });
    const looked = () => ben.http.send(`/api/1/task/${taskid}/`);
    await until(looked, ({ status, body }) => status === 404 && (JSON.parse(body.toString()) as { progress?: number }).progress! > 0);
    await stack.kill('worker');
    expect((await looked()).status).toBe(404);
    await stack.restart('worker');
    const { url } = await ben.finished<{ url: string }>(taskid);
    const entries = await extract((await anyone.send(url)).body);
    expect(pathsOf(entries)).toEqual(['much/', ...[0, 1, 2, 3, 4, 5].map((index) => `much/${index}.txt`)]);
    for (const entry of entries.slice(1)) expect(entry.content.equals(text)).toBe(true);
    const database = new pg.Client({ connectionString: stack.databaseUrl });
    await database.connect();
    const objects = await database.query('SELECT ready FROM derived_objects WHERE account_id = $1', [ben.userId]);
    await database.end();
    expect(objects.rows).toEqual([{ ready: true }]);
  });
});
