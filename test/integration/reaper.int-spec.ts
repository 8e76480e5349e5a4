import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { UnitOfWork } from '#libs/database';
import type { AccountActor } from '#libs/kernel';
import { BlobRepository, negated, totalBytes, VersionRepository } from '#libs/nodes';

import { type BytesHarness, startBytes } from './bytes-harness.js';

const DAY_MS = 86_400_000;
let h: BytesHarness;

beforeAll(async () => {
  h = await startBytes();
});
afterAll(() => h?.close());

/** A small generator with a seed, so that a failing run can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** What the purge of a file comes to: versions, rows, counters and quota in one transaction. */
async function erase(actor: AccountActor, nodeId: string): Promise<void> {
  const versions = h.app.get(VersionRepository);
  await h.app.get(UnitOfWork).run(async () => {
    const row = await h.database.queryOne<{ parent_id: string }>('SELECT parent_id FROM nodes WHERE id = $1 FOR UPDATE', [nodeId]);
    if (!row) return;
    const { freed } = await versions.deleteOf([nodeId], new Date(h.clock.nowMs() + 1000));
    await h.database.run('DELETE FROM nodes WHERE id = $1', [nodeId]);
    await h.quotas.add(actor.accountId, negated(freed));
    expect(totalBytes(freed)).toBeGreaterThanOrEqual(0);
  });
}

async function sweep(): Promise<void> {
  await h.janitor.reapUploads();
  await h.janitor.collectBlobs();
  await h.janitor.deleteTombstones();
  await h.janitor.sweepStore();
}

async function multiparts(): Promise<string[]> {
  const found: string[] = [];
  for await (const { uploadId } of h.store.listMultiparts()) found.push(uploadId);
  return found;
}

async function oneRandomUpload(actor: AccountActor, roll: () => number, erased: string[]): Promise<void> {
  const path = `/f${Math.floor(roll() * 20)}/n${Math.floor(roll() * 300)}`;
  const body = Buffer.alloc(Math.floor(roll() * 200), Math.floor(roll() * 256));
  const multipart = roll() < 0.2;
  const tempName = await h.create(actor, path, { overwrite: roll() < 0.7, multipart, ...(roll() < 0.5 ? { sizeBytes: body.length } : {}) });
  if (roll() < 0.1) return;
  const key = `uploads/${tempName}`;
  if (multipart) {
    const { url } = await h.uploads.createPart(actor, { tempPath: tempName, partNumber: 1 });
    const parsed = new URL(url);
    if (roll() < 0.7) await h.store.putPart(parsed.pathname.replace('/blobs/', ''), parsed.searchParams.get('upload')!, 1, body);
    if (roll() < 0.3) await h.put(tempName, body);
  } else if (roll() < 0.15) {
    // the sender goes away, with or without the relay noticing
    const slot = await h.gate.open(key, body.length);
    if (roll() < 0.5) await h.store.put(slot.storeKey!, body);
    if (roll() < 0.5) await h.gate.failed(key, slot.storeKey!);
    return;
  } else {
    await Promise.all(Array.from({ length: roll() < 0.2 ? 3 : 1 }, () => h.put(tempName, body).catch(() => undefined)));
  }
  if (roll() < 0.15) return;
  const confirms = Array.from({ length: roll() < 0.2 ? 4 : 1 }, () => h.confirms.confirm({ accountId: actor.accountId, tempName, actor }));
  const [node] = await Promise.all(confirms);
  if (node && roll() < 0.3) {
    erased.push(node.id);
    await erase(actor, node.id);
  }
}

describe('after two thousand uploads that were finished, aborted, raced, forgotten and erased', () => {
  it('the store holds exactly what the ledger knows, nothing is reserved, and use is the sum of all versions', async () => {
    const actor = await h.account({ limitBytes: 10_000_000 });
    const roll = random(20261121);
    const erased: string[] = [];
    let next = 0;
    const codes = new Map<string, number>();
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        while (next++ < 2000) {
          await oneRandomUpload(actor, roll, erased).catch((error: { code?: string }) => {
            // only refusals that a client can act on; anything else is a defect
            if (error.code === undefined) throw error;
            codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
          });
          if (next % 100 === 0) await sweep();
        }
      }),
    );
    const refusals = [...codes.keys()].filter((code) => !['NAME_TAKEN', 'UPLOAD_INCOMPLETE', 'UPLOAD_CLOSED', 'NODE_NOT_FOUND'].includes(code));
    expect(refusals).toEqual([]);
    expect(erased.length).toBeGreaterThan(100);

    h.clock.offsetMs += 2 * DAY_MS;
    await sweep();
    h.clock.offsetMs += DAY_MS;
    await sweep();

    expect(await h.storedKeys()).toEqual(await h.ledgerKeys());
    expect(await h.database.query('SELECT 1 FROM object_tombstones')).toEqual([]);
    expect(await h.database.query('SELECT 1 FROM upload_sessions')).toEqual([]);
    expect(await multiparts()).toEqual([]);
    const sum = await h.database.queryOne<{ bytes: number }>('SELECT coalesce(sum(size_bytes), 0)::bigint AS bytes FROM versions');
    expect(await h.quota(actor)).toMatchObject({ usedBytes: sum!.bytes, reservedBytes: 0 });
    const drift = await h.database.query(`SELECT b.id FROM blobs b WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.blob_id = b.id)`);
    expect(drift).toEqual([]);
    for await (const { key, sizeBytes } of h.store.list()) {
      const blob = await h.database.queryOne<{ size_bytes: number }>('SELECT size_bytes FROM blobs WHERE store_key = $1', [key]);
      expect(sizeBytes).toBe(blob?.size_bytes);
    }
  }, 240_000);
});

describe('the janitor', () => {
  it('lets one object that cannot be deleted wait alone, and says why', async () => {
    const actor = await h.account();
    for (const name of ['bad', 'good']) {
      const tempName = await h.create(actor, `/${name}`);
      await h.put(tempName, Buffer.from(name));
    }
    const [bad] = await h.database.query<{ store_key: string }>(`SELECT store_key FROM upload_sessions WHERE size_bytes = 3`);
    const deleteMany = h.store.deleteMany.bind(h.store);
    h.store.deleteMany = async (keys) => {
      const outcomes = await deleteMany(keys.filter((key) => key !== bad!.store_key));
      return keys.includes(bad!.store_key) ? [...outcomes, { key: bad!.store_key, error: 'disk on fire' }] : outcomes;
    };
    h.clock.offsetMs += 2 * DAY_MS;
    await sweep();
    const rows = await h.database.query('SELECT store_key, attempts, last_error FROM object_tombstones');
    expect(rows).toEqual([{ store_key: bad!.store_key, attempts: 1, last_error: 'disk on fire' }]);
    await sweep();
    expect(await h.database.query('SELECT attempts FROM object_tombstones')).toEqual([{ attempts: 1 }]);
    h.clock.offsetMs += DAY_MS;
    h.store.deleteMany = deleteMany;
    await sweep();
    expect(await h.database.query('SELECT 1 FROM object_tombstones')).toEqual([]);
    expect(await h.storedKeys()).toEqual(await h.ledgerKeys());
  });

  it('keeps a blob that is used again before its time', async () => {
    const actor = await h.account();
    const node = await h.upload(actor, '/kept', 'kept content');
    const [blob] = await h.database.query<{ blob_id: string }>('SELECT blob_id FROM nodes WHERE id = $1', [node.id]);
    await h.app.get(BlobRepository).markCandidates([blob!.blob_id], new Date(h.clock.nowMs()));
    h.clock.offsetMs += 1000;
    expect(await h.janitor.collectBlobs()).toBe(1);
    expect(await h.database.query('SELECT 1 FROM blobs WHERE id = $1', [blob!.blob_id])).toHaveLength(1);
  });
});
