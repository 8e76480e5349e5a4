import 'reflect-metadata';

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import { Test, type TestingModule } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type ArchiveBuildResult, ArchiveJobsModule, ArchiveService, ArchivesModule, type ArchiveSelection } from '#libs/archives';
import { BlobStore, UploadGate } from '#libs/blob-store';
import { AppConfig, ConfigModule } from '#libs/config';
import { Database, DatabaseModule } from '#libs/database';
import { ConfirmService, FilesModule, FolderService, StoreJanitor, UploadService } from '#libs/files';
import { type AccountActor, Clock } from '#libs/kernel';
import { Logger, ObservabilityModule } from '#libs/observability';
import { TaskCancelledError, type TaskContext, type TaskHandler } from '#libs/tasks';
import { TrashModule, TrashService } from '#libs/trash';

import { ArchiveBuildTask } from '../../libs/archives/src/archive-build.task.js';
import { collect, type Extracted, extract } from '../../libs/archives/test/zip-samples.js';
import { createTestDatabase } from '../support/services.js';
import { countStatements } from '../support/statement-count.js';
import { mustBeRefused, tortureNames } from '../support/torture.js';
import { codeOf, segments, TestClock } from './bytes-harness.js';

let app: TestingModule;
let root: string;
let drop: () => Promise<void>;
let archives: ArchiveService;
let store: BlobStore;
let database: Database;
const clock = new TestClock();

beforeAll(async () => {
  const testDatabase = await createTestDatabase();
  root = await mkdtemp(join(tmpdir(), 'stowage-archives-'));
  const config = new AppConfig({ DATABASE_URL: testDatabase.url, STOWAGE_SECRET_KEY: randomBytes(32).toString('hex'), STOWAGE_DATA_DIR: root });
  app = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(config),
      ObservabilityModule.forRoot(Logger.create('silent')),
      DatabaseModule.forRoot({ url: testDatabase.url, poolSize: 8, statementTimeoutMs: 60_000, applicationName: 'test' }),
      DatabaseModule,
      FilesModule,
      TrashModule,
      ArchivesModule,
      ArchiveJobsModule,
    ],
  })
    .overrideProvider(Clock)
    .useValue(clock)
    .compile();
  archives = service(ArchiveService);
  store = service(BlobStore);
  database = service(Database);
  await store.prepare();
  drop = () => testDatabase.drop();
});

afterAll(async () => {
  await app.close();
  await drop();
  await rm(root, { recursive: true, force: true });
});

function service<T>(type: abstract new (...args: never[]) => T): T {
  return app.get<T>(type);
}

async function account(): Promise<AccountActor> {
  const row = await database.queryOne<{ id: number }>(`INSERT INTO accounts (state) VALUES ('active') RETURNING id`);
  return { kind: 'account', accountId: row!.id, companyId: null, role: 'user', tokenId: null };
}

async function upload(actor: AccountActor, path: readonly string[], body: Buffer | string, clientModifiedMs?: number): Promise<void> {
  const created = await service(UploadService).create(actor, {
    path: [...path],
    overwrite: true,
    createParents: true,
    multipart: false,
    clientModifiedMs,
  });
  if (created.kind !== 'session') throw new Error('deduplicated');
  const key = `uploads/${created.tempName}`;
  const slot = await service(UploadGate).open(key, body.length);
  const storeKey = slot.storeKey ?? key;
  await service(UploadGate).stored(key, await store.put(storeKey, Buffer.from(body)), storeKey);
  await service(ConfirmService).confirm({ accountId: actor.accountId, tempName: created.tempName, actor });
}

const folder = (actor: AccountActor, path: string) => service(FolderService).create(actor, { path: segments(path), createParents: true });
const trash = (actor: AccountActor, path: string) =>
  service(TrashService).trash(actor, { nodes: [{ path: segments(path) }], onlyEmpty: false, permanent: false });

function selection(paths: readonly string[], options: { parent?: string; windows?: boolean } = {}): ArchiveSelection {
  return {
    nodes: paths.map((path) => ({ path: segments(path) })),
    ...(options.parent === undefined ? {} : { parentFolder: { path: segments(options.parent) } }),
    windows: options.windows ?? false,
  };
}

async function streamed(actor: AccountActor, wanted: ArchiveSelection): Promise<Extracted[]> {
  const { privateHash } = await archives.createStream(actor, wanted);
  const download = await archives.openStream(privateHash);
  const bytes = await collect(await download.stream());
  expect(bytes.length).toBe(download.totalBytes);
  return extract(bytes);
}

const paths = (entries: readonly Extracted[]) => entries.map((entry) => entry.path);
const sha256 = (...parts: Buffer[]) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

/** Waits for what the stream notes after its end. */
async function eventually<T>(look: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  for (const end = performance.now() + 10_000; ;) {
    const value = await look();
    if (wanted(value)) return value;
    if (performance.now() > end) throw new Error(`it stayed ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('what an archive holds', () => {
  let anna: AccountActor;

  beforeAll(async () => {
    anna = await account();
    await upload(anna, ['a', 'b', 'one.txt'], 'one', -86_400_000);
    await upload(anna, ['a', 'b', 'deep', 'two.bin'], randomBytes(300_000), 1_700_000_000_123);
    await upload(anna, ['a', 'zero'], '');
    await upload(anna, ['top.txt'], 'top');
    await folder(anna, '/a/empty');
    await upload(anna, ['a', 'gone', 'x.txt'], 'x');
    await trash(anna, '/a/gone');
    await upload(anna, ['a', 'b', 'gone.txt'], 'y');
    await trash(anna, '/a/b/gone.txt');
  });

  it('a folder under its own name, folders before their content, empty ones too, nothing from the trash', async () => {
    const entries = await streamed(anna, selection(['/a']));
    expect(paths(entries)).toEqual(['a/', 'a/b/', 'a/b/deep/', 'a/b/deep/two.bin', 'a/b/one.txt', 'a/empty/', 'a/zero']);
    const byPath = new Map(entries.map((entry) => [entry.path, entry]));
    expect(byPath.get('a/b/one.txt')?.content.toString()).toBe('one');
    expect(byPath.get('a/b/one.txt')?.modifiedMs).toBe(-86_400_000);
    expect(byPath.get('a/b/deep/two.bin')?.modifiedMs).toBe(1_700_000_000_123);
    expect(byPath.get('a/b/deep/two.bin')?.content.length).toBe(300_000);
  });

  it('the root without a folder around it', async () => {
    expect(paths(await streamed(anna, selection(['/'])))).toEqual([
      'a/',
      'a/b/',
      'a/b/deep/',
      'a/b/deep/two.bin',
      'a/b/one.txt',
      'a/empty/',
      'a/zero',
      'top.txt',
    ]);
  });

  it('an empty folder, a single file, and names from the parent folder', async () => {
    expect(paths(await streamed(anna, selection(['/a/empty'])))).toEqual(['empty/']);
    expect(paths(await streamed(anna, selection(['/a/b/one.txt'])))).toEqual(['one.txt']);
    expect(paths(await streamed(anna, selection(['/a/b/one.txt', '/a/b/deep'], { parent: '/a' })))).toEqual([
      'b/one.txt',
      'b/deep/',
      'b/deep/two.bin',
    ]);
    expect(paths(await streamed(anna, selection(['/a/b'], { parent: '/a/b' })))[0]).toBe('b/');
  });

  it('what is chosen twice, or lies in a chosen folder, is there once', async () => {
    expect(paths(await streamed(anna, selection(['/a/b/one.txt', '/a/b', '/a/b'])))).toEqual(['b/', 'b/deep/', 'b/deep/two.bin', 'b/one.txt']);
  });

  it('equal names from two folders get a number', async () => {
    await upload(anna, ['other', 'one.txt'], 'second');
    const entries = await streamed(anna, selection(['/a/b/one.txt', '/other/one.txt']));
    expect(entries.map((entry) => [entry.path, entry.content.toString()])).toEqual([
      ['one.txt', 'one'],
      ['one (1).txt', 'second'],
    ]);
  });

  it('an empty home is a valid archive without entries', async () => {
    expect(await streamed(await account(), selection(['/']))).toEqual([]);
  });

  it('torture names come out as they are, and safe for Windows when asked', async () => {
    const ben = await account();
    const names = tortureNames(220, 5).filter((name) => !mustBeRefused(name));
    for (const name of names) await upload(ben, ['t', name], 'x').catch(() => undefined);
    const rows = await database.query<{ name: string }>(`SELECT name FROM nodes WHERE author_id = $1 AND kind = 'file'`, [ben.accountId]);
    const stored = rows.map(({ name }) => name);
    expect(stored.length).toBeGreaterThan(100);
    const plain = paths(await streamed(ben, selection(['/t']))).filter((path) => !path.endsWith('/'));
    expect(plain.length).toBe(stored.length);
    // only the separator of Windows is never left in a name
    expect(plain).toEqual(expect.arrayContaining(stored.filter((name) => !name.includes('\\')).map((name) => `t/${name}`)));
    expect(plain.some((path) => path.includes('\\'))).toBe(false);
    const windows = (await streamed(ben, selection(['/t'], { windows: true }))).filter((entry) => !entry.path.endsWith('/'));
    expect(windows.length).toBe(stored.length);
    expect(new Set(windows.map((entry) => entry.path.toLowerCase())).size).toBe(stored.length);
    for (const { path } of windows) expect(path.slice(2)).not.toMatch(/[<>:"|?*\\]|[. ]$|^(con|nul|prn|aux)(\.|$)/i);
  });

  it('the number of statements does not grow with folders', async () => {
    const ben = await account();
    await folder(ben, '/w/0');
    const { privateHash } = await archives.createStream(ben, selection(['/w']));
    const few = await countStatements(() => archives.openStream(privateHash));
    for (let index = 1; index < 60; index++) await folder(ben, `/w/${index}/x/y`);
    const many = await countStatements(() => archives.openStream(privateHash));
    expect(many).toBe(few);
  });
});

describe('links to streams', () => {
  it('end with the token that asked for them', async () => {
    const anna = await account();
    await upload(anna, ['t', 'a.txt'], 'a');
    const tokenId = 'a'.repeat(16);
    await database.run('INSERT INTO auth_tokens (id, account_id, secret_sha256) VALUES ($1, $2, $3)', [tokenId, anna.accountId, randomBytes(32)]);
    const { privateHash } = await archives.createStream({ ...anna, tokenId }, selection(['/t']));
    expect((await archives.openStream(privateHash)).totalBytes).toBeGreaterThan(0);
    await database.run('UPDATE auth_tokens SET remote_wipe = true WHERE id = $1', [tokenId]);
    expect(await codeOf(archives.openStream(privateHash))).toBe('NODE_NOT_FOUND');
    await database.run('UPDATE auth_tokens SET remote_wipe = false WHERE id = $1', [tokenId]);
    expect((await archives.openStream(privateHash)).totalBytes).toBeGreaterThan(0);
    await database.run('DELETE FROM auth_tokens WHERE id = $1', [tokenId]);
    expect(await codeOf(archives.openStream(privateHash))).toBe('NODE_NOT_FOUND');
  });

  it("are for what exists and is one's own", async () => {
    const [anna, ben] = [await account(), await account()];
    await upload(anna, ['mine', 'a.txt'], 'a');
    expect(await codeOf(archives.createStream(ben, selection(['/mine'])))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(archives.createStream(anna, selection(['/mine', '/missing'])))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(archives.createStream(anna, selection([])))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(archives.createStream(anna, selection(['/mine'], { parent: '/mine/a.txt' })))).toBe('NOT_A_FOLDER');
    expect(await codeOf(archives.startBuild(anna, selection(['/missing'])))).toBe('NODE_NOT_FOUND');
    for (const hash of ['', 'x', '0'.repeat(64), "' OR true --"]) expect(await codeOf(archives.openStream(hash))).toBe('NODE_NOT_FOUND');
  });

  it('end with time, with the node, with the account, and are told only to their owner', async () => {
    const [anna, ben] = [await account(), await account()];
    await upload(anna, ['f', 'a.txt'], 'a');
    const { privateHash, fileName, expiresAt } = await archives.createStream(anna, selection(['/f']));
    expect(fileName).toMatch(/^f_\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\+0000\.zip$/);
    expect(await codeOf(archives.progress(ben, privateHash))).toBe('NODE_NOT_FOUND');
    expect(await archives.listProgress(ben)).toEqual([]);
    expect(await archives.progress(anna, privateHash)).toMatchObject({ privateHash, status: 'created', progress: 0, label: '/f' });

    await database.run(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [anna.accountId]);
    expect(await codeOf(archives.openStream(privateHash))).toBe('NODE_NOT_FOUND');
    await database.run(`UPDATE accounts SET state = 'active' WHERE id = $1`, [anna.accountId]);
    await archives.openStream(privateHash);
    await trash(anna, '/f');
    expect(await codeOf(archives.openStream(privateHash))).toBe('NODE_NOT_FOUND');

    await upload(anna, ['g', 'a.txt'], 'a');
    const second = await archives.createStream(anna, selection(['/g']));
    await archives.openStream(second.privateHash);
    clock.offsetMs = expiresAt.getTime() - Date.now() + 60_000;
    try {
      expect(await codeOf(archives.openStream(second.privateHash))).toBe('NODE_NOT_FOUND');
      expect(await codeOf(archives.progress(anna, second.privateHash))).toBe('NODE_NOT_FOUND');
      await archives.createStream(anna, selection(['/g']));
      expect(
        (await database.query('SELECT 1 FROM archive_streams WHERE private_hash = ANY($1::text[])', [[privateHash, second.privateHash]])).length,
      ).toBe(0);
    } finally {
      clock.offsetMs = 0;
    }
  });

  it('resume to the same bytes, and tell when the archive has become another one', async () => {
    const anna = await account();
    for (let index = 0; index < 40; index++) await upload(anna, ['r', `${index % 4}`, `${index}.bin`], randomBytes(index * 9_000));
    const { privateHash } = await archives.createStream(anna, selection(['/r']));
    const first = await archives.openStream(privateHash);
    const whole = await collect(await first.stream());
    await eventually(
      () => archives.progress(anna, privateHash),
      ({ status, progress }) => status === 'completed' && progress === 100,
    );
    for (const start of [1, 1000, 270_000, Math.floor(whole.length / 2), whole.length - 30]) {
      const again = await archives.openStream(privateHash);
      expect([again.etag, again.mayResume, again.totalBytes]).toEqual([first.etag, true, whole.length]);
      const rest = await collect(await again.stream({ start, endInclusive: whole.length - 1 }));
      expect(sha256(whole.subarray(0, start), rest)).toBe(sha256(whole));
    }
    await upload(anna, ['r', '0', '4.bin'], randomBytes(36_000));
    const changed = await archives.openStream(privateHash);
    expect(changed.mayResume).toBe(false);
    expect(changed.etag).not.toBe(first.etag);
  });

  it('stop reading when the client leaves, and say so', async () => {
    const anna = await account();
    await upload(anna, ['big.bin'], randomBytes(12_000_000));
    const { privateHash } = await archives.createStream(anna, selection(['/big.bin']));
    const body: Readable = await (await archives.openStream(privateHash)).stream();
    await new Promise((resolve) => body.once('readable', resolve));
    body.read();
    body.destroy();
    const { progress } = await eventually(
      () => archives.progress(anna, privateHash),
      ({ status }) => status === 'error',
    );
    expect(progress).toBeLessThan(100);
  });

  it('break off when the account is disabled in the middle', async () => {
    const anna = await account();
    await upload(anna, ['big.bin'], randomBytes(12_000_000));
    const { privateHash } = await archives.createStream(anna, selection(['/big.bin']));
    const body = await (await archives.openStream(privateHash)).stream();
    await new Promise((resolve) => body.once('readable', resolve));
    const failed = new Promise<Error>((resolve) => body.once('error', resolve));
    await database.run(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [anna.accountId]);
    expect(await failed).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('break off instead of ending well when an object is damaged', async () => {
    const anna = await account();
    await upload(anna, ['d', 'small.txt'], 'good content');
    const row = await database.queryOne<{ key: string }>(
      `SELECT b.store_key AS key FROM nodes n JOIN blobs b ON b.id = n.blob_id WHERE n.author_id = $1`,
      [anna.accountId],
    );
    const { privateHash } = await archives.createStream(anna, selection(['/d']));
    await store.put(row!.key, Buffer.from('evil content'));
    await expect(collect(await (await archives.openStream(privateHash)).stream())).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
    await store.delete(row!.key);
    await expect(collect(await (await archives.openStream(privateHash)).stream())).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });
});

describe('built archives', () => {
  /** Runs the task as a worker would, keeping its checkpoint; `look` is called at every sign of progress. */
  async function build(publicId: string, look: (percent: number) => void = () => undefined, isCancelled = () => false): Promise<ArchiveBuildResult> {
    const row = await database.queryOne<{ id: string; account_id: number; input: never; checkpoint: never }>(
      'SELECT id, account_id, input, checkpoint FROM tasks WHERE public_id = $1',
      [publicId],
    );
    const context: TaskContext = {
      taskId: row!.id,
      accountId: row!.account_id,
      guest: null,
      checkpoint: row!.checkpoint,
      signal: new AbortController().signal,
      saveProgress: async (percent, checkpoint) => {
        if (checkpoint) await database.run('UPDATE tasks SET checkpoint = $2::jsonb WHERE id = $1', [row!.id, JSON.stringify(checkpoint)]);
        look(percent);
      },
      throwIfCancelled: () => (isCancelled() ? Promise.reject(new TaskCancelledError('cancelled')) : Promise.resolve()),
    };
    const task: TaskHandler<never> = service(ArchiveBuildTask);
    return (await task.run(row!.input, context)) as ArchiveBuildResult;
  }

  const derived = (actor: AccountActor) =>
    database.query<{ store_key: string; ready: boolean; expires_at: Date }>(
      'SELECT store_key, ready, expires_at FROM derived_objects WHERE account_id = $1',
      [actor.accountId],
    );

  it('deflate what compresses, store the rest, and are noted before they are written', async () => {
    const anna = await account();
    await upload(anna, ['x', 'text.txt'], 'lorem ipsum '.repeat(50_000));
    await upload(anna, ['x', 'photo.jpg'], Buffer.alloc(300_000, 'a'));
    const { publicId } = await archives.startBuild(anna, selection(['/x']));
    let noted = 0;
    const result = await build(publicId, (percent) => percent === 0 && noted++);
    expect(noted).toBe(1);
    const entries = await extract(await collect(await store.getRange(result.storeKey)));
    expect(entries.map((entry) => [entry.path, entry.method, entry.content.length])).toEqual([
      ['x/', 0, 0],
      ['x/photo.jpg', 0, 300_000],
      ['x/text.txt', 8, 600_000],
    ]);
    expect(result.sizeBytes).toBeLessThan(320_000);
    expect(await derived(anna)).toMatchObject([{ store_key: result.storeKey, ready: true }]);
  });

  it('a run after a broken one uses the same object; cancelling gives it up', async () => {
    const anna = await account();
    await upload(anna, ['y.bin'], randomBytes(3_000_000));
    const { publicId } = await archives.startBuild(anna, selection(['/y.bin']));
    await expect(
      build(
        publicId,
        () => undefined,
        () => {
          throw new Error('killed');
        },
      ),
    ).rejects.toThrow('killed');
    const [unfinished] = await derived(anna);
    expect(unfinished?.ready).toBe(false);
    const result = await build(publicId);
    expect(result.storeKey).toBe(unfinished?.store_key);
    expect((await derived(anna)).length).toBe(1);

    const second = await archives.startBuild(anna, selection(['/y.bin']));
    await expect(
      build(
        second.publicId,
        () => undefined,
        () => true,
      ),
    ).rejects.toThrow(TaskCancelledError);
    await service(StoreJanitor).expireDerived();
    expect((await derived(anna)).map((row) => row.store_key)).toEqual([result.storeKey]);
  });

  it('ask for permission again when they are built', async () => {
    const anna = await account();
    await upload(anna, ['z', 'a.txt'], 'a');
    const { publicId } = await archives.startBuild(anna, selection(['/z']));
    await trash(anna, '/z');
    await expect(build(publicId)).rejects.toMatchObject({ code: 'NODE_NOT_FOUND' });
    const disabled = await account();
    await upload(disabled, ['z', 'a.txt'], 'a');
    const other = await archives.startBuild(disabled, selection(['/z']));
    await database.run(`UPDATE accounts SET state = 'disabled' WHERE id = $1`, [disabled.accountId]);
    await expect(build(other.publicId)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
