import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { type FormValue, HttpSession } from '../../support/http-session.js';
import { type Stack, startStack } from '../../support/stack.js';

// fileops/handover and migration_contents/* of docs/contracts/cloudike.md section 12, by real HTTP.

interface Migration {
  readonly status: string;
  readonly dst_path: string;
  readonly src_path: string;
  readonly hash: string;
  readonly owner_id: number;
  readonly receiver_id: number;
}

/** Enough folders that taking them over lasts for seconds. */
const MANY = 15_000;

let stack: Stack;
let db: pg.Client;
let anonymous: HttpSession;
let owner: CloudikeUser;
let member: CloudikeUser;
let other: CloudikeUser;
let stranger: CloudikeUser;
let nth = 0;
let folder: string;

beforeAll(async () => {
  stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
  anonymous = new HttpSession(stack.baseUrl);
  db = new pg.Client(stack.databaseUrl);
  await db.connect();
});
beforeEach(async () => {
  [owner, member, other, stranger] = (await Promise.all(Array.from({ length: 4 }, () => CloudikeUser.register(stack.baseUrl)))) as [
    CloudikeUser,
    CloudikeUser,
    CloudikeUser,
    CloudikeUser,
  ];
  folder = `Plan ${++nth}`;
  await owner.upload(`/${folder}/a.txt`, Buffer.from('hello'));
  await owner.upload(`/${folder}/sub/b.txt`, Buffer.from('world!'));
});
afterAll(async () => {
  await db?.end();
  anonymous?.close();
  await stack?.stop();
});

/** Status and code of a call. */
async function call(who: CloudikeUser | null, route: string, params: Record<string, FormValue> = {}): Promise<string> {
  const sent = Object.entries(params).filter(([, value]) => value !== undefined);
  const reply = await (who?.http ?? anonymous).send(`/api/1/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(sent.map(([name, value]): [string, string] => [name, String(value)])).toString(),
  });
  return `${reply.status} ${reply.json<{ code?: string }>().code ?? ''}`.trim();
}

async function give(path: string, to: CloudikeUser, writer = true): Promise<void> {
  const { hash } = await owner.http.form<{ hash: string }>('/api/1/shares/add/', { path, member_login: `email:${to.email}`, writer });
  await to.http.form('/api/1/shares/accept/', { hash });
}

async function until<T>(look: () => Promise<T | null | false>, what: string): Promise<T> {
  for (const end = Date.now() + 90_000; ;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((next) => setTimeout(next, 50));
  }
}

const paths = async (who: CloudikeUser, path = '/') => (await who.metadata(path)).content!.map((node) => node.path);
/** The owner of what is at a path; null when nothing is there. */
async function ownerOf(who: CloudikeUser, path: string): Promise<number | null> {
  const reply = await who.http.send(`/api/1/metadata${path.split('/').map(encodeURIComponent).join('/')}?limit=1`);
  return reply.status === 200 ? reply.json<{ owner: number }>().owner : null;
}
const idOf = async (who: CloudikeUser, name: string) =>
  (
    await db.query<{ id: string; space_id: string }>(
      `SELECT n.id, n.space_id FROM nodes n JOIN spaces s ON s.id = n.space_id WHERE s.account_id = $1 AND n.name = $2 AND n.mount_of IS NULL AND n.removal IS NULL`,
      [who.userId, name],
    )
  ).rows[0]!;

/** Many empty folders, written as the tree would have them. */
async function fill(who: CloudikeUser, name: string): Promise<void> {
  const { id, space_id: spaceId } = await idOf(who, name);
  await db.query(
    `WITH made AS (INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, created_ms, modified_ms, author_id)
                   SELECT gen_random_uuid(), $2, $1, 'folder', 'f' || i, 'f' || i, 1, 1, $3 FROM generate_series(1, $4::int) i RETURNING 1)
     UPDATE nodes SET child_folders = child_folders + (SELECT count(*) FROM made), revision = revision + 1 WHERE id = $1`,
    [id, spaceId, who.userId, MANY],
  );
}

async function children(who: CloudikeUser, name: string): Promise<{ rows: number; counted: number }> {
  const { id } = await idOf(who, name);
  const { rows } = await db.query<{ rows: string; counted: string }>(
    `SELECT (SELECT count(*) FROM nodes c WHERE c.parent_id = n.id AND c.removal IS NULL) AS rows, n.child_files + n.child_folders AS counted FROM nodes n WHERE n.id = $1`,
    [id],
  );
  return { rows: Number(rows[0]!.rows), counted: Number(rows[0]!.counted) };
}

/** Waits until the worker is in the middle of a transaction that lasts. */
async function workerIsBusy(): Promise<void> {
  await until(async () => {
    const { rows } = await db.query<{ busy: boolean }>(
      `SELECT count(*) > 0 AS busy FROM pg_stat_activity WHERE application_name = 'stowage-worker' AND state <> 'idle' AND now() - xact_start > interval '400 ms'
          AND query !~* 'listen'`,
    );
    return rows[0]!.busy;
  }, 'the worker is busy');
}

describe('fileops/handover', () => {
  it('gives the folder to the member, keeps the others in it and leaves a copy', async () => {
    await give(`/${folder}`, member);
    await give(`/${folder}`, other, false);
    expect(await call(owner, 'fileops/handover/', { path: `/${folder}`, member_id: member.userId })).toBe('200 OK');
    await until(async () => (await paths(member)).includes(`/${folder}`) && (await ownerOf(member, `/${folder}`)) === member.userId, 'handed over');
    expect(await paths(member)).toEqual([`/${folder}`]);
    expect((await member.download(`/${folder}/sub/b.txt`)).toString()).toBe('world!');
    expect(await member.metadata(`/${folder}`)).toMatchObject({ role: 'owner', shared: true, owner: member.userId });
    expect(await owner.metadata(`/${folder}`)).toMatchObject({ role: 'owner', shared: false, owner: owner.userId });
    expect((await owner.download(`/${folder}/a.txt`)).toString()).toBe('hello');
    expect(await other.metadata(`/${folder}`)).toMatchObject({ role: 'collaborator', owner: member.userId });
    expect((await other.download(`/${folder}/a.txt`)).toString()).toBe('hello');
    await member.upload(`/${folder}/new.txt`, Buffer.from('new'));
    expect((await other.download(`/${folder}/new.txt`)).toString()).toBe('new');
    expect(await paths(owner, `/${folder}`)).toHaveLength(2);
    expect(await call(other, 'fileops/handover/', { path: `/${folder}`, member_id: owner.userId })).toBe('403 Forbidden');
    expect(await call(member, 'fileops/handover/', { path: `/${folder}`, member_id: other.userId })).toBe('200 OK');
    await until(async () => (await ownerOf(other, `/${folder}`)) === other.userId, 'handed on');
  });

  it('refuses what the contract says', async () => {
    await give(`/${folder}`, member);
    const { hash } = await owner.http.form<{ hash: string }>('/api/1/shares/add/', { path: `/${folder}`, member_login: `email:${other.email}` });
    const over = (who: CloudikeUser | null, params: Record<string, FormValue>) => call(who, 'fileops/handover/', params);
    const right = { path: `/${folder}`, member_id: member.userId };
    expect(await over(null, right)).toBe('401 Unauthorized');
    expect(await over(owner, { path: right.path })).toBe('400 InvalidParameters');
    expect(await over(owner, { member_id: right.member_id })).toBe('400 InvalidParameters');
    expect(await over(owner, { ...right, path: '' })).toBe('400 InvalidParameters');
    for (const id of ['x', '-1', '1.5', '']) expect(await over(owner, { ...right, member_id: id })).toBe('400 InvalidParameters');
    expect(await over(owner, { ...right, member_id: owner.userId })).toBe('400 InvalidParameters');
    expect(await over(owner, { ...right, path: '/none' })).toBe('404 NotFound');
    expect(await over(owner, { ...right, path: `/${folder}/a.txt` })).toBe('404 NotFound');
    expect(await over(owner, { ...right, member_id: 999_999_999 })).toBe('404 UserNotFound');
    expect(await over(owner, { ...right, member_id: stranger.userId })).toBe('404 UserNotFound');
    expect(await over(stranger, right)).toBe('404 NotFound');
    expect(await over(owner, { ...right, member_id: other.userId })).toBe('403 NotShared');
    await other.http.form('/api/1/shares/decline/', { hash });
    expect(await over(owner, { ...right, member_id: other.userId })).toBe('403 NotShared');
    expect(await over(member, { ...right, member_id: owner.userId })).toBe('403 Forbidden');
    await db.query(`UPDATE quotas SET limit_bytes = 10 WHERE owner_kind = 'account' AND owner_id = $1`, [member.userId]);
    expect(await over(owner, right)).toBe('402 QuotaExceeded');
    expect(await paths(member)).toEqual([`/${folder}`]);
    await owner.http.form('/api/1/shares/uninvite/', { path: `/${folder}`, member_login: `email:${member.email}` }, [200, 403, 404]);
  });

  it('is the same as without when the worker is killed in the middle', async () => {
    await give(`/${folder}`, member);
    await give(`/${folder}`, other);
    await fill(owner, folder);
    const inside = (await children(owner, folder)).rows;
    expect(inside).toBe(MANY + 2);
    expect(await call(owner, 'fileops/handover/', { path: `/${folder}`, member_id: member.userId })).toBe('200 OK');
    expect(await call(owner, 'fileops/handover/', { path: `/${folder}`, member_id: member.userId })).toBe('200 OK');
    expect(await call(owner, 'fileops/handover/', { path: `/${folder}`, member_id: other.userId })).toBe('409 AlreadyRequested');
    await workerIsBusy();
    await stack.kill('worker');
    expect(await paths(member)).toEqual([`/${folder}_old`]);
    expect(await member.metadata(`/${folder}_old`, { limit: 1 })).toMatchObject({ owner: owner.userId, role: 'collaborator' });
    expect(await owner.metadata(`/${folder}`, { limit: 1 })).toMatchObject({ shared: true });
    await stack.restart('worker');
    await until(async () => (await paths(member)).includes(`/${folder}`), 'handed over after the kill');
    expect(await paths(member)).toEqual([`/${folder}`]);
    expect(await ownerOf(member, `/${folder}/a.txt`)).toBe(member.userId);
    for (const who of [owner, member]) expect(await children(who, folder)).toEqual({ rows: inside, counted: inside });
    expect(await ownerOf(other, `/${folder}/sub/b.txt`)).toBe(member.userId);
    expect((await db.query('SELECT 1 FROM handovers')).rows).toEqual([]);
    expect((await db.query(`SELECT 1 FROM nodes WHERE removal = 'staged'`)).rows).toEqual([]);
  }, 240_000);
});

describe('migration_contents', () => {
  const add = (params: Record<string, FormValue> = {}) =>
    owner.http.form<Migration>('/api/1/migration_contents/add/', { member_login: `email:${member.email}`, ...params });
  const list = (who: CloudikeUser, query = '') => who.http.get<Migration[]>(`/api/1/migration_contents/${query}`);
  const done = (who: CloudikeUser) => until(async () => (await list(who)).find(({ status }) => status === 'done'), 'migrated');

  it('asks, lists, accepts and copies', async () => {
    const asked = await add({ path: `/${folder}`, invitation: 'Take it' });
    expect(asked).toEqual({
      status: 'requested',
      dst_path: '',
      receiver_id: member.userId,
      hash: asked.hash,
      src_path: `/${folder}`,
      owner_id: owner.userId,
    });
    expect(asked.hash).toMatch(/^[\w-]{22,}$/);
    expect(await list(member)).toEqual([asked]);
    expect(await list(owner, '?whoose=my')).toEqual([asked]);
    expect(await list(owner, '?whose=others')).toEqual([]);
    expect(await list(member, '?whoose=others&status=requested&status=accepted')).toEqual([asked]);
    expect(await list(member, '?status=accepted')).toEqual([]);
    expect(await list(owner, `?path=/${encodeURIComponent(folder)}`)).toEqual([asked]);
    expect(await list(owner, '?path=/none')).toEqual([]);
    expect(await list(stranger)).toEqual([]);
    const [name] = owner.email.split('@');
    const accepted = await member.http.form<Migration>('/api/1/migration_contents/accept/', { hash: asked.hash });
    expect(accepted).toEqual({ ...asked, status: 'accepted', dst_path: `/${name}/${folder}`, hash: '' });
    await done(member);
    expect((await member.download(`/${name}/${folder}/sub/b.txt`)).toString()).toBe('world!');
    expect(await paths(owner, `/${folder}`)).toHaveLength(2);
    expect(await call(member, 'migration_contents/accept/', { hash: asked.hash })).toBe('200');
    expect(await call(owner, 'migration_contents/remove/', { hash: asked.hash })).toBe('200 OK');
    expect(await list(owner)).toEqual([]);
    const types = (await member.http.get<{ type: string }[]>('/api/1/events/?limit=100')).map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['migration_sent', 'migration_accepted']));
  });

  it('copies everything and empties the source into the trash when asked', async () => {
    const asked = await add({ cleanup: 'true' });
    expect(asked.src_path).toBe('');
    const [name] = owner.email.split('@');
    expect(await member.http.form('/api/1/migration_contents/accept/', { hash: asked.hash })).toMatchObject({ dst_path: `/${name}/home` });
    await done(owner);
    expect(await paths(member, `/${name}/home`)).toEqual([`/${name}/home/${folder}`]);
    expect(await paths(owner)).toEqual([]);
    expect(await call(owner, 'fileops/undelete/', { path: `/${folder}` })).toMatch(/^200/);
    expect((await owner.download(`/${folder}/a.txt`)).toString()).toBe('hello');
  });

  it('refuses what the contract says', async () => {
    const { hash } = await add();
    for (const route of ['add', 'accept', 'reject', 'remove'])
      expect(await call(null, `migration_contents/${route}/`, { hash, member_login: 'x' })).toBe('401 Unauthorized');
    expect(await call(null, 'migration_contents/')).toBe('401 Unauthorized');
    expect(await call(owner, 'migration_contents/add/')).toBe('400 InvalidParameters');
    expect(await call(owner, 'migration_contents/add/', { member_login: `email:${owner.email}` })).toBe('400 InvalidParameters');
    expect(await call(owner, 'migration_contents/add/', { member_login: 'email:nobody@example.org' })).toBe('404 UserNotFound');
    expect(await call(owner, 'migration_contents/add/', { member_login: `userid:${member.userId}` })).toBe('404 UserNotFound');
    expect(await call(owner, 'migration_contents/add/', { member_login: `email:${member.email}`, path: '/none' })).toBe('404 NotFound');
    expect(await call(owner, 'migration_contents/add/', { member_login: `email:${member.email}`, path: `/${folder}/a.txt` })).toBe(
      '400 InvalidParameters',
    );
    expect(await call(owner, 'migration_contents/', { whoose: 'theirs' })).toBe('400 InvalidParameters');
    expect(await call(owner, 'migration_contents/', { status: 'lost' })).toBe('400 InvalidParameters');
    for (const route of ['accept', 'reject', 'remove']) {
      expect(await call(member, `migration_contents/${route}/`)).toBe('400 InvalidParameters');
      expect(await call(member, `migration_contents/${route}/`, { hash: 'A'.repeat(32) })).toBe('404 NotFound');
      expect(await call(stranger, `migration_contents/${route}/`, { hash })).toBe('404 NotFound');
    }
    expect(await call(owner, 'migration_contents/accept/', { hash })).toBe('403 Forbidden');
    expect(await call(owner, 'migration_contents/reject/', { hash })).toBe('403 Forbidden');
    expect(await call(member, 'migration_contents/remove/', { hash })).toBe('403 Forbidden');
    await member.mkdir('/own');
    await db.query(`UPDATE quotas SET limit_bytes = 10 WHERE owner_kind = 'account' AND owner_id = $1`, [member.userId]);
    expect(await call(member, 'migration_contents/accept/', { hash })).toBe('402 QuotaExceeded');
    expect(await call(member, 'migration_contents/reject/', { hash })).toBe('200 OK');
    expect(await call(member, 'migration_contents/accept/', { hash })).toBe('404 NotFound');
    expect(await list(owner)).toEqual([]);
  });

  it('is the same as without when the worker is killed in the middle', async () => {
    await fill(owner, folder);
    const inside = MANY + 2;
    const { hash } = await add({ path: `/${folder}`, cleanup: 'true' });
    await member.http.form('/api/1/migration_contents/accept/', { hash });
    const begun = async () =>
      Number(
        (
          await db.query<{ n: string }>(`SELECT count(*) AS n FROM nodes n JOIN spaces s ON s.id = n.space_id WHERE s.account_id = $1`, [
            member.userId,
          ])
        ).rows[0]!.n,
      ) > 3_000;
    await until(begun, 'the copy has begun');
    await stack.kill('worker');
    expect(await paths(member)).toEqual([]);
    expect((await children(owner, folder)).rows).toBe(inside);
    await stack.restart('worker');
    await done(member);
    const [name] = owner.email.split('@');
    expect(await paths(member)).toEqual([`/${name}`]);
    expect(await paths(member, `/${name}`)).toEqual([`/${name}/${folder}`]);
    expect(await children(member, folder)).toEqual({ rows: inside, counted: inside });
    expect(await children(owner, folder)).toEqual({ rows: 0, counted: 0 });
    expect((await db.query(`SELECT 1 FROM nodes WHERE removal = 'staged'`)).rows).toEqual([]);
  }, 240_000);
});
