import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AccountActor } from '#libs/kernel';
import { VersionService } from '#libs/versions';

import { type BytesHarness, codeOf, startBytes } from './bytes-harness.js';

let h: BytesHarness;
let actor: AccountActor;
let versions: VersionService;

beforeAll(async () => {
  h = await startBytes();
  actor = await h.account();
  versions = h.app.get(VersionService);
});
afterAll(() => h?.close());

describe('versions', () => {
  it('are listed newest first, by pages, and ascending from the one a client has', async () => {
    for (const text of ['1', '22', '333']) await h.upload(actor, '/v.txt', text, { overwrite: true, clientModifiedMs: text.length });
    const node = { path: ['v.txt'] };
    const all = await versions.list(actor, { node, skip: 0, limit: 0 });
    expect(all.map((v) => [v.no, v.sizeBytes, v.origin, v.clientModifiedMs])).toEqual([
      [3, 3, 'upload', 3],
      [2, 2, 'upload', 2],
      [1, 1, 'upload', 1],
    ]);
    expect((await versions.list(actor, { node, skip: 1, limit: 1 })).map((v) => v.no)).toEqual([2]);
    expect((await versions.toUpdate(actor, { node, versionNo: 1 })).map((v) => v.no)).toEqual([2, 3]);
    expect(await versions.toUpdate(actor, { node, versionNo: 3 })).toEqual([]);
    expect(await codeOf(versions.toUpdate(actor, { node, versionNo: 4 }))).toBe('VERSION_NOT_FOUND');
    expect(await codeOf(versions.list(actor, { node, skip: -1, limit: 0 }))).toBe('INVALID_ARGUMENT');
  });

  it('come back as a new version with the same bytes and dates, charged to the quota', async () => {
    const own = await h.account({ limitBytes: 10 });
    await h.upload(own, '/r.bin', 'aaaa', { clientModifiedMs: 1000, clientCreatedMs: -5 });
    const before = await h.upload(own, '/r.bin', 'bb', { overwrite: true, clientModifiedMs: 2000 });
    const restored = await versions.restore(own, { node: { path: ['r.bin'] }, versionNo: 1 });
    expect(restored).toMatchObject({ id: before.id, path: '/r.bin', versionNo: 3, sizeBytes: 4, clientModifiedMs: 1000, clientCreatedMs: -5 });
    expect(await h.quota(own)).toMatchObject({ usedBytes: 10, reservedBytes: 0 });
    const [newest, , oldest] = await versions.list(own, { node: { id: before.id }, skip: 0, limit: 0 });
    expect(newest).toMatchObject({ origin: 'restore', blobId: oldest!.blobId, restoredFromAtMs: oldest!.createdAtMs });
    expect(await codeOf(versions.restore(own, { node: { id: before.id }, versionNo: 2 }))).toBe('QUOTA_EXCEEDED');
    expect(await h.quota(own)).toMatchObject({ usedBytes: 10, reservedBytes: 0 });
    expect(await codeOf(versions.restore(own, { node: { id: before.id }, versionNo: 9 }))).toBe('VERSION_NOT_FOUND');
    expect(await codeOf(versions.restore(actor, { node: { id: before.id }, versionNo: 1 }))).toBe('NODE_NOT_FOUND');
    const folder = await h.database.queryOne('SELECT child_files, child_bytes FROM nodes WHERE id = $1', [before.parentId]);
    expect(folder).toEqual({ child_files: 1, child_bytes: 4 });
  });

  it('restored by many at once are all made, one after the other', async () => {
    await h.upload(actor, '/many', 'x');
    const nodes = await Promise.all(Array.from({ length: 12 }, () => versions.restore(actor, { node: { path: ['many'] }, versionNo: 1 })));
    expect(nodes.map((node) => node.versionNo).sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i + 2));
  });

  it('of a folder or of nothing are refused', async () => {
    await h.upload(actor, '/folder/x', 'x');
    expect(await codeOf(versions.list(actor, { node: { path: ['folder'] }, skip: 0, limit: 0 }))).toBe('NOT_A_FILE');
    expect(await codeOf(versions.list(actor, { node: { path: ['nothing'] }, skip: 0, limit: 0 }))).toBe('NODE_NOT_FOUND');
  });
});
