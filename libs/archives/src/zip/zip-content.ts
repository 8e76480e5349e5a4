import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { DomainError } from '#libs/kernel';
import { BUFFERED_BYTES, type StoredEntry } from './zip-entry-log.js';

/**
 * Opens the content of an entry from `startOffset` to its end. A driver that can read a small object at once should answer with the
 * bytes: a stream object per 4 KiB file costs more than the file.
 */
export type OpenContent = (entry: StoredEntry, startOffset: number) => Promise<Readable | Uint8Array>;

/** Whole content of a small entry and its CRC-32. */
export interface BufferedContent {
  bytes: Buffer;
  crc32: number;
}

/**
 * Reads entry contents and compares them with what the layout promised. Wrong length is SIZE_MISMATCH, wrong CRC is
 * CHECKSUM_MISMATCH; both are thrown before the last bytes are handed on. `close` ends every source that is still open.
 */
export class ContentReader {
  private readonly sources = new Set<Readable>();
  private closed = false;

  constructor(private readonly open: OpenContent) {}

  /** Small content in one piece. `expectedCrc` null: not known, so only the length is checked. */
  async readWhole(entry: StoredEntry, expectedCrc: number | null): Promise<BufferedContent> {
    const source = await this.openSource(entry, 0);
    const bytes = source instanceof Uint8Array ? asBuffer(source) : await this.collect(entry, source);
    if (bytes.length !== entry.sizeBytes) throw sizeMismatch(entry);
    const found = crc32(bytes);
    if (expectedCrc !== null && found !== expectedCrc) throw checksumMismatch(entry);
    return { bytes, crc32: found };
  }

  /**
   * The content from `startOffset` to the end, chunk by chunk as the source gives it; returns the CRC-32 of what was read. When all
   * of it was read and `expectedCrc` is known, they are compared before the last chunk leaves. A consumer that stops early closes the source.
   */
  async *readChunks(entry: StoredEntry, startOffset: number, expectedCrc: number | null): AsyncGenerator<Buffer, number, undefined> {
    const source = await this.openSource(entry, startOffset);
    let left = entry.sizeBytes - startOffset;
    let found = 0;
    try {
      for await (const part of source instanceof Uint8Array ? [source] : (source as AsyncIterable<Uint8Array>)) {
        const chunk = asBuffer(part);
        left -= chunk.length;
        if (left < 0) throw sizeMismatch(entry);
        found = crc32(chunk, found);
        if (left === 0 && startOffset === 0 && expectedCrc !== null && found !== expectedCrc) throw checksumMismatch(entry);
        if (chunk.length > 0) yield chunk;
      }
    } finally {
      if (!(source instanceof Uint8Array)) this.release(source);
    }
    if (left !== 0) throw sizeMismatch(entry);
    return found;
  }

  close(): void {
    this.closed = true;
    for (const source of this.sources) this.release(source);
  }

  private async openSource(entry: StoredEntry, startOffset: number): Promise<Readable | Uint8Array> {
    if (this.closed) throw abandoned();
    const source = await this.open(entry, startOffset);
    if (source instanceof Uint8Array) return source;
    // Errors reach us through the iterator or `collect`; this listener only keeps a late one, after release, from ending the process.
    source.on('error', () => undefined);
    this.sources.add(source);
    if (!this.closed) return source;
    this.release(source);
    throw abandoned();
  }

  private release(source: Readable): void {
    this.sources.delete(source);
    source.destroy();
  }

  /** Events instead of an iterator: for small files the iterator's promises would cost more than the reading. */
  private collect(entry: StoredEntry, source: Readable): Promise<Buffer> {
    return new Promise<Buffer>((resolve, reject) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      const fail = (error: Error): void => {
        this.release(source);
        reject(error);
      };
      source.on('data', (part: Uint8Array) => {
        bytes += part.length;
        if (bytes > entry.sizeBytes) fail(sizeMismatch(entry));
        else parts.push(asBuffer(part));
      });
      source.on('error', fail);
      source.on('end', () => {
        this.release(source);
        resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, bytes));
      });
      source.on('close', () => fail(abandoned()));
      if (source.destroyed) fail(source.errored ?? abandoned());
    });
  }
}

/** True when the content of this entry is read whole before its header is written. */
export function isBuffered(entry: StoredEntry): boolean {
  return entry.sizeBytes > 0 && entry.sizeBytes <= BUFFERED_BYTES;
}

/**
 * Passes `items` on in order while the work of the next ones is already running: at most `ahead` started and not yet taken. Items
 * without work (null) do not count, but the queue is bounded too. The result's own rejection is seen only when its turn comes.
 */
export function* workAhead<Item, Result>(
  items: Iterator<Item>,
  start: (item: Item) => Promise<Result> | null,
  ahead: number,
): Generator<{ item: Item; work: Promise<Result> | null }, void, undefined> {
  const queue: { item: Item; work: Promise<Result> | null }[] = [];
  let running = 0;
  let ended = false;
  for (;;) {
    while (!ended && running < ahead && queue.length < ahead * 4) {
      const next = items.next();
      if (next.done === true) {
        ended = true;
        break;
      }
      const work = start(next.value);
      work?.catch(() => undefined);
      if (work !== null) running += 1;
      queue.push({ item: next.value, work });
    }
    const first = queue.shift();
    if (first === undefined) return;
    if (first.work !== null) running -= 1;
    yield first;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function sizeMismatch(entry: StoredEntry): DomainError {
  return new DomainError('SIZE_MISMATCH', 'The content of an archive entry has not the size it should have', { path: entry.path });
}

function checksumMismatch(entry: StoredEntry): DomainError {
  return new DomainError('CHECKSUM_MISMATCH', 'The content of an archive entry has not the checksum it should have', { path: entry.path });
}

function abandoned(): DomainError {
  return new DomainError('STORAGE_UNAVAILABLE', 'Reading the content of an archive entry ended early');
}
