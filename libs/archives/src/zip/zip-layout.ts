import { DomainError } from '#libs/kernel';
import { centralRecordBytes, descriptorBytes, endBytes, localHeaderBytes } from './zip-format.js';
import { BLOCK_ENTRIES, BUFFERED_BYTES, type StoredEntry, storedRecord, ZipEntryLog, type ZipEntry } from './zip-entry-log.js';

/** Where one entry lies in the archive; all positions in bytes from its start, `endOffset` exclusive. */
export interface PlacedEntry {
  entry: StoredEntry;
  headerOffset: number;
  dataOffset: number;
  /** First byte after the content: the data descriptor, if the entry has one. */
  dataEnd: number;
  endOffset: number;
}

/** A record of the central directory: its place and the place of the local header it points to. */
export interface PlacedRecord {
  entry: StoredEntry;
  headerOffset: number;
  recordOffset: number;
  endOffset: number;
}

export interface ZipLayoutOptions {
  /**
   * `whenUnknown` (default): a data descriptor only for large entries whose CRC is not known yet. `always`: for every large entry, so
   * that the archive's bytes stay the same when a CRC becomes known between a download and its continuation.
   */
  descriptors?: 'whenUnknown' | 'always';
}

/**
 * The exact byte layout of a STORE-only Zip64 archive, known before any content is read: that is what makes Content-Length and Range
 * possible. Sizes are known up front and nothing is compressed, so the only unknown is the CRC. Where it is known it stands in the
 * local header, which every reader accepts. Where it is not, content up to 256 KiB is read before its header is written;
 * larger content gets bit 3 and a data descriptor, whose length depends on the size alone. Readers that use the central directory
 * (all but pipes) open both forms. Zip64 fields appear only where 32 (or 16) bits do not suffice, decided by sizes and offsets.
 */
export class ZipLayout {
  private readonly log = new ZipEntryLog();
  private readonly blockHeaders: number[] = [];
  private readonly blockRecords: number[] = [];
  private readonly descriptors: 'whenUnknown' | 'always';
  private headersEnd = 0;
  private recordsBytes = 0;
  private content = 0;
  private unknown = 0;

  constructor(options: ZipLayoutOptions = {}) {
    this.descriptors = options.descriptors ?? 'whenUnknown';
  }

  /** Appends one entry; DomainError when its name, size, date or CRC cannot be archived. Not possible once reading has begun. */
  add(entry: ZipEntry): void {
    const stored = this.log.add(entry);
    if (stored.index % BLOCK_ENTRIES === 0) {
      this.blockHeaders.push(this.headersEnd);
      this.blockRecords.push(this.recordsBytes);
    }
    const placed = this.place(stored, this.headersEnd);
    this.recordsBytes += centralRecordBytes(storedRecord(stored, 0, this.hasDescriptor(stored)), this.headersEnd);
    this.headersEnd = placed.endOffset;
    this.content += stored.sizeBytes;
    if (knownCrc(stored) === null) this.unknown += 1;
    if (!Number.isSafeInteger(this.headersEnd)) throw new DomainError('TOO_LARGE', 'The archive would be too large');
  }

  get entryCount(): number {
    return this.log.count;
  }

  /** Sum of the sizes of the files, in bytes. */
  get contentBytes(): number {
    return this.content;
  }

  /** Entries whose CRC will be learned only by reading them. */
  get unknownCrcCount(): number {
    return this.unknown;
  }

  get directoryOffset(): number {
    return this.headersEnd;
  }

  get directoryBytes(): number {
    return this.recordsBytes;
  }

  /** Length of the whole archive in bytes: the exact Content-Length. */
  get totalBytes(): number {
    return this.headersEnd + this.recordsBytes + endBytes(this.log.count, this.headersEnd, this.recordsBytes);
  }

  /** Strong entity tag material (hex): equal only for archives that are equal byte for byte. */
  fingerprint(): string {
    return `${this.descriptors === 'always' ? 'b' : 'a'}${this.log.digest()}`;
  }

  /** True when CRC and sizes of this entry follow its content. */
  hasDescriptor(entry: StoredEntry): boolean {
    return entry.sizeBytes > BUFFERED_BYTES && (this.descriptors === 'always' || entry.crc32 === null);
  }

  /** The entries that reach beyond `position`, in order, with their places. */
  *entriesAt(position: number): Generator<PlacedEntry, void, undefined> {
    const block = lastAtMost(this.blockHeaders, position);
    let offset = this.blockHeaders[block] ?? 0;
    for (const entry of this.log.entriesFrom(block)) {
      const placed = this.place(entry, offset);
      offset = placed.endOffset;
      if (placed.endOffset > position) yield placed;
    }
  }

  /** The central directory records that reach beyond `position` (counted from the archive's start), in order. */
  *recordsAt(position: number): Generator<PlacedRecord, void, undefined> {
    const block = lastAtMost(this.blockRecords, position - this.headersEnd);
    let headerOffset = this.blockHeaders[block] ?? 0;
    let recordOffset = this.headersEnd + (this.blockRecords[block] ?? 0);
    for (const entry of this.log.entriesFrom(block)) {
      const endOffset = recordOffset + centralRecordBytes(storedRecord(entry, 0, this.hasDescriptor(entry)), headerOffset);
      if (endOffset > position) yield { entry, headerOffset, recordOffset, endOffset };
      recordOffset = endOffset;
      headerOffset = this.place(entry, headerOffset).endOffset;
    }
  }

  private place(entry: StoredEntry, headerOffset: number): PlacedEntry {
    const record = storedRecord(entry, 0, this.hasDescriptor(entry));
    const dataOffset = headerOffset + localHeaderBytes(record);
    const dataEnd = dataOffset + entry.sizeBytes;
    return { entry, headerOffset, dataOffset, dataEnd, endOffset: dataEnd + descriptorBytes(record) };
  }
}

/** The CRC of an entry when it is known without reading: given, or 0 because there is no content. */
export function knownCrc(entry: ZipEntry): number | null {
  return entry.sizeBytes === 0 ? 0 : entry.crc32;
}

/** Index of the last value that is at most `limit`; 0 when there is none. `values` ascend. */
function lastAtMost(values: readonly number[], limit: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((values[middle] ?? Infinity) <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
}
