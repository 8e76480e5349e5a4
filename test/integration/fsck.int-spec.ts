import { randomBytes } from 'node:crypto';
import { readdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type FsckOptions, FsckService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import { DerivedObjectRepository } from '#libs/nodes';

import { type BytesHarness, startBytes } from './bytes-harness.js';

let h: BytesHarness;
let actor: AccountActor;
let fsck: FsckService;

beforeAll(async () => {
  h = await startBytes();
  actor = await h.account();
  fsck = h.app.get(FsckService);
});
afterAll(() => h?.close());

function run(options: Partial<FsckOptions> = {}) {
  return fsck.run({ deep: false, quarantine: false, ...options });
}

/** The file of an object, found by its name: the layout below the root is the store's own. */
async function fileOf(key: string): Promise<string> {
  const objects = join(h.root, 'blobs', 'objects');
  const entries = await readdir(objects, { recursive: true });
  const found = entries.find((entry) => entry.endsWith(key.replaceAll('/', '.')));
  if (found === undefined) throw new Error(`no file for ${key}`);
  return join(objects, found);
}

async function makeOld(path: string): Promise<void> {
  const time = new Date(Date.now() - 3 * 86_400_000);
  await utimes(path, time, time);
}

async function keyOf(path: string, body: string): Promise<string> {
  const node = await h.upload(actor, path, body);
  const row = await h.database.queryOne<{ store_key: string }>('SELECT b.store_key FROM blobs b JOIN nodes n ON n.blob_id = b.id WHERE n.id = $1', [
    node.id,
  ]);
  return row!.store_key;
}

describe('fsck', () => {
  it('finds nothing on a healthy instance, whatever is under way', async () => {
    // Everything is said to be old, so that nothing is spared only for being young.
    const list = h.store.list.bind(h.store);
    h.store.list = async function* (prefix) {
      for await (const object of list(prefix)) yield { ...object, lastModifiedMs: 0 };
    };
    let stop = false;
    let uploaded = 0;
    const work = async (worker: number, i: number): Promise<void> => {
      const path = `/load${worker}/${i % 40}`;
      await h.upload(actor, path, randomBytes(50), { overwrite: true, ...(i % 2 ? { sizeBytes: 50 } : {}) });
      if (i % 5 === 0) await h.create(actor, `/load${worker}/left ${i}`, { sizeBytes: 10 });
      if (i % 20 === 0) {
        h.clock.offsetMs += 86_400_000;
        await h.janitor.reapUploads();
      }
      await h.janitor.deleteTombstones();
      uploaded++;
    };
    const load = Array.from({ length: 6 }, async (_, worker) => {
      for (let i = 0; !stop; i++) {
        await work(worker, i).catch((error: { code?: string }) => {
          // the jumps of the clock end uploads of the others
          if (!['UPLOAD_NOT_FOUND', 'UPLOAD_CLOSED', 'UPLOAD_INCOMPLETE'].includes(String(error.code))) throw error;
        });
      }
    });
    for (let round = 0; round < 10 || uploaded < 200; round++) expect((await run({ deep: true, quarantine: true })).findings).toEqual([]);
    stop = true;
    await Promise.all(load);
    h.store.list = list;
    expect(await h.database.query('SELECT 1 FROM quarantined_objects')).toEqual([]);
  });

  it('finds each kind of fault, tells it by name, and spares what is young', async () => {
    const q = (text: string, values: unknown[] = []) => h.database.run(text, values);
    const expected: [string, string | RegExp][] = [];

    const unknownKey = `blobs/zz/${'e'.repeat(32)}`;
    await h.store.put(unknownKey, Buffer.from('nobody knows me'));
    await makeOld(await fileOf(unknownKey));
    expected.push(['unknown-object', unknownKey]);
    const youngKey = `blobs/zz/${'f'.repeat(32)}`;
    await h.store.put(youngKey, Buffer.from('young'));

    const shortKey = await keyOf('/faults/short', 'a long content');
    await truncate(await fileOf(shortKey), 3);
    expected.push(['wrong-size', shortKey]);
    const goneKey = await keyOf('/faults/gone', 'gone');
    await h.store.delete(goneKey);
    expected.push(['missing-object', goneKey]);
    const rottenKey = await keyOf('/faults/rotten', 'bits stay bits');
    await writeFile(await fileOf(rottenKey), 'bits stay bitz');
    expected.push(['wrong-content', rottenKey]);

    const tempName = await h.create(actor, '/faults/lost upload');
    await h.put(tempName, Buffer.from('lost'));
    const session = await h.database.queryOne<{ store_key: string }>('SELECT store_key FROM upload_sessions WHERE temp_name = $1', [tempName]);
    await h.store.delete(session!.store_key);
    expected.push(['missing-upload', session!.store_key]);

    const derived = h.app.get(DerivedObjectRepository);
    const derivedKey = `derived/${'a'.repeat(32)}`;
    const expiresAt = new Date(h.clock.nowMs() + 86_400_000);
    await derived.insert({
      storeKey: derivedKey,
      accountId: actor.accountId,
      kind: 'archive',
      fileName: 'x.zip',
      contentType: 'application/zip',
      expiresAt,
    });
    await derived.markReady(derivedKey, 10);
    expected.push(['missing-derived', derivedKey]);

    const multipartKey = `blobs/zz/${'d'.repeat(32)}`;
    const uploadId = await h.store.createMultipart(multipartKey);
    await makeOld(join(h.root, 'blobs', 'multipart', uploadId, 'key'));
    expected.push(['unknown-multipart', multipartKey]);
    await h.store.createMultipart(`blobs/zz/${'c'.repeat(32)}`);

    const version = await h.upload(actor, '/faults/version', 'version');
    await q(`UPDATE versions SET md5 = $2 WHERE node_id = $1`, [version.id, '0'.repeat(32)]);
    expected.push(['version-mismatch', /^version /], ['file-mismatch', `node ${version.id}`]);
    const current = await h.upload(actor, '/faults/current', 'current');
    await q('UPDATE nodes SET current_version_no = 9 WHERE id = $1', [current.id]);
    expected.push(['file-mismatch', `node ${current.id}`]);

    const unusedKey = `blobs/zz/${'b'.repeat(32)}`;
    await h.store.put(unusedKey, Buffer.from('unused'));
    await q(`INSERT INTO blobs (id, store_key, size_bytes, md5, sha256, crc32) VALUES (gen_random_uuid(), $1, 6, $2, $3, 0)`, [
      unusedKey,
      '0'.repeat(32),
      '0'.repeat(64),
    ]);
    expected.push(['unused-object', unusedKey], ['wrong-content', unusedKey]);

    const other = await h.account();
    const counted = await h.upload(other, '/folder/file', 'x');
    await q('UPDATE nodes SET child_bytes = child_bytes + 1 WHERE id = $1', [counted.parentId]);
    expected.push(['folder-count', `node ${counted.parentId}`]);
    await q(`UPDATE quotas SET used_bytes = used_bytes + 5, reserved_bytes = reserved_bytes + 7 WHERE owner_kind = 'account' AND owner_id = $1`, [
      other.accountId,
    ]);
    expected.push(['quota-use', `account ${other.accountId}`], ['quota-reserve', `account ${other.accountId}`]);
    await q(
      `INSERT INTO object_tombstones (store_key, attempts, last_error, due_at) VALUES ('blobs/zz/stuck', 9, 'disk on fire', now() + interval '1 day')`,
    );
    expected.push(['stuck-deletion', 'blobs/zz/stuck']);

    const told: string[] = [];
    const { findings } = await run({ deep: true, onFinding: (finding) => told.push(finding.kind) });
    const missing = expected.filter(
      ([kind, subject]) => !findings.some((f) => f.kind === kind && (typeof subject === 'string' ? f.subject === subject : subject.test(f.subject))),
    );
    expect(missing).toEqual([]);
    expect(findings.length).toBe(expected.length);
    expect(told.length).toBe(findings.length);
    expect(new Set(findings.map((f) => f.kind)).size).toBeGreaterThanOrEqual(12);

    const before = await h.storedKeys();
    const { findings: again } = await run({ quarantine: true });
    expect(again.find((f) => f.kind === 'unknown-object')?.detail).toContain('set aside as quarantine/');
    const row = await h.database.queryOne<{ store_key: string; found_key: string }>('SELECT store_key, found_key FROM quarantined_objects');
    expect(row!.found_key).toBe(unknownKey);
    const after = await h.storedKeys();
    expect(after).toHaveLength(before.length);
    expect(after).toContain(row!.store_key);
    expect(after).not.toContain(unknownKey);
    await makeOld(await fileOf(row!.store_key));
    expect((await run({ quarantine: true })).findings.filter((f) => f.kind === 'unknown-object')).toEqual([]);
  });
});
