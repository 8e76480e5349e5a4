import { randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ContentIdJobsModule, contentIdOf, ContentIds, ContentIdsModule, MakeContentIdsJob } from '#libs/content-ids';
import { CopyService, DownloadService, FileIntake, FolderService, type IntakeTap, TreeModule } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import { Limiter } from '#libs/limiter';
import type { LocatedNode } from '#libs/nodes';
import { PreviewJobsModule, PreviewScan } from '#libs/previews';
import { Sealing, SealingModule } from '#libs/sealing';

import { countStatements } from '../support/statement-count.js';
import { type BytesHarness, codeOf, startBytes } from './bytes-harness.js';

const PASSPHRASE = 'Passw0rd!';
const MIB = 1024 * 1024;
const NOBODY = new AbortController().signal;

let bytes: BytesHarness;
let intake: FileIntake;
let contentIds: ContentIds;
let sealing: Sealing;
let downloads: DownloadService;

const service = <T>(type: abstract new (...args: never[]) => T): T => bytes.app.get<T>(type, { strict: false });
const make = (signal = NOBODY) => service(MakeContentIdsJob).handle({}, { signal });
const idOf = async (content: Buffer) => (await contentIdOf(Readable.from([content]))).cid;
const waiting = () => bytes.database.query<{ attempts: number }>('SELECT attempts FROM content_ids WHERE cid IS NULL');

beforeAll(async () => {
  bytes = await startBytes({}, undefined, [ContentIdsModule, ContentIdJobsModule, SealingModule, PreviewJobsModule, TreeModule]);
  [intake, contentIds, sealing, downloads] = [service(FileIntake), service(ContentIds), service(Sealing), service(DownloadService)];
});
afterAll(() => bytes?.close());

const folderOf = (actor: AccountActor, name: string) => service(FolderService).create(actor, { path: [name], createParents: true });
const body = (content: Buffer) => Readable.from([content.subarray(0, 100), content.subarray(100)], { objectMode: false });

async function bring(actor: AccountActor, target: LocatedNode, name: string, content: Buffer, taps: readonly IntakeTap[]): Promise<LocatedNode> {
  const arrived = await intake.take(actor, { target, name, body: body(content), sizeBytes: null, taps });
  return (await intake.confirm(actor, [arrived]))[0]!;
}

const copyOf = (actor: AccountActor, { id }: LocatedNode) =>
  service(CopyService).copy(actor, { source: { id }, targetFolder: { path: [] }, onConflict: 'fail', name: 'copy' });
const versionOf = async (actor: AccountActor, { id }: LocatedNode, versionNo?: number) =>
  (await downloads.open(actor, { node: { id }, versionNo, inline: false, includeRemoved: false })).version;
const stored = async (actor: AccountActor, node: LocatedNode) => buffer(await bytes.store.getRange((await versionOf(actor, node)).storeKey));

describe('ids of contents', () => {
  it('are there with the file that is brought through this process', async () => {
    const actor = await bytes.account({});
    const folder = await folderOf(actor, 'a');
    const content = randomBytes(3 * MIB + 1);
    const tap = contentIds.tap();
    expect(tap.contentId).toBeNull();
    const file = await bring(actor, folder, 'big.bin', content, [tap]);
    const cid = await idOf(content);
    expect(tap.contentId?.cid).toBe(cid);
    expect((await stored(actor, file)).equals(content)).toBe(true);
    expect(await contentIds.of([file.id, folder.id])).toEqual(new Map([[file.id, cid]]));
    const links = await contentIds.links(file.id);
    expect(links).toEqual(tap.contentId?.links);
    expect(links?.map(({ sizeBytes }) => sizeBytes)).toEqual([...Array.from({ length: 12 }, () => MIB / 4), 1]);
    expect(await waiting()).toEqual([]);
  });

  it('are computed by a worker for what came by other ways, once somebody asks', async () => {
    const actor = await bytes.account({});
    const content = randomBytes(MIB);
    const [one, two] = [await bytes.upload(actor, '/one', content), await bytes.upload(actor, '/two', '')];
    const copy = await copyOf(actor, one);
    await make();
    expect(await waiting()).toEqual([]);
    const ids = [one.id, two.id];
    expect(await contentIds.of(ids)).toEqual(new Map());
    expect(await waiting()).toHaveLength(2);
    expect(await contentIds.links(one.id)).toBeNull();
    // the second question asks nobody, nor does that for a copy, which has the same content
    expect(await countStatements(() => contentIds.of([...ids, copy.id]))).toBe(1);
    await Promise.all([make(), make()]);
    expect(await contentIds.of([...ids, copy.id])).toEqual(
      new Map([
        [one.id, await idOf(content)],
        [two.id, await idOf(Buffer.alloc(0))],
        [copy.id, await idOf(content)],
      ]),
    );
    expect(await contentIds.links(two.id)).toEqual([]);
    expect(await contentIds.links(one.id)).toHaveLength(4);
  });

  it('take as many statements for many files as for one', async () => {
    const actor = await bytes.account({});
    const files: string[] = [];
    for (let at = 0; at < 21; at++) files.push((await bytes.upload(actor, `/${at}`, `content ${at}`)).id);
    const first = await countStatements(() => contentIds.of(files.slice(0, 1)));
    expect(await countStatements(() => contentIds.of(files))).toBe(first);
    expect(first).toBeLessThanOrEqual(3);
    expect(await countStatements(() => contentIds.of([]))).toBe(0);
    await make();
    expect((await contentIds.of(files)).size).toBe(files.length);
  });

  it('of bytes that are missing, or whose worker died, stop no others and are tried again', async () => {
    const actor = await bytes.account({});
    const [lost, fine, left] = [
      await bytes.upload(actor, '/lost', 'lost'),
      await bytes.upload(actor, '/fine', 'fine'),
      await bytes.upload(actor, '/left', 'x'),
    ];
    const { storeKey } = await versionOf(actor, lost);
    await bytes.store.delete(storeKey);
    await contentIds.of([lost.id, fine.id, left.id]);
    await bytes.database.run(
      `UPDATE content_ids SET lease_until = now() + interval '5 minutes', attempts = 1 WHERE blob_id = (SELECT blob_id FROM nodes WHERE id = $1)`,
      [left.id],
    );
    await make();
    expect([...(await contentIds.of([lost.id, fine.id, left.id])).keys()]).toEqual([fine.id]);
    for (let attempt = 0; attempt < 6; attempt++) {
      bytes.clock.offsetMs += 6 * 60_000;
      await make();
    }
    expect([...(await contentIds.of([lost.id, left.id])).keys()]).toEqual([left.id]);
    expect(await waiting()).toEqual([{ attempts: 5 }]);
    await bytes.database.run('DELETE FROM content_ids WHERE cid IS NULL');
  });

  it('of large contents keep none of the small ones waiting', async () => {
    const actor = await bytes.account({});
    const files: LocatedNode[] = [];
    for (const name of ['one', 'two', 'three', 'small']) files.push(await bytes.upload(actor, `/${name}`, name));
    const ids = files.map(({ id }) => id);
    await contentIds.of(ids);
    // as if they were large, and two of them in work
    const blobs = await Promise.all(files.slice(0, 3).map(async (file) => (await versionOf(actor, file)).blobId));
    await bytes.database.run('UPDATE blobs SET size_bytes = 2::bigint ^ 31 WHERE id = ANY($1::uuid[])', [blobs]);
    const lease = new Date(bytes.clock.nowMs() + 60_000);
    await bytes.database.run('UPDATE content_ids SET lease_until = $2 WHERE blob_id = ANY($1::uuid[])', [blobs.slice(0, 2), lease]);
    await make();
    expect([...(await contentIds.of(ids)).keys()]).toEqual(ids.slice(3));
    bytes.clock.offsetMs += 61_000;
    await make();
    expect((await contentIds.of(ids)).size).toBe(4);
  });

  it('are not begun by a worker that ends, and not counted against the content', async () => {
    const actor = await bytes.account({});
    const file = await bytes.upload(actor, '/file', randomBytes(2 * MIB));
    await contentIds.of([file.id]);
    const ending = new AbortController();
    const getRange = bytes.store.getRange.bind(bytes.store);
    bytes.store.getRange = (...asked) => {
      ending.abort(new Error('the worker ends'));
      return getRange(...asked);
    };
    try {
      await expect(make(ending.signal)).rejects.toThrow('the worker ends');
    } finally {
      bytes.store.getRange = getRange;
    }
    expect(await waiting()).toEqual([{ attempts: 0 }]);
    bytes.clock.offsetMs += 61_000;
    await make();
    expect(await waiting()).toEqual([]);
  });
});

describe('files on their way through taps', () => {
  it('meet at one name as they do without', async () => {
    const actor = await bytes.account({});
    const folder = await folderOf(actor, 'a');
    const contents = Array.from({ length: 6 }, (_, at) => Buffer.from(`content ${at}`));
    const files = await Promise.all(contents.map((content) => bring(actor, folder, 'same.txt', content, [contentIds.tap()])));
    expect(new Set(files.map(({ id }) => id)).size).toBe(1);
    const last = await stored(actor, files[0]!);
    expect((await contentIds.of([files[0]!.id])).get(files[0]!.id)).toBe(await idOf(last));
    const kept = await bytes.database.query(`SELECT 1 FROM versions v JOIN content_ids c USING (blob_id) WHERE v.node_id = $1`, [files[0]!.id]);
    expect(kept).toHaveLength(6);
  });

  it('are not made when a tap cannot keep what it knows', async () => {
    const actor = await bytes.account({});
    const folder = await folderOf(actor, 'a');
    const failing = (): IntakeTap => ({ stream: new PassThrough(), made: () => Promise.reject(new Error('not kept')) });
    await expect(bring(actor, folder, 'one.txt', Buffer.from('x'), [contentIds.tap(), failing()])).rejects.toThrow('not kept');
    expect(await bytes.database.query('SELECT 1 FROM nodes WHERE parent_id = $1', [folder.id])).toEqual([]);
  });

  it('leave nothing when their body breaks off, and drain what was not read', async () => {
    const actor = await bytes.account({});
    const folder = await folderOf(actor, 'a');
    // before anybody has read of it, and after
    for (const piece of [0, 100_000, 2 * MIB]) {
      const tap = contentIds.tap();
      const source = new PassThrough({ highWaterMark: 4 * MIB });
      source.on('error', () => undefined);
      source.write(randomBytes(1 + piece));
      const arriving = intake.take(actor, { target: folder, name: 'f', body: source, sizeBytes: null, taps: [await sealing.tap(PASSPHRASE), tap] });
      if (piece === 0) source.destroy(new Error('cut off'));
      else tap.stream.once('data', () => source.destroy(new Error('cut off')));
      await expect(arriving).rejects.toThrow('cut off');
      expect(tap.contentId).toBeNull();
    }

    const small = await bytes.account({ limitBytes: 1000 });
    const target = await folderOf(small, 'a');
    const large = Readable.from(
      Array.from({ length: 64 }, () => randomBytes(64 * 1024)),
      { objectMode: false },
    );
    const refused = intake.take(small, { target, name: 'f', body: large, sizeBytes: null, taps: [await sealing.tap(PASSPHRASE), contentIds.tap()] });
    // as the reader of a form does it
    refused.catch(() => large.resume());
    expect(await codeOf(refused)).toBe('QUOTA_EXCEEDED');
    await finished(large);
    expect((await bytes.quota(small)).usedBytes).toBe(0);
  });
});

describe('sealed files', () => {
  const open = async (
    actor: AccountActor,
    node: LocatedNode,
    passphrase: string | undefined = PASSPHRASE,
    address = '192.0.2.1',
    versionNo?: number,
  ) => {
    const unsealed = await sealing.open(await versionOf(actor, node, versionNo), passphrase, address);
    return unsealed && buffer(unsealed.body);
  };
  const seal = async (actor: AccountActor, target: LocatedNode, name: string, content: Buffer) =>
    bring(actor, target, name, content, [await sealing.tap(PASSPHRASE)]);

  it('are as large as before, named by what is stored, and open with their passphrase', async () => {
    const actor = await bytes.account({});
    const folder = await folderOf(actor, 'a');
    for (const content of [Buffer.alloc(0), Buffer.from('plain text'), randomBytes(300_001)]) {
      const tap = contentIds.tap();
      const file = await bring(actor, folder, `${content.length}.txt`, content, [await sealing.tap(PASSPHRASE), tap]);
      expect(file.sizeBytes).toBe(content.length);
      const kept = await stored(actor, file);
      expect(kept.length).toBe(content.length);
      if (content.length > 0) expect(kept.equals(content)).toBe(false);
      expect(tap.contentId?.cid).toBe(await idOf(kept));
      expect(await open(actor, file)).toEqual(content);
    }
    expect((await bytes.quota(actor)).usedBytes).toBe(300_011);
    const file = await seal(actor, folder, 'x', Buffer.from('x'));
    await expect(open(actor, file, '')).rejects.toMatchObject({ code: 'PASSPHRASE_WRONG', details: { reason: 'PassphraseRequired' } });
    await expect(open(actor, file, 'nothing')).rejects.toMatchObject({ code: 'PASSPHRASE_WRONG', details: { reason: 'WrongPassphrase' } });
    expect(await codeOf(sealing.tap('password'))).toBe('INVALID_ARGUMENT');
  });

  it('may be sealed after their bytes have come, which leaves nothing of these', async () => {
    const actor = await bytes.account({});
    const folder = await folderOf(actor, 'a');
    const [content, before] = [randomBytes(200_000), await bytes.storedKeys()];
    const plain = await intake.take(actor, { target: folder, name: 'late', body: body(content), sizeBytes: null, taps: [contentIds.tap()] });
    const tap = contentIds.tap();
    const [file] = await intake.confirm(actor, [await intake.again(plain, [await sealing.tap(PASSPHRASE), tap])]);
    expect(await bytes.storedKeys()).toHaveLength(before.length + 1);
    expect(tap.contentId?.cid).toBe(await idOf(await stored(actor, file!)));
    expect((await open(actor, file!))?.equals(content)).toBe(true);
    const large = await intake.take(actor, { target: folder, name: 'large', body: body(Buffer.alloc(50 * MIB + 1)), sizeBytes: null });
    expect(await codeOf(intake.again(large, [await sealing.tap(PASSPHRASE)]))).toBe('TOO_LARGE');
  });

  it('are sealed in copies and old versions too, and not in new ones', async () => {
    const actor = await bytes.account({});
    const folder = await folderOf(actor, 'a');
    const content = Buffer.from('the first content');
    const file = await seal(actor, folder, 'file', content);
    const copy = await copyOf(actor, file);
    expect(await sealing.of([file.id, copy.id, folder.id])).toEqual(new Set([file.id, copy.id]));
    expect(await open(actor, copy)).toEqual(content);
    await bytes.upload(actor, '/a/file', 'not sealed', { overwrite: true });
    expect(await sealing.of([file.id, copy.id])).toEqual(new Set([copy.id]));
    expect(await open(actor, file)).toBeNull();
    expect(await sealing.isSealed(await versionOf(actor, file))).toBe(false);
    expect(await sealing.isSealed(await versionOf(actor, file, 1))).toBe(true);
    expect(await open(actor, file, PASSPHRASE, '192.0.2.1', 1)).toEqual(content);
  });

  it('get no previews, however they are called', async () => {
    const actor = await bytes.account({});
    const folder = await folderOf(actor, 'a');
    await service(PreviewScan).run();
    await seal(actor, folder, 'sealed.jpg', randomBytes(100));
    expect(await service(PreviewScan).run()).toBe(0);
    await bytes.upload(actor, '/a/plain.jpg', randomBytes(100));
    expect(await service(PreviewScan).run()).toBe(1);
  });

  it('may have 50 MiB before they are sealed', async () => {
    const actor = await bytes.account({});
    const folder = await folderOf(actor, 'a');
    const content = Buffer.alloc(50 * MIB + 1);
    const file = await seal(actor, folder, 'most', content.subarray(1));
    expect(file.sizeBytes).toBe(50 * MIB);
    expect((await open(actor, file))?.equals(content.subarray(1))).toBe(true);
    await expect(seal(actor, folder, 'more', content)).rejects.toMatchObject({ code: 'TOO_LARGE', details: { maxBytes: 50 * MIB } });
  });

  it('tell a changed byte before the first one is given', async () => {
    const actor = await bytes.account({});
    const file = await seal(actor, await folderOf(actor, 'a'), 'file', randomBytes(5000));
    const { storeKey } = await versionOf(actor, file);
    const changed = await buffer(await bytes.store.getRange(storeKey));
    changed[4999]! ^= 1;
    await bytes.store.put(storeKey, changed);
    expect(await codeOf(open(actor, file))).toBe('PASSPHRASE_WRONG');
    await bytes.store.delete(storeKey);
    expect(await codeOf(open(actor, file))).toBe('STORAGE_UNAVAILABLE');
  });

  it('take ten wrong passphrases from one address, and any number of right ones', async () => {
    const actor = await bytes.account({});
    const file = await seal(actor, await folderOf(actor, 'a'), 'file', Buffer.from('content'));
    const right = await Promise.all(Array.from({ length: 15 }, () => open(actor, file)));
    expect(right.every((content) => content?.toString() === 'content')).toBe(true);
    // eight tries have failed before; each costs time and memory, so they are not made here
    const { blobId } = await versionOf(actor, file);
    for (let at = 0; at < 8; at++) await service(Limiter).take(`sealed:${blobId}:192.0.2.2`, 10, 15 * 60_000);
    const codes = await Promise.all(Array.from({ length: 4 }, (_, at) => codeOf(open(actor, file, `Wrong-${at}`, '192.0.2.2'))));
    expect(codes.sort()).toEqual(['PASSPHRASE_WRONG', 'PASSPHRASE_WRONG', 'RATE_LIMITED', 'RATE_LIMITED']);
    // the right one is known by now, and other addresses have their own tries
    expect((await open(actor, file, PASSPHRASE, '192.0.2.2'))?.toString()).toBe('content');
    expect(await codeOf(open(actor, file, 'Wrong-0', '192.0.2.3'))).toBe('PASSPHRASE_WRONG');
  });

  it('end with their content', async () => {
    const actor = await bytes.account({});
    const folder = await folderOf(actor, 'a');
    const file = await bring(actor, folder, 'file', Buffer.from('x'), [await sealing.tap(PASSPHRASE), contentIds.tap()]);
    const { blobId } = await versionOf(actor, file);
    const rows = () =>
      bytes.database.query('SELECT 1 FROM sealed_blobs WHERE blob_id = $1 UNION ALL SELECT 1 FROM content_ids WHERE blob_id = $1', [blobId]);
    expect(await rows()).toHaveLength(2);
    await bytes.database.run('DELETE FROM versions WHERE blob_id = $1', [blobId]);
    await bytes.database.run('DELETE FROM nodes WHERE id = $1', [file.id]);
    await bytes.database.run('INSERT INTO blob_candidates (blob_id, due_at) VALUES ($1, now()) ON CONFLICT (blob_id) DO UPDATE SET due_at = now()', [
      blobId,
    ]);
    await bytes.janitor.collectBlobs();
    expect(await rows()).toHaveLength(0);
  });
});
