import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { extract } from '../../../libs/archives/test/zip-samples.js';
import { CloudikeUser, type UploadTicket, type WireNode } from '../../support/cloudike-user.js';
import { type FormValue, type HttpAnswer, HttpSession } from '../../support/http-session.js';
import { type Stack, startStack } from '../../support/stack.js';

interface WireLink extends WireNode {
  readonly public_hash: string;
  readonly access_rights: string;
  readonly expires: number;
  readonly download_max: number;
  readonly download_count: number;
  readonly password: boolean;
  readonly notify: boolean;
}

const API = '/api/1';
const UNKNOWN = 'A'.repeat(22);
let nth = 0;

describe('links', () => {
  let stack: Stack;
  let anna: CloudikeUser;
  let ben: CloudikeUser;
  let anyone: HttpSession;
  let db: pg.Client;
  let home: string;

  beforeAll(async () => {
    stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
    [anna, ben] = [await CloudikeUser.register(stack.baseUrl), await CloudikeUser.register(stack.baseUrl)];
    anyone = new HttpSession(stack.baseUrl);
    db = new pg.Client(stack.databaseUrl);
    await db.connect();
  });
  beforeEach(async () => {
    home = `/box ${++nth}`;
    await anna.upload(`${home}/a.txt`, Buffer.from('hello'));
    await anna.upload(`${home}/sub/б.txt`, Buffer.from('world!'));
    await anna.upload(`/beside ${nth}.txt`, Buffer.from('secret'));
  });
  afterAll(async () => {
    await db?.end();
    anyone?.close();
    await stack?.stop();
  });

  const create = (path: string, options: Record<string, FormValue> = {}, who = anna) =>
    who.http.form<WireLink>(`${API}/links/create/`, { path, ...options });
  const get = (route: string, session: HttpSession = anyone) => session.send(`${API}/${route}`);
  const post = (route: string, fields: Record<string, FormValue>, session: HttpSession = anyone) =>
    session.send(`${API}/${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)])).toString(),
    });
  const said = ({ status, body }: HttpAnswer): [number, unknown] => [status, (JSON.parse(body.toString()) as { code?: string }).code];
  /** The bytes behind links/get. */
  const bytes = async (route: string): Promise<string> => {
    const { url } = (await get(route)).json<{ url: string }>();
    return (await anyone.send(url)).body.toString();
  };
  /** Everything that a link gives, as statuses: none of them may be 200 when it is closed. */
  const doors = async (hash: string, query = '') => {
    const routes = [`links/metadata/${hash}/${query}`, `links/get/${hash}/a.txt${query}`, `links/download_as_archive/${hash}/${query}`];
    const answers = [...routes, `links/download_as_archive_stream/${hash}/${query}`].map((route) => get(route));
    const own = [get(`links/add_to_storage/${hash}/${query}`, ben.http), post(`links/file_create/${hash}${query}`, { path: 'x.txt' })];
    return (await Promise.all([...answers, ...own])).map(({ status }) => status);
  };
  const ended = async (taskId: string, session: HttpSession = anyone): Promise<HttpAnswer> => {
    for (const end = Date.now() + 30_000; ; await new Promise((next) => setTimeout(next, 50))) {
      const answer = await session.send(`${API}/task/${taskId}/`);
      if (answer.status !== 404 || answer.json<{ code: string }>().code !== 'TaskRunning' || Date.now() > end) return answer;
    }
  };

  describe('links/create, links/delete and links/', () => {
    it('answers the metadata with every option of the link, and shows the hash from then on', async () => {
      const before = Date.now();
      const link = await create(home, { ttl: 3600, download_max: 5, password: 'pw', notify: 'true' });
      expect(link).toMatchObject({
        path: home,
        folder: true,
        access_rights: 'download',
        download_max: 5,
        download_count: 0,
        password: true,
        notify: true,
      });
      expect(link.public_hash).toMatch(/^[A-Za-z0-9_-]{22,}$/);
      expect(link.expires).toBeGreaterThanOrEqual(before + 3_600_000);
      expect(await anna.metadata(home)).toMatchObject({ public_hash: link.public_hash });
      const root = await anna.metadata('/');
      expect(root.content!.find(({ path }) => path === home)).toMatchObject({ public_hash: link.public_hash });
      expect(await create(home, { download_max: 6 })).toMatchObject({ public_hash: link.public_hash, download_max: 6, password: true });
      const listed = await anna.http.get<WireLink[]>(`${API}/links/?hash=${link.public_hash}`);
      expect(listed).toEqual([expect.objectContaining({ path: home, public_hash: link.public_hash })]);
      expect((await anna.http.get<WireLink[]>(`${API}/links/`)).length).toBeGreaterThan(0);
      expect(await ben.http.get<WireLink[]>(`${API}/links/?hash=${link.public_hash}`)).toEqual([]);
      expect(await anna.http.form(`${API}/links/delete/`, { path: home })).toMatchObject({ path: home, public_hash: '' });
      expect(said(await post('links/delete/', { path: home }, anna.http))).toEqual([404, 'NotFound']);
      expect(await anna.metadata(home)).toMatchObject({ public_hash: '' });
    });

    it('refuses what the document refuses', async () => {
      const refused = async (fields: Record<string, FormValue>) => said(await post('links/create/', fields, anna.http));
      expect(await refused({ path: `${home}/a.txt`, upload_folder: true })).toEqual([400, 'InvalidParameters']);
      for (const ttl of [-1, 31_536_001, 'soon']) expect(await refused({ path: home, ttl })).toEqual([400, 'InvalidParameters']);
      expect(await refused({})).toEqual([400, 'InvalidParameters']);
      expect(await refused({ path: '/none' })).toEqual([404, 'NotFound']);
      for (const upload_folder of [true, false]) expect(await refused({ path: '/', upload_folder })).toEqual([403, 'Forbidden']);
      await anna.http.form(`${API}/fileops/delete/`, { path: `${home}/a.txt` });
      expect(await refused({ path: `${home}/a.txt` })).toEqual([403, 'Forbidden']);
      for (const route of ['links/create/', 'links/delete/', 'links/', `links/add_to_storage/${UNKNOWN}/`]) {
        expect(said(await post(route, { path: home }))).toEqual([401, 'Unauthorized']);
      }
      expect(said(await post('links/create/', { path: home }, ben.http))).toEqual([404, 'NotFound']);
    });

    it('refuses links where the company allows none, and closes those that are there', async () => {
      const member = await CloudikeUser.register(stack.baseUrl);
      const { rows } = await db.query<{ id: string }>(`INSERT INTO companies (name) VALUES ('c') RETURNING id`);
      await db.query('UPDATE accounts SET company_id = $1 WHERE id = $2', [rows[0]!.id, member.userId]);
      await member.upload('/x.txt', Buffer.from('x'));
      const { public_hash: hash } = await create('/x.txt', {}, member);
      await db.query('UPDATE companies SET public_links_allow = false WHERE id = $1', [rows[0]!.id]);
      expect(said(await post('links/create/', { path: '/x.txt' }, member.http))).toEqual([403, 'Forbidden']);
      expect(await doors(hash)).toEqual([404, 404, 404, 404, 404, 404]);
    });
  });

  describe('what the holder of a link sees', () => {
    it('is the listing below it with paths of its own, a name for the root, pages, orders and hashes', async () => {
      const { public_hash: hash } = await create(home);
      const root = (await get(`links/metadata/${hash}/`)).json<WireNode & { content: WireNode[]; hash: string }>();
      expect(root).toMatchObject({ path: '/', folder: true, name: home.slice(1), is_last_page: true });
      expect(root.content.map(({ path }) => path)).toEqual(['/a.txt', '/sub']);
      const sub = (await get(`links/metadata/${hash}/sub/`)).json<WireNode & { content: WireNode[] }>();
      expect(sub.content.map(({ path }) => path)).toEqual(['/sub/б.txt']);
      expect(sub).not.toHaveProperty('name');
      expect((await get(`links/metadata/${hash}/a.txt`)).json()).toMatchObject({ path: '/a.txt', bytes: 5, icon: 'document_text' });
      const names = async (query: string) =>
        (await get(`links/metadata/${hash}/?${query}`)).json<{ content?: WireNode[] }>().content?.map(({ path }) => path);
      expect(await names('dirs_only=true')).toEqual(['/sub']);
      expect(await names('order_by=-name')).toEqual(['/sub', '/a.txt']);
      expect(await names('offset=1&limit=1')).toEqual(['/sub']);
      expect(await names('listing=false')).toBeUndefined();
      const again = await anyone.send(`${API}/links/metadata/${hash}/`, { headers: { 'if-none-match': `"${root.hash}"` } });
      expect(again.status).toBe(304);
      expect(JSON.stringify(root)).not.toContain('beside');
    });

    it('is nothing above or beside it, however the path is written', async () => {
      const { public_hash: hash } = await create(home);
      const raw = (path: string) =>
        new Promise<number>((resolve, reject) => {
          const { port } = new URL(stack.baseUrl);
          httpRequest({ port, path, headers: { connection: 'close' } }, (answer) => {
            answer.resume();
            resolve(answer.statusCode!);
          })
            .once('error', reject)
            .end();
        });
      const beside = `beside%20${nth}.txt`;
      const ways = [
        `../${beside}`,
        `%2e%2e/${beside}`,
        `..%2f${beside}`,
        `sub/../../${beside}`,
        `sub/%2e%2e/%2e%2e/${beside}`,
        `..%5c${beside}`,
        beside,
      ];
      for (const route of ['get', 'metadata'])
        for (const way of ways) expect([way, await raw(`${API}/links/${route}/${hash}/${way}`)]).toEqual([way, 404]);
      const { rows } = await db.query<{ id: string }>(`SELECT id FROM nodes WHERE name = $1`, [`beside ${nth}.txt`]);
      expect(await raw(`${API}/links/get/${hash}/${rows[0]!.id}`)).toBe(404);
      expect(await raw(`${API}/links/get/${hash}/?path=/../beside%20${nth}.txt`)).toBe(404);
      expect(await raw(`${API}/links/metadata/${hash.slice(0, -1)}/`)).toBe(404);
      expect(await raw(`${API}/links/metadata/${encodeURIComponent("' OR 1=1 --")}/`)).toBe(404);
    });

    it('is not what others share with the issuer below the linked folder', async () => {
      await ben.upload('/foreign/f.txt', Buffer.from('not for guests'));
      const { rows: foreign } = await db.query<{ id: string }>(
        `SELECT n.id FROM nodes n JOIN spaces s ON s.id = n.space_id
         WHERE s.account_id = $1 AND n.name = 'foreign'`,
        [ben.userId],
      );
      const { rows: parent } = await db.query<{ id: string; space_id: string }>(`SELECT id, space_id FROM nodes WHERE name = $1`, [home.slice(1)]);
      // a mount as an accepted share makes it, moved into the folder
      await db.query(
        `WITH g AS (INSERT INTO grants (id, node_id, account_id, granted_by) VALUES (gen_random_uuid(), $1, $2, $3) RETURNING id),
              i AS (INSERT INTO invitations (id, grant_id, account_id, hash, state) SELECT gen_random_uuid(), id, $2, gen_random_uuid()::text, 'accepted' FROM g),
              p AS (UPDATE nodes SET child_folders = child_folders + 1 WHERE id = $4)
         INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, created_ms, modified_ms, author_id, mount_of)
         VALUES (gen_random_uuid(), $5, $4, 'folder', 'foreign', 'foreign', 1, 1, $2, $1)`,
        [foreign[0]!.id, anna.userId, ben.userId, parent[0]!.id, parent[0]!.space_id],
      );
      await db.query('UPDATE nodes SET shared = true WHERE id = $1', [foreign[0]!.id]);
      expect((await anna.metadata(`${home}/foreign`)).content!.map(({ path }) => path)).toEqual([`${home}/foreign/f.txt`]);
      const { public_hash: hash } = await create(home);
      const root = (await get(`links/metadata/${hash}/`)).json<{ content: WireNode[] }>();
      expect(root.content.map(({ path }) => path)).toEqual(['/a.txt', '/sub']);
      for (const way of ['metadata', 'get']) {
        expect((await get(`links/${way}/${hash}/foreign`)).status).toBe(404);
        expect((await get(`links/${way}/${hash}/foreign/f.txt`)).status).toBe(404);
      }
      const zip = await anyone.send(`${API}/links/download_as_archive_stream/${hash}/`);
      expect((await extract(zip.body)).map(({ path }) => path).join()).not.toContain('foreign');
      const taker = await CloudikeUser.register(stack.baseUrl);
      const { taskid } = await taker.http.get<{ taskid: string }>(`${API}/links/add_to_storage/${hash}/`);
      expect(await taker.finished(taskid)).toMatchObject({ folder_name: home, files_count: 2, size: 11 });
      expect((await taker.metadata(home)).content!.map(({ path }) => path)).toEqual([`${home}/a.txt`, `${home}/sub`]);
    });

    it('is a single file when the link leads to one', async () => {
      const { public_hash: hash } = await create(`${home}/a.txt`);
      expect((await get(`links/metadata/${hash}/`)).json()).toMatchObject({ path: '/', folder: false, name: 'a.txt', bytes: 5 });
      const got = (await get(`links/get/${hash}/`)).json<{ checksum: string }>();
      expect(got).toMatchObject({ path: '/', size: 5, version: 1, method: 'GET', deleted: false });
      expect(got.checksum).toBe(createHash('md5').update('hello').digest('hex'));
      expect(await bytes(`links/get/${hash}`)).toBe('hello');
      const shown = (await get(`links/get/${hash}?for_view=true`)).json<{ url: string }>();
      expect((await anyone.send(shown.url)).headers['content-disposition']).toMatch(/^inline/);
      expect((await get(`links/get/${hash}/a.txt`)).status).toBe(404);
    });
  });

  it('links/info tells what a link is to anybody, and everything to its issuer', async () => {
    const { public_hash: hash } = await create(home, { password: 'pw', download_max: 1, ttl: 60 });
    const info = (await get(`links/info/${hash}/`)).json();
    expect(info).toMatchObject({ access_rights: 'download', download_max: 1, download_count: 0, password: true, notify: false, author_lang: 'en' });
    expect(Number(info['expires'])).toBeGreaterThan(Date.now());
    expect((await get(`links/get/${hash}/a.txt?password=pw`)).status).toBe(200);
    expect(said(await get(`links/info/${hash}/`))).toEqual([404, 'NotFound']);
    expect((await get(`links/info/${hash}/`, anna.http)).json()).toMatchObject({ download_count: 1 });
    expect(said(await get(`links/info/${hash}/`, ben.http))).toEqual([404, 'NotFound']);
    expect(said(await get(`links/info/${UNKNOWN}/`, anna.http))).toEqual([404, 'NotFound']);
  });

  describe('a link closes', () => {
    it('for a missing and for a wrong password, and for a guesser', async () => {
      const { public_hash: hash } = await create(home, { password: 'right' });
      expect(said(await get(`links/metadata/${hash}/`))).toEqual([403, 'WrongPassword']);
      expect((await doors(hash)).slice(0, 5)).toEqual([403, 403, 403, 403, 403]);
      expect((await get(`links/metadata/${hash}/?password=right`)).status).toBe(200);
      expect((await post(`links/metadata/${hash}/`, { password: 'right' })).status).toBe(200);
      const guesses = await Promise.all(Array.from({ length: 15 }, (_, guess) => get(`links/get/${hash}/a.txt?password=wrong${guess}`)));
      expect(guesses.filter(({ status }) => status === 403)).toHaveLength(10);
      const stopped = guesses.filter(({ status }) => status === 429);
      expect(stopped).toHaveLength(5);
      expect(Number(stopped[0]!.headers['retry-after'])).toBeGreaterThan(0);
    });

    it('at its end', async () => {
      const { public_hash: hash } = await create(home, { ttl: 1000 });
      expect((await get(`links/metadata/${hash}/`)).status).toBe(200);
      await db.query(`UPDATE links SET expires_at = now() - interval '1 second' WHERE hash = $1`, [hash]);
      expect(await doors(hash)).toEqual([404, 404, 404, 404, 404, 404]);
      expect((await create(home)).public_hash).not.toBe(hash);
    });

    it('after as many downloads as it says, whoever races for them', async () => {
      const { public_hash: hash } = await create(home, { download_max: 5 });
      const many = new HttpSession(stack.baseUrl, {}, 250);
      const statuses = await Promise.all(Array.from({ length: 500 }, async () => (await many.send(`${API}/links/get/${hash}/a.txt`)).status));
      many.close();
      expect(statuses.filter((status) => status === 200)).toHaveLength(5);
      expect(statuses.filter((status) => status === 404)).toHaveLength(495);
      expect(await doors(hash)).toEqual([404, 404, 404, 404, 404, 404]);
    });

    it('with all that was handed out of it, when its issuer may not give it out any more', async () => {
      const { public_hash: hash } = await create(home);
      const { public_hash: locked } = await create(`${home}/sub`, { password: 'right' });
      const stream = String((await anyone.send(`/public/${hash}/?archive`)).headers.location);
      const { taskid } = (await get(`links/download_as_archive/${hash}/`)).json<{ taskid: string }>();
      expect((await ended(taskid)).status).toBe(200);
      const { url } = (await post('wopi/link/view/', { hash, path: '/a.txt' })).json<{ url: string }>();
      const office = new URL(url).searchParams;
      const content = `${office.get('WOPISrc')}/contents?access_token=${office.get('access_token')}`;
      const handedOut = () => Promise.all([stream, `${API}/task/${taskid}/`, content].map(async (target) => (await anyone.send(target)).status));
      expect(await handedOut()).toEqual([200, 200, 200]);
      for (const barred of ['can_download = false', `expires_at = now() - interval '1 second'`]) {
        await db.query(`UPDATE accounts SET ${barred} WHERE id = $1`, [anna.userId]);
        expect(await doors(hash)).toEqual([404, 404, 404, 404, 404, 404]);
        expect(await handedOut()).toEqual([404, 404, 404]);
        expect(said(await get(`links/metadata/${locked}/`))).toEqual([404, 'NotFound']);
        await db.query('UPDATE accounts SET can_download = true, expires_at = NULL WHERE id = $1', [anna.userId]);
      }
      expect(said(await get(`links/metadata/${locked}/`))).toEqual([403, 'WrongPassword']);
      expect(await handedOut()).toEqual([200, 200, 200]);
    });

    it('at once when it is withdrawn, its issuer disabled, or its folder trashed, and opens again with these', async () => {
      const { public_hash: first } = await create(home);
      expect((await get(`links/metadata/${first}/`)).status).toBe(200);
      await anna.http.form(`${API}/links/delete/`, { path: home });
      expect(await doors(first)).toEqual([404, 404, 404, 404, 404, 404]);
      const { public_hash: hash } = await create(home);
      await db.query(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [anna.userId]);
      expect(await doors(hash)).toEqual([404, 404, 404, 404, 404, 404]);
      await db.query(`UPDATE accounts SET state = 'active' WHERE id = $1`, [anna.userId]);
      expect(await bytes(`links/get/${hash}/a.txt`)).toBe('hello');
      await anna.http.form(`${API}/fileops/delete/`, { path: home });
      expect(await doors(hash)).toEqual([404, 404, 404, 404, 404, 404]);
      await anna.http.form(`${API}/fileops/undelete/`, { path: home });
      expect(await bytes(`links/get/${hash}/a.txt`)).toBe('hello');
      expect(await doors(UNKNOWN)).toEqual([404, 404, 404, 404, 404, 404]);
    });
  });

  describe('archives of a link', () => {
    it('are built for whoever knows the task, or streamed, whole or in part, and count', async () => {
      const { public_hash: hash } = await create(home, { download_max: 3 });
      const { taskid } = (await get(`links/download_as_archive/${hash}/`)).json<{ taskid: string }>();
      const { url } = (await ended(taskid)).json<{ url: string }>();
      expect((await extract((await anyone.send(url)).body)).filter(({ path }) => !path.endsWith('/')).map(({ path }) => path)).toEqual([
        'a.txt',
        'sub/б.txt',
      ]);
      const part = await anyone.send(`${API}/links/download_as_archive_stream/${hash}/?path=/sub`);
      expect(part.headers['content-type']).toBe('application/zip');
      expect(part.headers['content-disposition']).toMatch(/^attachment; filename="sub_.*\.zip"/);
      expect((await extract(part.body)).map(({ path }) => path).filter((path) => !path.endsWith('/'))).toEqual(['sub/б.txt']);
      expect((await post(`links/download_as_archive_stream/${hash}/`, { path: '/a.txt' })).status).toBe(200);
      expect((await get(`links/info/${hash}/`, anna.http)).json()).toMatchObject({ download_count: 3 });
      expect((await get(`links/download_as_archive/${hash}/`)).status).toBe(404);
      // what was ordered within the limit is still handed out
      expect((await ended(taskid)).status).toBe(200);
      expect((await get(`links/download_as_archive/${hash}/?path=/../beside ${nth}.txt`.replaceAll(' ', '%20'))).status).toBe(404);
      expect(said(await get(`links/download_as_archive/${hash}/?path=/none`))).toEqual([404, 'NotFound']);
      await anna.http.form(`${API}/links/delete/`, { path: home });
      expect((await ended(taskid)).status).toBe(404);
    });
  });

  describe('links/add_to_storage', () => {
    it('copies into the storage of the user, within his quota', async () => {
      const { public_hash: hash } = await create(home, { password: 'pw' });
      const taker = await CloudikeUser.register(stack.baseUrl);
      await taker.mkdir('/in');
      const { taskid } = await taker.http.get<{ taskid: string }>(`${API}/links/add_to_storage/${hash}/?password=pw&target_path=/in`);
      expect(await taker.finished(taskid)).toEqual({ folder_name: `/in${home}`, files_count: 2, size: 11 });
      expect((await taker.download(`/in${home}/sub/б.txt`)).toString()).toBe('world!');
      expect(said(await get(`task/${taskid}/`, ben.http))).toEqual([404, 'TaskNotFound']);
      expect(said(await get(`task/${taskid}/`))).toEqual([401, 'Unauthorized']);
      await db.query(`UPDATE quotas SET limit_bytes = 12 WHERE owner_kind = 'account' AND owner_id = $1`, [taker.userId]);
      expect(said(await get(`links/add_to_storage/${hash}/?password=pw`, taker.http))).toEqual([402, 'QuotaExceeded']);
      expect(said(await get(`links/add_to_storage/${hash}/?password=pw&target_path=/none`, taker.http))).toEqual([404, 'NotFound']);
      expect((await get(`links/info/${hash}/`)).json()).toMatchObject({ download_count: 1 });
    });

    it('ends the same when the worker is killed in the middle', async () => {
      const { public_hash: hash } = await create(home);
      const { rows } = await db.query<{ id: string; space_id: string }>('SELECT id, space_id FROM nodes WHERE name = $1', [home.slice(1)]);
      // enough folders that copying takes seconds, written as the tree would have them
      const folders = 120_000;
      await db.query(
        `WITH made AS (INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, created_ms, modified_ms, author_id)
                       SELECT gen_random_uuid(), $2, $1, 'folder', 'f' || i, 'f' || i, 1, 1, $3 FROM generate_series(1, $4::int) i RETURNING 1)
         UPDATE nodes SET child_folders = child_folders + (SELECT count(*) FROM made) WHERE id = $1`,
        [rows[0]!.id, rows[0]!.space_id, anna.userId, folders],
      );
      const taker = await CloudikeUser.register(stack.baseUrl);
      const { taskid } = await taker.http.get<{ taskid: string }>(`${API}/links/add_to_storage/${hash}/`);
      const staged = async () =>
        (await db.query<{ count: string }>(`SELECT count(*) FROM nodes n JOIN spaces s ON s.id = n.space_id WHERE s.account_id = $1`, [taker.userId]))
          .rows[0]!.count;
      for (const end = Date.now() + 20_000; Number(await staged()) < 3_000;) {
        if (Date.now() > end) throw new Error('the copy did not begin');
        await new Promise((next) => setTimeout(next, 10));
      }
      await stack.kill('worker');
      expect((await taker.metadata('/')).content).toEqual([]);
      expect(said(await get(`task/${taskid}/`, taker.http))).toEqual([404, 'TaskRunning']);
      await stack.restart('worker');
      expect(await taker.finished(taskid)).toEqual({ folder_name: home, files_count: 2, size: 11 });
      expect((await taker.metadata('/')).content!.map(({ path }) => path)).toEqual([home]);
      const { rows: counted } = await db.query<{ count: string }>(
        `SELECT count(*) FROM nodes c JOIN nodes p ON p.id = c.parent_id JOIN spaces s ON s.id = p.space_id WHERE s.account_id = $1 AND p.name = $2 AND p.removal IS NULL`,
        [taker.userId, home.slice(1)],
      );
      expect(Number(counted[0]!.count)).toBe(folders + 2);
    }, 180_000);
  });

  describe('a link that takes files', () => {
    const ticket = async (hash: string, fields: Record<string, FormValue>, route = 'links/file_create/') =>
      (await post(`${route}${hash}`, fields)).json<UploadTicket>();
    const put = async ({ url, method, headers }: UploadTicket, body: Buffer) =>
      (await anyone.send(url, { method, headers: { ...headers, 'content-length': String(body.length) }, body })).status;

    it('takes them without credentials, numbers their names, and never replaces', async () => {
      const { public_hash: hash, access_rights: rights } = await create(home, { upload_folder: 'true' });
      expect(rights).toBe('upload');
      for (const [route, name] of [
        ['links/file_create/', 'a (1).txt'],
        ['links/upload_folders/file_create/', 'a (2).txt'],
      ] as const) {
        const upload = await ticket(hash, { path: '/a.txt', overwrite: true, size: 3, multipart: false }, route);
        expect(upload).toMatchObject({ method: 'PUT', parameters: {} });
        expect(await put(upload, Buffer.from('new'))).toBe(200);
        const confirmed = await anyone.send(upload.confirm_url, { method: 'POST' });
        expect(confirmed.json()).toMatchObject({ path: `/${name}`, bytes: 3 });
        expect((await anyone.send(upload.confirm_url, { method: 'POST' })).json()).toMatchObject({ path: `/${name}` });
      }
      expect((await anna.download(`${home}/a.txt`)).toString()).toBe('hello');
      expect((await anna.metadata(home)).content!.map(({ path }) => path)).toContain(`${home}/a (2).txt`);
    });

    it('shows and gives nothing', async () => {
      const { public_hash: hash } = await create(home, { upload_folder: 'true' });
      expect((await doors(hash)).slice(0, 5)).toEqual([403, 403, 403, 403, 403]);
      expect((await get(`links/info/${hash}/`)).json()).toMatchObject({ access_rights: 'upload' });
    });

    it('refuses what the document refuses', async () => {
      const { public_hash: hash } = await create(home, { upload_folder: 'true', password: 'pw' });
      const refused = async (fields: Record<string, FormValue>, to = hash) =>
        said(await post(`links/file_create/${to}`, { password: 'pw', ...fields }));
      expect(await refused({ path: '/none/x.txt' })).toEqual([404, 'NotFound']);
      expect(await refused({ path: '/a/../x.txt' })).toEqual([400, 'InvalidParameters']);
      expect(await refused({})).toEqual([400, 'InvalidParameters']);
      expect(await refused({ path: 'x', password: 'no' })).toEqual([403, 'WrongPassword']);
      expect(await refused({ path: 'x' }, UNKNOWN)).toEqual([404, 'NotFound']);
      const { public_hash: readOnly } = await create(`${home}/sub`);
      expect(await refused({ path: 'x' }, readOnly)).toEqual([403, 'Forbidden']);
      await db.query(`UPDATE quotas SET limit_bytes = 100 WHERE owner_kind = 'account' AND owner_id = $1`, [anna.userId]);
      expect(await refused({ path: 'x', size: 1000 })).toEqual([402, 'QuotaExceeded']);
      await db.query(`UPDATE quotas SET limit_bytes = NULL WHERE owner_kind = 'account' AND owner_id = $1`, [anna.userId]);
    });

    it('takes large files in parts, and never tells by 201 what the owner has', async () => {
      const { public_hash: hash } = await create(home, { upload_folder: 'true' });
      const known = await post(`links/file_create/${hash}`, { path: 'k.txt', size: 5, checksum: createHash('md5').update('hello').digest('hex') });
      expect([known.status, Object.keys(known.json()).sort()]).toEqual([200, ['confirm_url', 'headers', 'method', 'parameters', 'url']]);
      const upload = await ticket(hash, { path: 'big.bin', multipart: true });
      for (const [index, part] of ['first ', 'second'].entries()) {
        const target = await post(`links/file_create_part/${hash}`, { temp_path: upload.temp_path!, part_num: index + 1 });
        expect(target.json()).toMatchObject({ method: 'PUT', parameters: [] });
        expect(await put(target.json<UploadTicket>(), Buffer.from(part.repeat(stack.mode === 'services' ? 900_000 : 1)))).toBe(200);
      }
      expect((await anyone.send(upload.confirm_url, { method: 'POST' })).status).toBe(200);
      expect((await anna.download(`${home}/big.bin`)).toString()).toMatch(/^first .*second$/);
      const other = await create(`${home}/sub`, { upload_folder: 'true' });
      expect(said(await post(`links/file_create_part/${other.public_hash}`, { temp_path: upload.temp_path!, part_num: 1 }))[0]).toBe(404);
      expect(said(await post(`links/file_create_part/${hash}`, { temp_path: 'none', part_num: 1 }))).toEqual([404, 'FileNotFound']);
      expect(said(await post(`links/file_create_part/${hash}`, { temp_path: upload.temp_path!, part_num: 0 }))).toEqual([400, 'InvalidParameters']);
    });

    it('ends an upload when it is withdrawn before the end', async () => {
      const { public_hash: hash } = await create(home, { upload_folder: 'true' });
      const upload = await ticket(hash, { path: 'late.txt' });
      expect(await put(upload, Buffer.from('late'))).toBe(200);
      await anna.http.form(`${API}/links/delete/`, { path: home });
      expect((await anyone.send(upload.confirm_url, { method: 'POST' })).status).toBe(404);
      expect((await anna.metadata(home)).content!.map(({ path }) => path)).not.toContain(`${home}/late.txt`);
    });

    it('has the same end when the api is killed between the bytes and the confirmation, and while the bytes come', async () => {
      const { public_hash: hash } = await create(home, { upload_folder: 'true' });
      const [kept, torn] = [await ticket(hash, { path: 'kept.txt' }), await ticket(hash, { path: 'torn.bin' })];
      expect(await put(kept, Buffer.from('kept'))).toBe(200);
      const url = new URL(torn.url);
      const sending = httpRequest(url, { method: 'PUT', headers: { ...torn.headers, 'content-length': 1_000_000 } });
      const broken = new Promise((resolve) => sending.once('error', resolve).once('close', resolve));
      sending.write(Buffer.alloc(400_000));
      await new Promise((next) => setTimeout(next, 200));
      await stack.kill('api');
      await broken;
      await stack.restart('api');
      const fresh = new HttpSession(stack.baseUrl);
      expect((await fresh.send(kept.confirm_url, { method: 'POST' })).json()).toMatchObject({ path: '/kept.txt', bytes: 4 });
      expect((await fresh.send(torn.confirm_url, { method: 'POST' })).status).toBe(404);
      const whole = Buffer.alloc(1_000_000, 7);
      const sent = await fresh.send(torn.url, { method: 'PUT', headers: { ...torn.headers, 'content-length': String(whole.length) }, body: whole });
      expect(sent.status).toBe(200);
      expect((await fresh.send(torn.confirm_url, { method: 'POST' })).json()).toMatchObject({ path: '/torn.bin', bytes: 1_000_000 });
      fresh.close();
      const reader = await CloudikeUser.login(stack.baseUrl, anna.email, 'correct horse battery');
      expect((await reader.download(`${home}/torn.bin`)).equals(whole)).toBe(true);
    });
  });

  it('writes a mail to the issuer who wants to know of downloads', async () => {
    const { public_hash: hash } = await create(home, { notify: 'true' });
    expect(await bytes(`links/get/${hash}/a.txt`)).toBe('hello');
    const folder = join(stack.dataDir, 'outbox');
    const about = async () => {
      const names = await readdir(folder).catch(() => []);
      const mails = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
      return mails.filter((mail) => mail.includes(anna.email) && mail.includes('Your link was used'));
    };
    for (const end = Date.now() + 20_000; (await about()).length === 0; await new Promise((next) => setTimeout(next, 100))) {
      if (Date.now() > end) throw new Error('no mail came');
    }
    expect((await about())[0]).toContain(home.slice(1));
  });
});
