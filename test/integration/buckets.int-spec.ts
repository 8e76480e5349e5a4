import { Readable } from 'node:stream';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  type Bucket,
  BucketDownloads,
  BucketFiles,
  type BucketHolder,
  BucketJobsModule,
  Buckets,
  BucketsModule,
  BucketTokens,
  SweepBucketsJob,
} from '#libs/buckets';
import { EraseAccountTask, ErasingJobsModule } from '#libs/erasing';
import { type AccountActor, isDomainError } from '#libs/kernel';
import { ServiceKeys } from '#libs/service-keys';
import type { TaskContext } from '#libs/tasks';

import { countStatements } from '../support/statement-count.js';
import { treeDefects } from '../support/tree-invariants.js';
import { type BytesHarness, startBytes } from './bytes-harness.js';

let bytes: BytesHarness;
let buckets: Buckets;
let files: BucketFiles;
let downloads: BucketDownloads;
let count = 0;

const service = <T>(type: abstract new (...args: never[]) => T): T => bytes.app.get<T>(type, { strict: false });

/** The code of the refusal, undefined when there is none. */
async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (!isDomainError(error)) throw error;
    return error.code;
  }
}

beforeAll(async () => {
  bytes = await startBytes({}, undefined, [BucketsModule, BucketJobsModule, ErasingJobsModule]);
  [buckets, files, downloads] = [service(Buckets), service(BucketFiles), service(BucketDownloads)];
});
afterAll(async () => {
  // what was refused when it had come waits for the reaper, as every upload
  await bytes.janitor.reapUploads();
  expect(await treeDefects(bytes.database)).toEqual([]);
  await bytes?.close();
});

interface Owner extends BucketHolder {
  readonly bucket: Bucket;
}

async function owner(options: Parameters<BytesHarness['account']>[0] = {}, plan?: string): Promise<Owner> {
  const actor: AccountActor = await bytes.account(options);
  return { actor, scope: null, bucket: await buckets.create(actor, { name: `bucket-${++count}`, plan }) };
}
async function put(holder: Owner, path: string, body = path, more: { public?: boolean; metadata?: Record<string, unknown> } = {}) {
  const wish = { bucket: holder.bucket.name, path, name: 'unnamed', ...more };
  return files.keep(holder, await files.take(holder, wish, Readable.from([Buffer.from(body)])), wish);
}
const paths = async (holder: Owner, prefix = '', limit = 100, offset = 0) =>
  (await files.list(holder, holder.bucket.name, { prefix, limit, offset })).files.map(({ path }) => path);
const usage = async (holder: Owner) => (await buckets.describe(holder, holder.bucket.name)).usage;
const move = (holder: Owner, ids: readonly string[], folder: string) => files.move(holder, holder.bucket.name, ids, folder);

describe('buckets', () => {
  it('have names of their own in an account, and a plan', async () => {
    const one = await owner();
    const two = await owner();
    expect(await codeOf(buckets.create(one.actor, { name: one.bucket.name }))).toBe('NAME_TAKEN');
    await buckets.create(two.actor, { name: one.bucket.name, plan: 'pro' });
    for (const name of ['ab', 'x'.repeat(64), 'Abc', 'a_b', '-ab', 'ab-', '../a', 'a b', '']) {
      expect(await codeOf(buckets.create(one.actor, { name }))).toBe('INVALID_ARGUMENT');
    }
    expect(await codeOf(buckets.create(one.actor, { name: 'good', plan: 'gold' }))).toBe('INVALID_ARGUMENT');
    expect((await buckets.list(two)).map(({ name, plan }) => [name, plan.id])).toEqual(
      [
        [one.bucket.name, 'pro'],
        [two.bucket.name, 'unlimited'],
      ].sort(),
    );
    expect(await codeOf(buckets.find(two, 'nothing'))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(buckets.create({ ...one.actor, byPair: true }, { name: 'by-a-key' }))).toBe('FORBIDDEN');
    const races = await Promise.all(Array.from({ length: 5 }, () => codeOf(buckets.create(one.actor, { name: 'raced' }))));
    expect(races.sort()).toEqual(['NAME_TAKEN', 'NAME_TAKEN', 'NAME_TAKEN', 'NAME_TAKEN', undefined]);
  });

  it('go with what is in them when that is asked for, and give the space back', async () => {
    const holder = await owner();
    await put(holder, 'a/b/c.txt', 'hello');
    expect((await bytes.quota(holder.actor)).usedBytes).toBe(5);
    expect(await codeOf(buckets.remove(holder.actor, holder.bucket.name, { withFiles: false }))).toBe('FOLDER_NOT_EMPTY');
    await buckets.remove(holder.actor, holder.bucket.name, { withFiles: true });
    expect(await buckets.list(holder)).toEqual([]);
    const sweep = () => service(SweepBucketsJob).handle({}, { signal: new AbortController().signal });
    await sweep();
    await bytes.janitor.reapUploads();
    await sweep();
    expect(await bytes.database.query('SELECT 1 FROM spaces WHERE id = $1', [holder.bucket.id])).toEqual([]);
    expect((await bytes.quota(holder.actor)).usedBytes).toBe(0);
    expect(await codeOf(buckets.remove(holder.actor, holder.bucket.name, { withFiles: true }))).toBe('NODE_NOT_FOUND');
    const again = { ...holder, bucket: await buckets.create(holder.actor, { name: holder.bucket.name }) };
    expect(await usage(again)).toEqual({ storageBytes: 0, fileCount: 0, bandwidthBytes: 0 });
  });

  it('are reached by those keys alone that name them', async () => {
    const holder = await owner();
    const file = await put(holder, 'x.txt');
    const other = await buckets.create(holder.actor, { name: 'other' });
    const narrow = { ...holder, scope: [other.id] };
    expect((await buckets.list(narrow)).map(({ name }) => name)).toEqual(['other']);
    const refused = [
      () => files.list(narrow, holder.bucket.name, { prefix: '', limit: 1, offset: 0 }),
      () => files.get(narrow, file.id),
      () => files.change(narrow, file.id, { name: 'y.txt' }),
      () => files.remove(narrow, file.id),
      () => move(narrow, [file.id], 'd'),
      () => files.copy(narrow, { source: 'other', target: holder.bucket.name, files: { ids: [file.id] }, targetPath: '' }),
      () => files.copy(narrow, { source: holder.bucket.name, target: 'other', files: { ids: [file.id] }, targetPath: '' }),
      () => files.copy(narrow, { source: 'other', target: 'other', files: { ids: [file.id] }, targetPath: '' }),
      () => put(narrow, 'z.txt'),
      () => downloads.open(narrow, holder.bucket.id, ['x.txt']),
    ];
    for (const work of refused) expect(await codeOf(work())).toBe('NODE_NOT_FOUND');
    const stranger = await owner();
    expect(await codeOf(files.get(stranger, file.id))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(downloads.open(stranger, holder.bucket.id, ['x.txt']))).toBe('NODE_NOT_FOUND');
    const key = await buckets.createKey(holder.actor, { name: 'k', buckets: ['other'] });
    expect(key.scope).toEqual([other.id]);
    expect(await buckets.listKeys(holder.actor)).toMatchObject([{ id: key.id, buckets: ['other'] }]);
    expect(await codeOf(buckets.createKey(holder.actor, { name: 'k', buckets: ['nothing'] }))).toBe('NODE_NOT_FOUND');
  });
});

describe('files in buckets', () => {
  it('are listed by the beginning of their path, in the same number of statements however many', async () => {
    const holder = await owner();
    for (const path of ['b.txt', 'a/2.txt', 'a/1.txt', 'a.txt', 'a/b/3.txt', 'B.md', 'ab/c.txt']) await put(holder, path);
    expect(await paths(holder)).toEqual(['B.md', 'a.txt', 'a/1.txt', 'a/2.txt', 'a/b/3.txt', 'ab/c.txt', 'b.txt']);
    expect(await paths(holder, 'a')).toEqual(['a.txt', 'a/1.txt', 'a/2.txt', 'a/b/3.txt', 'ab/c.txt']);
    expect(await paths(holder, '/a/')).toEqual(['a/1.txt', 'a/2.txt', 'a/b/3.txt']);
    expect(await paths(holder, 'a/b/3.txt')).toEqual(['a/b/3.txt']);
    expect(await paths(holder, 'A')).toEqual([]);
    expect(await paths(holder, 'a%')).toEqual([]);
    expect(await paths(holder, 'a', 2, 1)).toEqual(['a/1.txt', 'a/2.txt']);
    expect(await files.list(holder, holder.bucket.name, { prefix: 'a', limit: 2, offset: 99 })).toEqual({ total: 5, files: [] });
    const statements = () => countStatements(() => files.list(holder, holder.bucket.name, { prefix: '', limit: 1000, offset: 0 }));
    const few = await statements();
    for (let at = 0; at < 30; at++) await put(holder, `many/${at % 7}/${at}.txt`);
    expect(await statements()).toBe(few);
    expect(few).toBe(2);
  });

  it('are moved into a folder in the same number of statements however many', async () => {
    const holder = await owner();
    const statements = async (folder: string, size: number) => {
      const ids: string[] = [];
      for (let at = 0; at < size; at++) ids.push((await put(holder, `from-${folder}/${at}.txt`)).id);
      await put(holder, `to-${folder}/there.txt`);
      return countStatements(() => move(holder, ids, `to-${folder}`));
    };
    const few = await statements('a', 2);
    expect(await statements('b', 20)).toBe(few);
  });

  it('stay in the folders that are there where a company leaves making folders to its administrators', async () => {
    const holder = await owner({ companyLimitBytes: null });
    const file = await put(holder, 'there/a.txt');
    await bytes.database.run(`UPDATE companies SET settings = '{"folderCreateAdminOnly": true}' WHERE id = $1`, [holder.actor.companyId]);
    expect(await codeOf(move(holder, [file.id], 'new'))).toBe('FORBIDDEN');
    expect(await codeOf(files.change(holder, file.id, { path: 'new/a.txt' }))).toBe('FORBIDDEN');
    const { name } = holder.bucket;
    expect(await codeOf(files.copy(holder, { source: name, target: name, files: { ids: [file.id] }, targetPath: 'new' }))).toBe('FORBIDDEN');
    expect(await paths(holder)).toEqual(['there/a.txt']);
    expect((await files.change(holder, file.id, { name: 'b.txt' })).path).toBe('there/b.txt');
  });

  it('count exactly, and end for good', async () => {
    const holder = await owner();
    const one = await put(holder, 'a/b/one.bin', 'x'.repeat(100), { metadata: { k: 1 }, public: true });
    const [copy] = await files.copy(holder, {
      source: holder.bucket.name,
      target: holder.bucket.name,
      files: { path: '/a/b/one.bin' },
      targetPath: 'two.bin',
    });
    expect(copy).toMatchObject({ path: 'two.bin', sizeBytes: 100, public: true, metadata: { k: 1 }, mimeType: one.mimeType });
    expect(await usage(holder)).toMatchObject({ storageBytes: 200, fileCount: 2 });
    await files.remove(holder, one.id);
    expect(await usage(holder)).toMatchObject({ storageBytes: 100, fileCount: 1 });
    expect((await bytes.quota(holder.actor)).usedBytes).toBe(100);
    expect(await codeOf(files.get(holder, one.id))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(files.remove(holder, one.id))).toBe('NODE_NOT_FOUND');
    const left = await bytes.database.query('SELECT kind FROM nodes WHERE space_id = $1 AND parent_id IS NOT NULL', [holder.bucket.id]);
    expect(left).toEqual([{ kind: 'file' }]);
    bytes.clock.offsetMs += 30 * 24 * 3_600_000;
    await bytes.janitor.collectBlobs();
    await bytes.janitor.deleteTombstones();
    bytes.clock.offsetMs = 0;
    expect((await downloads.open(holder, holder.bucket.id, ['two.bin'])).version.sizeBytes).toBe(100);
  });

  it('get new bytes at the same path, keep their id, and hold nothing of the old ones', async () => {
    const holder = await owner();
    const one = await put(holder, 'a/me.png', 'x'.repeat(50), { public: true });
    const again = await put(holder, 'a/me.png', 'y'.repeat(70));
    expect(again).toMatchObject({ id: one.id, sizeBytes: 70, public: true });
    expect(await usage(holder)).toMatchObject({ storageBytes: 70, fileCount: 1 });
    expect((await bytes.quota(holder.actor)).usedBytes).toBe(70);
    expect(await put(holder, 'a/me.png', 'z', { public: false })).toMatchObject({ id: one.id, public: false });
    const racing = await Promise.all(Array.from({ length: 8 }, (_, at) => put(holder, 'race/r.bin', 'r'.repeat(at + 1))));
    expect(new Set(racing.map(({ id }) => id)).size).toBe(1);
    const { storageBytes, fileCount } = await usage(holder);
    expect(fileCount).toBe(2);
    expect((await bytes.quota(holder.actor)).usedBytes).toBe(storageBytes);
  });

  it('change name, place and who may get them together or not at all', async () => {
    const holder = await owner();
    const [one, two] = [await put(holder, 'd/one.txt'), await put(holder, 'd/two.txt')];
    expect(await files.change(holder, one.id, { name: 'uno.md', path: '/e/f/', public: true })).toMatchObject({
      id: one.id,
      path: 'e/f/uno.md',
      name: 'uno.md',
      public: true,
      mimeType: 'text/markdown',
    });
    expect(await files.change(holder, one.id, { path: 'top.txt' })).toMatchObject({ path: 'top.txt' });
    expect(await paths(holder)).toEqual(['d/two.txt', 'top.txt']);
    expect(await codeOf(files.change(holder, two.id, { path: 'TOP.txt', public: true }))).toBe('NAME_TAKEN');
    expect(await files.get(holder, two.id)).toMatchObject({ path: 'd/two.txt', public: false });
    expect(await files.change(holder, two.id, { name: 'TWO.txt' })).toMatchObject({ path: 'd/TWO.txt' });
    expect(await codeOf(files.change(holder, two.id, { path: 'top.txt/below.txt' }))).toBe('NOT_A_FOLDER');
    for (const path of ['../x', 'a//b', 'a/./b', `${'x'.repeat(256)}`, `${'xy/'.repeat(400)}z`, 'a\nb']) {
      expect(await codeOf(files.change(holder, two.id, { path }))).toBe('NAME_ILLEGAL');
    }
    expect(await codeOf(files.change(holder, two.id, { name: 'a/b' }))).toBe('NAME_ILLEGAL');
    expect(await codeOf(files.change(holder, two.id, { path: `${'x/'.repeat(130)}y` }))).toBe('TREE_TOO_DEEP');
    expect(await paths(holder)).toEqual(['d/TWO.txt', 'top.txt']);
    // the folder that everything has left is not in the way of a file of its name
    await files.change(holder, two.id, { path: 'z.txt' });
    await files.change(holder, two.id, { path: 'd' });
    expect(await paths(holder)).toEqual(['d', 'top.txt']);
  });

  it('move together, all or none', async () => {
    const holder = await owner();
    const [a, b, c] = [await put(holder, 'a/x.txt'), await put(holder, 'b/x.txt'), await put(holder, 'c/y.txt')];
    expect(await codeOf(move(holder, [a.id, b.id], 'd/'))).toBe('NAME_TAKEN');
    expect(await codeOf(move(holder, [a.id, c.id], 'b'))).toBe('NAME_TAKEN');
    expect(await codeOf(move(holder, [a.id, '00000000-0000-7000-8000-000000000000'], 'd'))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(move(holder, [], 'd'))).toBe('INVALID_ARGUMENT');
    expect(await paths(holder)).toEqual(['a/x.txt', 'b/x.txt', 'c/y.txt']);
    expect((await move(holder, [c.id, a.id, a.id], 'd/e')).map(({ path }) => path)).toEqual(['d/e/y.txt', 'd/e/x.txt']);
    expect((await move(holder, [a.id], '/')).map(({ path }) => path)).toEqual(['x.txt']);
    expect((await move(holder, [a.id], '')).map(({ path }) => path)).toEqual(['x.txt']);
    expect(
      await codeOf(files.copy(holder, { source: holder.bucket.name, target: holder.bucket.name, files: { ids: [a.id, b.id] }, targetPath: 'n/' })),
    ).toBe('NAME_TAKEN');
    expect(await paths(holder)).toEqual(['b/x.txt', 'd/e/y.txt', 'x.txt']);
    const folders = await bytes.database.query<{ name: string }>(
      `SELECT name FROM nodes WHERE space_id = $1 AND kind = 'folder' AND parent_id IS NOT NULL ORDER BY name`,
      [holder.bucket.id],
    );
    expect(folders.map(({ name }) => name)).toEqual(['b', 'd', 'e']);
  });

  it('come before it is said where they go', async () => {
    const holder = await owner();
    const target = await buckets.create(holder.actor, { name: 'a-target' });
    const arrived = await files.take(holder, null, Readable.from([Buffer.from('12345')]));
    const wish = { bucket: target.name, path: 'x/y/', name: 'named.txt', public: true };
    expect(await files.keep(holder, arrived, wish)).toMatchObject({ path: 'x/y/named.txt', public: true, sizeBytes: 5, bucket: { id: target.id } });
    expect(await usage(holder)).toMatchObject({ fileCount: 0 });
    const lost = await files.take(holder, null, Readable.from([Buffer.from('12345')]));
    expect(await codeOf(files.keep(holder, lost, { ...wish, bucket: 'nothing' }))).toBe('NODE_NOT_FOUND');
    await bytes.janitor.reapUploads();
    expect(await bytes.quota(holder.actor)).toMatchObject({ usedBytes: 5, reservedBytes: 0 });
    expect(await codeOf(files.take({ ...holder, scope: [] }, null, Readable.from([])))).toBe('NODE_NOT_FOUND');
  });

  it('come while the folder around them goes', async () => {
    const holder = await owner();
    for (let round = 0; round < 10; round++) {
      const leaving = await put(holder, `r${round}/f/one.txt`);
      await Promise.all([files.remove(holder, leaving.id), put(holder, `r${round}/f/two.txt`)]);
    }
    expect(await paths(holder)).toEqual(Array.from({ length: 10 }, (_, round) => `r${round}/f/two.txt`));
  });

  it('stop at the plan and at the quota', async () => {
    const holder = await owner({}, 'free');
    await bytes.database.run('UPDATE nodes SET limit_bytes = 10 WHERE id = $1', [holder.bucket.rootId]);
    await put(holder, 'deep/six.bin', '123456');
    expect(await codeOf(put(holder, 'deep/five.bin', '12345'))).toBe('QUOTA_EXCEEDED');
    expect(
      await codeOf(
        files.copy(holder, { source: holder.bucket.name, target: holder.bucket.name, files: { path: 'deep/six.bin' }, targetPath: 'c.bin' }),
      ),
    ).toBe('QUOTA_EXCEEDED');
    expect(await paths(holder)).toEqual(['deep/six.bin']);
    const small = await owner({ limitBytes: 4 });
    expect(await codeOf(put(small, 'a.bin', '12345'))).toBe('QUOTA_EXCEEDED');
    await bytes.database.run(`INSERT INTO bucket_traffic VALUES ($1, date_trunc('month', now() AT TIME ZONE 'UTC'), $2)`, [
      holder.bucket.id,
      25 * 1024 ** 3,
    ]);
    expect(await codeOf(downloads.open(holder, holder.bucket.id, ['deep', 'six.bin']))).toBe('QUOTA_EXCEEDED');
  });
});

describe('tokens', () => {
  it('are good for what they were made for, as long as they say and their key lives', async () => {
    const made = await owner();
    const client = { kind: 'other', address: '192.0.2.9' } as const;
    const key = await buckets.createKey(made.actor, { name: 'k', buckets: null });
    const holder = { ...made, ...(await service(ServiceKeys).authenticate('storage', { secret: key.secret }, client))! };
    const file = await put(holder, 'a/b.txt');
    const tokens = service(BucketTokens);
    const { token, path } = await tokens.forUpload(holder, { bucket: holder.bucket.name, path: '/a/b.txt' }, 60_000);
    const leave = await tokens.openUpload(token, client);
    expect([path, leave.bucket, leave.path, leave.holder.scope]).toEqual(['a/b.txt', holder.bucket.name, 'a/b.txt', [holder.bucket.id]]);
    expect(leave.holder.actor).toMatchObject({ accountId: holder.actor.accountId, byPair: true });
    const download = tokens.forDownload(holder, holder.bucket.id, file.id, 60_000);
    expect((await tokens.openDownload(download, client)).fileId).toBe(file.id);
    expect(await codeOf(tokens.openDownload(token, client))).toBe('UNAUTHENTICATED');
    expect(await codeOf(tokens.openUpload(download, client))).toBe('UNAUTHENTICATED');
    bytes.clock.offsetMs += 61_000;
    expect(await codeOf(tokens.openUpload(token, client))).toBe('UNAUTHENTICATED');
    expect(await codeOf(tokens.openDownload(download, client))).toBe('UNAUTHENTICATED');
    bytes.clock.offsetMs = 0;
    await buckets.remove(made.actor, holder.bucket.name, { withFiles: true });
    expect(await codeOf(tokens.openUpload(token, client))).toBe('NODE_NOT_FOUND');
    await service(ServiceKeys).revoke(made.actor, 'storage', key.id);
    expect(await codeOf(tokens.openUpload(token, client))).toBe('UNAUTHENTICATED');
  });
});

describe('the end of an account', () => {
  it('is the end of its buckets', async () => {
    const holder = await owner();
    await put(holder, 'a/b.txt', 'personal', { public: true });
    const { accountId } = holder.actor;
    await bytes.database.run(`UPDATE accounts SET state = 'deleted', deleted_at = now() WHERE id = $1`, [accountId]);
    const context = { taskId: holder.bucket.id, signal: new AbortController().signal, checkpoint: null, saveProgress: () => Promise.resolve() };
    await service(EraseAccountTask).run({ accountId, heirId: null, erase: true }, context as unknown as TaskContext);
    expect(await bytes.database.query('SELECT 1 FROM spaces WHERE account_id = $1', [accountId])).toEqual([]);
    expect(await bytes.database.query('SELECT 1 FROM buckets WHERE account_id = $1', [accountId])).toEqual([]);
  });
});

describe('a file that is for all', () => {
  it('is open to anybody as long as it, and its owner, are', async () => {
    const holder = await owner();
    const file = await put(holder, 'pub/pic.png', 'picture');
    const anybody = () => codeOf(downloads.open(null, holder.bucket.id, ['pub', 'pic.png']));
    expect(await anybody()).toBe('NODE_NOT_FOUND');
    await files.change(holder, file.id, { public: true });
    const opened = await downloads.open(null, holder.bucket.id, ['pub', 'pic.png']);
    expect(opened).toMatchObject({ bucketId: holder.bucket.id, version: { sizeBytes: 7 } });
    await downloads.count(holder.bucket.id, 7);
    await downloads.count(holder.bucket.id, 3);
    expect(await usage(holder)).toMatchObject({ bandwidthBytes: 10 });
    const { accountId } = holder.actor;
    await bytes.database.run('UPDATE accounts SET can_download = false WHERE id = $1', [accountId]);
    expect(await anybody()).toBe('NODE_NOT_FOUND');
    await bytes.database.run(`UPDATE accounts SET can_download = true, state = 'disabled' WHERE id = $1`, [accountId]);
    expect(await anybody()).toBe('NODE_NOT_FOUND');
    await bytes.database.run(`UPDATE accounts SET state = 'active' WHERE id = $1`, [accountId]);
    expect(await anybody()).toBeUndefined();
    await files.change(holder, file.id, { name: 'other.png' });
    expect(await anybody()).toBe('NODE_NOT_FOUND');
    await files.change(holder, file.id, { name: 'pic.png', public: false });
    expect(await anybody()).toBe('NODE_NOT_FOUND');
    for (const [id, path] of [
      [holder.bucket.id, ['pub']],
      [holder.bucket.id, []],
      ['nonsense', ['pub', 'pic.png']],
    ] as const) {
      expect(await codeOf(downloads.open(null, id, path))).toBe('NODE_NOT_FOUND');
    }
  });
});
