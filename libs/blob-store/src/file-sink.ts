import { closeSync, fsync, openSync, writeSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { DomainError } from '#libs/kernel';
import type { PutOptions, StoredBlob } from './blob-store.js';
import { fileSystemError } from './errors.js';
import { hashInline, type HashPool, type HashRun, INLINE_HASH_BYTES } from './hash-pool.js';
import { SlabReader } from './slab-reader.js';

// Measured: at half the size the messages to the threads cost a third more CPU, at twice the size nothing is gained.
const SLAB_BYTES = 2 * 1024 * 1024;
const SLABS = 8;
/** Dirty bytes after which write-back is started while the rest still arrives, so that the final fsync finds little to do. */
const WRITE_BACK_BYTES = 64 * 1024 * 1024;

/** Up to this size a write to the page cache takes less time than handing it to a thread and back (4 KiB files through the whole api, together with shards made beforehand: 310/s instead of 240/s). */
const WRITE_AT_ONCE_BYTES = 64 * 1024;

const fsyncOf = promisify(fsync);

const NO_HASHES = { md5: '', sha256: '', crc32: 0 };

/** Turns the failure of a disk operation into STORAGE_FULL or STORAGE_UNAVAILABLE. */
export async function disk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw fileSystemError(error);
  }
}

/**
 * Writes a body into the new file `path` and returns when it is on disk (fsync). Hashes are computed meanwhile; with `pool` null they are
 * left empty. On any failure the file is gone again, and an error of the source is rethrown as it is.
 */
export async function writeBody(path: string, body: Readable | Buffer, options: PutOptions, pool: HashPool | null): Promise<StoredBlob> {
  try {
    if (Buffer.isBuffer(body) && body.length <= INLINE_HASH_BYTES) return await writeSmall(path, checked(body, options), pool !== null);
    const source = Buffer.isBuffer(body) ? Readable.from([body], { objectMode: false }) : body;
    const { maxBytes, sizeBytes } = options;
    const reader = new SlabReader(source, { slabBytes: SLAB_BYTES, slabs: SLABS, smallBytes: INLINE_HASH_BYTES, maxBytes, sizeBytes });
    try {
      const small = await reader.small();
      return small === null ? await writeLarge(path, reader, pool) : await writeSmall(path, small, pool !== null);
    } finally {
      reader.detach();
    }
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** `body` when it keeps to the limits; TOO_LARGE or SIZE_MISMATCH otherwise. */
export function checked(body: Buffer, { maxBytes, sizeBytes }: PutOptions): Buffer {
  if (maxBytes !== undefined && body.length > maxBytes) {
    throw new DomainError('TOO_LARGE', `The body is larger than the ${maxBytes} bytes allowed`, { maxBytes });
  }
  if (sizeBytes !== undefined && body.length !== sizeBytes) {
    throw new DomainError('SIZE_MISMATCH', `The body is not the ${sizeBytes} bytes announced`, { sizeBytes, receivedBytes: body.length });
  }
  return body;
}

async function writeSmall(path: string, body: Buffer, withHashes: boolean): Promise<StoredBlob> {
  const written = body.length <= WRITE_AT_ONCE_BYTES ? disk(writeAtOnce(path, body)) : disk(writeFileHandle(path, body));
  // Hashed while the disk works; `written` is awaited right after, so its rejection is not lost.
  const hashes = withHashes ? hashInline(body) : NO_HASHES;
  await written;
  return { sizeBytes: body.length, ...hashes };
}

async function writeAtOnce(path: string, body: Buffer): Promise<void> {
  const descriptor = openSync(path, 'wx');
  try {
    for (let done = 0; done < body.length;) done += writeSync(descriptor, body, done, body.length - done, done);
    await fsyncOf(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

async function writeFileHandle(path: string, body: Buffer): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await writeAll(handle, body, body.length, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeLarge(path: string, reader: SlabReader, pool: HashPool | null): Promise<StoredBlob> {
  const handle = await disk(open(path, 'wx'));
  const run = pool?.open() ?? null;
  const working = new Set<Promise<void>>();
  try {
    await writeSlabs(handle, reader, run, working);
    await Promise.all(working);
    const [hashes] = await Promise.all([run?.digest() ?? NO_HASHES, disk(handle.sync())]);
    return { sizeBytes: reader.receivedBytes, ...hashes };
  } catch (error) {
    run?.drop();
    throw error;
  } finally {
    await Promise.allSettled(working);
    await handle.close();
  }
}

async function writeSlabs(handle: FileHandle, reader: SlabReader, run: HashRun | null, working: Set<Promise<void>>): Promise<void> {
  const start = (work: Promise<void>): Promise<void> => {
    const guarded = work.catch((error: Error) => reader.fail(error)).finally(() => working.delete(guarded));
    working.add(guarded);
    return guarded;
  };
  let position = 0;
  let dirty = 0;
  let writingBack = false;
  for (let slab = await reader.next(); slab !== null; slab = await reader.next()) {
    const current = slab;
    const at = position;
    position += current.length;
    dirty += current.length;
    const hashed = run?.update(current.memory, current.length);
    void start(Promise.all([disk(writeAll(handle, current.bytes, current.length, at)), hashed]).then(() => reader.release(current)));
    if (dirty >= WRITE_BACK_BYTES && !writingBack) {
      dirty = 0;
      writingBack = true;
      void start(disk(handle.datasync())).then(() => (writingBack = false));
    }
  }
  await Promise.all(working);
  // A failure after the last slab was handed out.
  await reader.next();
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, length: number, position: number): Promise<void> {
  for (let done = 0; done < length;) {
    const { bytesWritten } = await handle.write(bytes, done, length - done, position + done);
    done += bytesWritten;
  }
}
