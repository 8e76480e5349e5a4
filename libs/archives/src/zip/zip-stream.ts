import type { Readable } from 'node:stream';
import { DomainError } from '#libs/kernel';
import { type BufferedContent, ContentReader, isBuffered, type OpenContent, workAhead } from './zip-content.js';
import { type StoredEntry, storedRecord } from './zip-entry-log.js';
import { endRecords, MAX_RECORD_BYTES, writeCentralRecord, writeDescriptor, writeLocalHeader } from './zip-format.js';
import { knownCrc, type PlacedEntry, type ZipLayout } from './zip-layout.js';
import { producedStream, ZipOutput } from './zip-output.js';

export interface StreamZipOptions {
  /** Part of the archive, both ends inclusive, as in a Range header. Default: all of it. */
  range?: { start: number; endInclusive: number };
  /** Called with the number of bytes of every write, when it is handed to the consumer. */
  onProgress?: (bytes: number) => void;
  /** Called when the CRC of an entry that came without one is known, so that it can be kept for the next time. */
  onCrc?: (entry: StoredEntry, crc32: number) => void;
  /** Small entries whose content may be read ahead at once (default 8, at most 256 KiB each). */
  readAhead?: number;
}

const DEFAULT_READ_AHEAD = 8;

/**
 * The archive of `layout`, or a range of it, as a byte stream of exactly the promised length. Content of wrong length or CRC, a source
 * that fails, or a destroyed consumer destroys the stream: a client sees a broken download, never a complete but wrong archive.
 * A range that starts inside an entry opens that entry at the offset and no earlier one, as far as the CRCs it must write are known.
 */
export function streamZip(layout: ZipLayout, openContent: OpenContent, options: StreamZipOptions = {}): Readable {
  const total = layout.totalBytes;
  const start = options.range?.start ?? 0;
  const endInclusive = options.range?.endInclusive ?? total - 1;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(endInclusive) || start < 0 || start > endInclusive || endInclusive >= total) {
    throw new DomainError('INVALID_ARGUMENT', 'The range lies outside the archive', { start, endInclusive, totalBytes: total });
  }
  const reader = new ContentReader(openContent);
  const chunks = new ZipRangeProducer(layout, reader, start, endInclusive + 1, options).chunks();
  return producedStream(chunks, () => reader.close());
}

/** Produces the bytes [start, end) of one archive. Kept per stream: a layout may be streamed by many at once. */
class ZipRangeProducer {
  private readonly scratch = Buffer.allocUnsafe(MAX_RECORD_BYTES);
  private readonly learned: LearnedCrcs;
  private readonly readAhead: number;
  private output: ZipOutput;

  constructor(
    private readonly layout: ZipLayout,
    private readonly reader: ContentReader,
    private readonly start: number,
    private readonly end: number,
    private readonly options: StreamZipOptions,
  ) {
    this.learned = new LearnedCrcs(layout);
    this.readAhead = options.readAhead ?? DEFAULT_READ_AHEAD;
    this.output = new ZipOutput(start, start, end);
  }

  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    try {
      if (this.start < this.layout.directoryOffset) yield* this.entries();
      if (this.end > this.layout.directoryOffset) yield* this.directory();
      yield* this.due(true);
      if (this.output.position < this.end) throw new DomainError('INTERNAL', 'The archive ended before its computed length');
    } finally {
      this.reader.close();
    }
  }

  private async *entries(): AsyncGenerator<Buffer, void, undefined> {
    const upcoming = workAhead(this.placedInRange(), ({ entry }) => this.startBuffered(entry), this.readAhead);
    let first = true;
    for (const { item: placed, work } of upcoming) {
      if (first) this.output = new ZipOutput(placed.headerOffset, this.start, this.end);
      first = false;
      this.expectPosition(placed.headerOffset);
      if (work !== null) {
        const content = await work;
        this.learn(placed.entry, content.crc32);
        this.writeHeader(placed.entry);
        this.output.pass(content.bytes);
      } else {
        this.writeHeader(placed.entry);
        if (placed.entry.sizeBytes > 0) yield* this.largeContent(placed);
      }
      yield* this.due();
      if (this.output.complete) return;
    }
  }

  private *placedInRange(): Generator<PlacedEntry, void, undefined> {
    for (const placed of this.layout.entriesAt(this.start)) {
      if (placed.headerOffset >= this.end) return;
      yield placed;
    }
  }

  private startBuffered(entry: StoredEntry): Promise<BufferedContent> | null {
    return isBuffered(entry) ? this.reader.readWhole(entry, entry.crc32) : null;
  }

  /** Content of a large entry and its descriptor; only the part within the range is read, unless the CRC has to be learned. */
  private async *largeContent(placed: PlacedEntry): AsyncGenerator<Buffer, void, undefined> {
    const { entry, dataOffset, dataEnd } = placed;
    const crcIsNeeded = knownCrc(entry) === null && this.end > dataEnd;
    const from = crcIsNeeded ? 0 : Math.min(Math.max(0, this.start - dataOffset), entry.sizeBytes);
    this.output.position = dataOffset + from;
    if (!this.output.complete && from < entry.sizeBytes) {
      const chunks = this.reader.readChunks(entry, from, entry.crc32);
      try {
        for (;;) {
          const next = await chunks.next();
          if (next.done === true) {
            if (from === 0) this.learn(entry, next.value);
            break;
          }
          this.output.pass(next.value);
          yield* this.due();
          // A range that ends with the content waits for the source's own end: one byte too many must not go unseen.
          if (this.output.complete && this.output.position < dataEnd) return;
        }
      } finally {
        await chunks.return(0);
      }
    }
    if (this.layout.hasDescriptor(entry) && !this.output.complete) {
      this.output.copy(this.scratch.subarray(0, writeDescriptor(this.scratch, 0, this.recordOf(entry))));
    }
  }

  private async *directory(): AsyncGenerator<Buffer, void, undefined> {
    const { layout } = this;
    if (this.layout.unknownCrcCount > 0) await this.learnMissing();
    let first = true;
    for (const placed of layout.recordsAt(this.start)) {
      if (first && this.start >= layout.directoryOffset) this.output = new ZipOutput(placed.recordOffset, this.start, this.end);
      first = false;
      this.expectPosition(placed.recordOffset);
      this.output.copy(this.scratch.subarray(0, writeCentralRecord(this.scratch, 0, this.recordOf(placed.entry), placed.headerOffset)));
      yield* this.due();
      if (this.output.complete) return;
    }
    const endOffset = layout.directoryOffset + layout.directoryBytes;
    if (first) this.output = new ZipOutput(endOffset, this.start, this.end);
    this.expectPosition(endOffset);
    this.output.copy(endRecords(layout.entryCount, layout.directoryOffset, layout.directoryBytes));
  }

  /** Before the directory of a range: contents that the range skipped but whose CRC the directory must tell. */
  private async learnMissing(): Promise<void> {
    const missing = this.missingInDirectory();
    const upcoming = workAhead(missing, (entry) => this.crcOf(entry), this.readAhead);
    for (const { item: entry, work } of upcoming) {
      if (work !== null) this.learn(entry, await work);
    }
  }

  private *missingInDirectory(): Generator<StoredEntry, void, undefined> {
    for (const { entry, recordOffset } of this.layout.recordsAt(this.start)) {
      if (recordOffset >= this.end) return;
      if (knownCrc(entry) === null && !this.learned.has(entry)) yield entry;
    }
  }

  private async crcOf(entry: StoredEntry): Promise<number> {
    const chunks = this.reader.readChunks(entry, 0, null);
    for (;;) {
      const next = await chunks.next();
      if (next.done === true) return next.value;
    }
  }

  private learn(entry: StoredEntry, crc32: number): void {
    if (knownCrc(entry) !== null) return;
    this.learned.set(entry, crc32);
    this.options.onCrc?.(entry, crc32);
  }

  private writeHeader(entry: StoredEntry): void {
    this.output.copy(this.scratch.subarray(0, writeLocalHeader(this.scratch, 0, this.recordOf(entry))));
  }

  private recordOf(entry: StoredEntry): ReturnType<typeof storedRecord> {
    return storedRecord(entry, knownCrc(entry) ?? this.learned.get(entry), this.layout.hasDescriptor(entry));
  }

  /** The writes that are due. Progress is told when the consumer comes back for more, that is, when it has taken them. */
  private *due(all = false): Generator<Buffer, void, undefined> {
    for (const bytes of this.output.take(all)) {
      yield bytes;
      this.options.onProgress?.(bytes.length);
    }
  }

  private expectPosition(position: number): void {
    if (this.output.position === position) return;
    throw new DomainError('INTERNAL', 'The archive does not follow its layout', { at: this.output.position, expected: position });
  }
}

/** CRCs found while streaming, by entry; takes memory only when some were not known. */
class LearnedCrcs {
  private readonly values: Uint32Array;
  private readonly known: Uint8Array;

  constructor(layout: ZipLayout) {
    const size = layout.unknownCrcCount > 0 ? layout.entryCount : 0;
    this.values = new Uint32Array(size);
    this.known = new Uint8Array(size);
  }

  has(entry: StoredEntry): boolean {
    return this.known[entry.index] === 1;
  }

  /** 0 while not known: only headers with a descriptor, which leave it out, are written that early. */
  get(entry: StoredEntry): number {
    return this.values[entry.index] ?? 0;
  }

  set(entry: StoredEntry, crc32: number): void {
    this.values[entry.index] = crc32;
    this.known[entry.index] = 1;
  }
}
