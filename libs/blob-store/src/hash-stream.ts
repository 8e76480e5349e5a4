import type { Readable } from 'node:stream';
import type { StoredBlob } from './blob-store.js';
import { hashInline, type HashPool, INLINE_HASH_BYTES } from './hash-pool.js';
import { SlabReader } from './slab-reader.js';

/** Size and hashes of everything `source` brings. */
export async function hashStream(pool: HashPool, source: Readable): Promise<StoredBlob> {
  const reader = new SlabReader(source, { slabBytes: 1024 * 1024, slabs: 4, smallBytes: INLINE_HASH_BYTES });
  try {
    const small = await reader.small();
    if (small !== null) return { sizeBytes: small.length, ...hashInline(small) };
    const run = pool.open();
    try {
      const working: Promise<void>[] = [];
      for (let slab = await reader.next(); slab !== null; slab = await reader.next()) {
        const current = slab;
        if (working.length === 3) await working.shift();
        const hashed = run.update(current.memory, current.length).then(() => reader.release(current));
        hashed.catch((error: Error) => reader.fail(error));
        working.push(hashed);
      }
      await Promise.all(working);
      return { sizeBytes: reader.receivedBytes, ...(await run.digest()) };
    } catch (error) {
      run.drop();
      throw error;
    }
  } finally {
    reader.detach();
    source.destroy();
  }
}
