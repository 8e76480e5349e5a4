import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DiffService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import { VersionService } from '#libs/versions';

import { type BytesHarness, codeOf, segments, startBytes } from './bytes-harness.js';

let h: BytesHarness;
let actor: AccountActor;
let diffs: DiffService;

beforeAll(async () => {
  h = await startBytes();
  actor = await h.account();
  diffs = h.app.get(DiffService);
});
afterAll(() => h?.close());

const hex = (body: Buffer): string => crc32(body).toString(16);

async function read(url: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await h.store.getRange(new URL(url).pathname.replace('/blobs/', ''))) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A delta between two contents, made by the server itself from two versions of a scratch file. */
async function deltaOf(from: Buffer, to: Buffer): Promise<Buffer> {
  const path = `/scratch ${randomBytes(4).toString('hex')}`;
  await h.upload(actor, path, from);
  await h.upload(actor, path, to, { overwrite: true });
  return read((await diffs.getDiff(actor, { node: { path: segments(path) }, fromVersionNo: 1 })).url);
}

describe('a delta', () => {
  const base = randomBytes(100_000);
  const next = Buffer.concat([base.subarray(0, 40_000), Buffer.from('changed'), base.subarray(40_100)]);

  it('makes a new version of the right bytes, once, and leaves no delta behind', async () => {
    await h.upload(actor, '/doc.bin', base);
    const before = await h.quota(actor);
    const delta = await deltaOf(base, next);
    expect(delta.length).toBeLessThan(200);
    const opened = await diffs.createFromDiff(actor, { path: ['doc.bin'], versionNo: 1, baseCrc32: hex(base), clientModifiedMs: 77 });
    const command = { accountId: actor.accountId, tempName: opened.tempName, actor };
    expect(await codeOf(diffs.confirmFromDiff(command))).toBe('UPLOAD_INCOMPLETE');
    await h.put(opened.tempName, delta);
    expect(await codeOf(h.confirms.confirm(command))).toBe('UPLOAD_NOT_FOUND');
    const node = await diffs.confirmFromDiff(command);
    expect(node).toMatchObject({ path: '/doc.bin', versionNo: 2, sizeBytes: next.length, clientModifiedMs: 77 });
    expect(await diffs.confirmFromDiff(command)).toMatchObject({ id: node.id, versionNo: 2 });
    const [version] = await h.app.get(VersionService).list(actor, { node: { id: node.id }, skip: 0, limit: 1 });
    expect(version).toMatchObject({ origin: 'diff', diffBytes: delta.length, sizeBytes: next.length });
    const row = await h.database.queryOne<{ store_key: string }>('SELECT store_key FROM blobs WHERE id = $1', [version!.blobId]);
    const bytes = await read(`http://x/blobs/${row!.store_key}`);
    expect(bytes.equals(next)).toBe(true);
    const after = await h.quota(actor);
    expect(after.usedBytes - before.usedBytes).toBe(base.length + next.length + next.length);
    expect(after.reservedBytes).toBe(0);
    await h.janitor.deleteTombstones();
    expect(await h.storedKeys()).toEqual(await h.ledgerKeys());
  });

  it('is refused when its base differs, is gone or is not current any more', async () => {
    const delta = await deltaOf(base, next);
    const node = await h.upload(actor, '/other.bin', base);
    const create = (over: object) => diffs.createFromDiff(actor, { path: ['other.bin'], versionNo: 1, baseCrc32: hex(base), ...over });
    expect(await codeOf(create({ baseCrc32: '1' }))).toBe('VERSION_CONFLICT');
    expect(await codeOf(create({ baseCrc32: 'xyz' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(create({ versionNo: 9 }))).toBe('DIFF_BASE_GONE');
    expect(await codeOf(create({ versionNo: -1 }))).toBe('VERSION_INVALID');
    expect(await codeOf(create({ path: ['nothing'] }))).toBe('NODE_NOT_FOUND');
    const { tempName } = await create({});
    await h.put(tempName, delta);
    await h.upload(actor, '/other.bin', 'meanwhile', { overwrite: true });
    const command = { accountId: actor.accountId, tempName, actor };
    expect(await codeOf(diffs.confirmFromDiff(command))).toBe('NAME_TAKEN');
    expect(await codeOf(create({}))).toBe('NAME_TAKEN');
    await h.database.run('DELETE FROM versions WHERE node_id = $1 AND no = 1', [node.id]);
    expect(await codeOf(diffs.confirmFromDiff(command))).toBe('DIFF_BASE_GONE');
  });

  it('that is damaged or makes more than the quota holds changes nothing', async () => {
    const poor = await h.account({ limitBytes: 150_000 });
    await h.upload(poor, '/p', base);
    const command = { path: ['p'], versionNo: 1, baseCrc32: hex(base) };
    const tooMuch = await deltaOf(base, Buffer.concat([base, base]));
    const opened = await diffs.createFromDiff(poor, command);
    const confirm = () => diffs.confirmFromDiff({ accountId: poor.accountId, tempName: opened.tempName, actor: poor });
    await h.put(opened.tempName, tooMuch);
    expect(['TOO_LARGE', 'QUOTA_EXCEEDED']).toContain(await codeOf(confirm()));
    await h.put(opened.tempName, Buffer.from('no delta at all'));
    expect(await codeOf(confirm())).toBe('INVALID_ARGUMENT');
    expect(await h.quota(poor)).toMatchObject({ usedBytes: base.length, reservedBytes: 15 });
  });
});
