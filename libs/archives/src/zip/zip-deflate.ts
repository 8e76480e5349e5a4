import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createDeflateRaw, deflateRaw } from 'node:zlib';
import { ContentReader, isBuffered, type OpenContent, workAhead } from './zip-content.js';
import { type StoredEntry, storedRecord, type ZipEntryLog } from './zip-entry-log.js';
import { endRecords, MAX_32, MAX_RECORD_BYTES, writeCentralRecord, writeDescriptor, writeLocalHeader, type ZipRecord } from './zip-format.js';
import { producedStream, ZipOutput } from './zip-output.js';

export interface DeflateZipOptions {
  /** zlib level 1 (fast) to 9 (small); default 6. */
  level?: number;
  /** Called with the number of content bytes read, for progress against the sum of the entries' sizes. */
  onContent?: (bytes: number) => void;
  /** Small entries read and deflated at once (default 8, at most 256 KiB each). */
  readAhead?: number;
}

const deflateBuffer = promisify(deflateRaw);
/** Deflate makes content that does not compress at most 0.03 % longer: entries this close to 4 GiB are written as Zip64. */
const DEFLATE_ZIP64_FROM = MAX_32 - 16 * 1024 * 1024;

/**
 * An archive in which entries marked `deflate` are compressed, the others stored. Its length is not known beforehand, so it has no
 * ranges: it is the form a worker builds into an object. Content is checked as in streamZip, and failure destroys the stream.
 */
export function deflateZip(log: ZipEntryLog, openContent: OpenContent, options: DeflateZipOptions = {}): Readable {
  const reader = new ContentReader(openContent);
  return producedStream(new DeflateProducer(log, reader, options).chunks(), () => reader.close());
}

interface PackedContent {
  bytes: Buffer;
  crc32: number;
  sizeBytes: number;
  deflated: boolean;
}

class DeflateProducer {
  private readonly scratch = Buffer.allocUnsafe(MAX_RECORD_BYTES);
  private readonly output = new ZipOutput(0, 0, Number.MAX_SAFE_INTEGER);
  private readonly results: WrittenEntries;
  private readonly level: number;

  constructor(
    private readonly log: ZipEntryLog,
    private readonly reader: ContentReader,
    private readonly options: DeflateZipOptions,
  ) {
    this.results = new WrittenEntries(log.count);
    this.level = options.level ?? 6;
  }

  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    try {
      const upcoming = workAhead(this.log.entriesFrom(0), (entry) => this.startBuffered(entry), this.options.readAhead ?? 8);
      for (const { item: entry, work } of upcoming) {
        const headerOffset = this.output.position;
        const record = work === null ? yield* this.unbuffered(entry) : this.buffered(entry, await work);
        this.results.set(entry.index, record, headerOffset);
        yield* this.output.take();
      }
      const directoryOffset = this.output.position;
      for (const entry of this.log.entriesFrom(0)) {
        const { record, headerOffset } = this.results.get(entry);
        this.output.copy(this.scratch.subarray(0, writeCentralRecord(this.scratch, 0, record, headerOffset)));
        yield* this.output.take();
      }
      this.output.copy(endRecords(this.log.count, directoryOffset, this.output.position - directoryOffset));
      yield* this.output.take(true);
    } finally {
      this.reader.close();
    }
  }

  private startBuffered(entry: StoredEntry): Promise<PackedContent> | null {
    return isBuffered(entry) ? this.readAndPack(entry) : null;
  }

  /** Small content, deflated only where that makes it smaller. */
  private async readAndPack(entry: StoredEntry): Promise<PackedContent> {
    const { bytes, crc32 } = await this.reader.readWhole(entry, entry.crc32);
    if (entry.deflate === true) {
      const packed = await deflateBuffer(bytes, { level: this.level });
      if (packed.length < bytes.length) return { bytes: packed, crc32, sizeBytes: bytes.length, deflated: true };
    }
    return { bytes, crc32, sizeBytes: bytes.length, deflated: false };
  }

  private buffered(entry: StoredEntry, content: PackedContent): ZipRecord {
    const record = { ...storedRecord(entry, content.crc32, false), packedBytes: content.bytes.length, deflated: content.deflated };
    this.writeHeader(record);
    this.output.pass(content.bytes);
    this.options.onContent?.(content.sizeBytes);
    return record;
  }

  private async *unbuffered(entry: StoredEntry): AsyncGenerator<Buffer, ZipRecord, undefined> {
    if (entry.sizeBytes === 0) {
      const record = storedRecord(entry, 0, false);
      this.writeHeader(record);
      return record;
    }
    const deflated = entry.deflate === true;
    const record = storedRecord(entry, entry.crc32 ?? 0, deflated || entry.crc32 === null);
    record.deflated = deflated;
    if (deflated) record.zip64 = isZip64Deflated(entry);
    this.writeHeader(record);
    if (deflated) record.packedBytes = 0;
    const content = this.checkedContent(entry, record);
    for await (const bytes of deflated ? this.deflate(content, record) : content) {
      this.output.pass(bytes);
      yield* this.output.take();
    }
    if (record.descriptor) this.output.copy(this.scratch.subarray(0, writeDescriptor(this.scratch, 0, record)));
    return record;
  }

  private async *checkedContent(entry: StoredEntry, record: ZipRecord): AsyncGenerator<Buffer, void, undefined> {
    const chunks = this.reader.readChunks(entry, 0, entry.crc32);
    try {
      for (;;) {
        const next = await chunks.next();
        if (next.done === true) {
          record.crc32 = next.value;
          return;
        }
        this.options.onContent?.(next.value.length);
        yield next.value;
      }
    } finally {
      await chunks.return(0);
    }
  }

  private async *deflate(content: AsyncIterable<Buffer>, record: ZipRecord): AsyncGenerator<Buffer, void, undefined> {
    const deflater = createDeflateRaw({ level: this.level, chunkSize: 256 * 1024 });
    const fed = pipeline(content, deflater);
    // A failure reaches the consumer through the deflater, which the pipeline destroys with it.
    fed.catch(() => undefined);
    for await (const bytes of deflater as AsyncIterable<Buffer>) {
      record.packedBytes += bytes.length;
      yield bytes;
    }
    await fed;
  }

  private writeHeader(record: ZipRecord): void {
    this.output.copy(this.scratch.subarray(0, writeLocalHeader(this.scratch, 0, record)));
  }
}

/** What the central directory has to tell about each written entry, at 21 bytes an entry. */
class WrittenEntries {
  private readonly crcs: Uint32Array;
  private readonly packed: Float64Array;
  private readonly offsets: Float64Array;
  private readonly flags: Uint8Array;

  constructor(count: number) {
    this.crcs = new Uint32Array(count);
    this.packed = new Float64Array(count);
    this.offsets = new Float64Array(count);
    this.flags = new Uint8Array(count);
  }

  set(index: number, record: ZipRecord, headerOffset: number): void {
    this.crcs[index] = record.crc32;
    this.packed[index] = record.packedBytes;
    this.offsets[index] = headerOffset;
    this.flags[index] = (record.deflated ? 1 : 0) | (record.descriptor ? 2 : 0);
  }

  get(entry: StoredEntry): { record: ZipRecord; headerOffset: number } {
    const flags = this.flags[entry.index] ?? 0;
    const record = storedRecord(entry, this.crcs[entry.index] ?? 0, (flags & 2) !== 0);
    record.packedBytes = this.packed[entry.index] ?? 0;
    record.deflated = (flags & 1) !== 0;
    if (record.deflated) record.zip64 = isZip64Deflated(entry);
    return { record, headerOffset: this.offsets[entry.index] ?? 0 };
  }
}

function isZip64Deflated(entry: StoredEntry): boolean {
  return entry.sizeBytes >= DEFLATE_ZIP64_FROM;
}
