import { createHash } from 'node:crypto';
import { DomainError } from '#libs/kernel';
import { entryName, needsZip64, type ZipRecord } from './zip-format.js';

/** What the caller says about one entry. Order is kept; names must be safe and unique already (see safe-names.ts). */
export interface ZipEntry {
  /** `folder/file.txt`: no leading, trailing or doubled slash. */
  path: string;
  kind: 'file' | 'folder';
  sizeBytes: number;
  /** Milliseconds since 1970 UTC, whole; negative before. */
  modifiedMs: number;
  /** CRC-32 of the content when it is known before it is read. */
  crc32: number | null;
  /** Whatever the caller needs to open the content again (a blob or version id). UUIDs are kept in 16 bytes. */
  contentRef: string | null;
  /** Worth deflating. Only deflateZip looks at it. */
  deflate?: boolean;
}

/** An entry read back from the log, with its name as it stands in the archive. */
export interface StoredEntry extends ZipEntry {
  index: number;
  name: Buffer;
}

const CHUNK_BYTES = 256 * 1024;
const FOLDER = 1;
const HAS_CRC = 2;
const DEFLATE = 4;
const REF_UUID = 8;
const REF_TEXT = 16;
const PACKABLE_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const MAX_DATE_MS = 8.64e15;

/** Entries between two places where reading can start. */
export const BLOCK_ENTRIES = 64;
/** Up to this size content is read whole before its header is written, so that its CRC can stand in the header. */
export const BUFFERED_BYTES = 256 * 1024;

/**
 * Append-only list of entries at about 60 bytes each, so that 500,000 fit well within 64 MB: records in a byte log, names without
 * the prefix they share with the name before. Reading starts at any multiple of 64. Closed by the first read.
 */
export class ZipEntryLog {
  private readonly chunks: Buffer[] = [];
  private readonly used: number[] = [];
  private readonly blocks: { chunk: number; at: number }[] = [];
  private last: Buffer = Buffer.alloc(0);
  private closed = false;
  private total = 0;

  get count(): number {
    return this.total;
  }

  /** Appends one entry and returns its stored form; DomainError NAME_ILLEGAL or INVALID_ARGUMENT when it cannot be archived. */
  add(entry: ZipEntry): StoredEntry {
    if (this.closed) throw new DomainError('INTERNAL', 'The archive is already being read');
    const folder = entry.kind === 'folder';
    checkNumbers(entry, folder);
    const name = entryName(entry.path, folder);
    const startsBlock = this.total % BLOCK_ENTRIES === 0;
    const shared = startsBlock ? 0 : sharedPrefix(this.last, name);
    const suffix = name.subarray(shared);
    const packed = entry.contentRef !== null && PACKABLE_UUID.test(entry.contentRef);
    const ref =
      entry.contentRef === null ? null : Buffer.from(packed ? entry.contentRef.replaceAll('-', '') : entry.contentRef, packed ? 'hex' : 'utf8');
    if (ref !== null && ref.length > 1024) throw new DomainError('INTERNAL', 'The content reference of an archive entry is too long');
    const out = this.room(31 + (ref?.length ?? 0) + suffix.length);
    const chunk = this.chunks.length - 1;
    let at = this.used[chunk] ?? 0;
    if (startsBlock) this.blocks.push({ chunk, at });
    at = out.writeUInt8(flagsOf(entry, ref, packed), at);
    at = out.writeUInt16LE(shared, at);
    at = out.writeUInt16LE(suffix.length, at);
    at = out.writeDoubleLE(entry.modifiedMs, at);
    if (!folder) at = out.writeDoubleLE(entry.sizeBytes, at);
    if (entry.crc32 !== null) at = out.writeUInt32LE(entry.crc32, at);
    if (ref !== null) {
      if (!packed) at = out.writeUInt16LE(ref.length, at);
      at += ref.copy(out, at);
    }
    at += suffix.copy(out, at);
    this.used[chunk] = at;
    this.last = name;
    const stored: StoredEntry = { ...entry, index: this.total, name };
    this.total += 1;
    return stored;
  }

  /** Reads the entries from `block * 64` on, in order. */
  *entriesFrom(block: number): Generator<StoredEntry, void, undefined> {
    this.closed = true;
    const start = this.blocks[block];
    if (start === undefined) return;
    let { chunk, at } = start;
    let previous: Buffer = Buffer.alloc(0);
    for (let index = block * BLOCK_ENTRIES; index < this.total; index += 1) {
      if (at === this.used[chunk]) {
        chunk += 1;
        at = 0;
      }
      const { entry, next } = readRecord(this.chunks[chunk] as Buffer, at, previous, index);
      yield entry;
      at = next;
      previous = entry.name;
    }
  }

  /** SHA-256 (hex) over everything that decides the archive's bytes: equal digests, equal archives. */
  digest(): string {
    this.closed = true;
    const hash = createHash('sha256');
    this.chunks.forEach((chunk, index) => hash.update(chunk.subarray(0, this.used[index])));
    return hash.digest('hex');
  }

  private room(bytes: number): Buffer {
    const chunk = this.chunks.at(-1);
    if (chunk !== undefined && (this.used.at(-1) ?? 0) + bytes <= CHUNK_BYTES) return chunk;
    const fresh = Buffer.allocUnsafe(CHUNK_BYTES);
    this.chunks.push(fresh);
    this.used.push(0);
    return fresh;
  }
}

/** The record of an entry that is stored as it is. `crc32` 0 stands for one that is not known yet. */
export function storedRecord(entry: StoredEntry, crc32: number, descriptor: boolean): ZipRecord {
  return {
    name: entry.name,
    folder: entry.kind === 'folder',
    modifiedMs: entry.modifiedMs,
    sizeBytes: entry.sizeBytes,
    packedBytes: entry.sizeBytes,
    crc32,
    deflated: false,
    descriptor,
    zip64: needsZip64(entry.sizeBytes),
  };
}

function checkNumbers(entry: ZipEntry, folder: boolean): void {
  const sizeFits = Number.isSafeInteger(entry.sizeBytes) && entry.sizeBytes >= 0 && !(folder && entry.sizeBytes > 0);
  const dateFits = Number.isInteger(entry.modifiedMs) && Math.abs(entry.modifiedMs) <= MAX_DATE_MS;
  const crcFits = entry.crc32 === null || (Number.isInteger(entry.crc32) && entry.crc32 >= 0 && entry.crc32 <= 0xffffffff);
  if (sizeFits && dateFits && crcFits) return;
  throw new DomainError('INVALID_ARGUMENT', 'The size, date or checksum of an archive entry is not usable', {
    sizeBytes: entry.sizeBytes,
    modifiedMs: entry.modifiedMs,
    crc32: entry.crc32,
  });
}

function flagsOf(entry: ZipEntry, ref: Buffer | null, packed: boolean): number {
  const refFlag = ref === null ? 0 : packed ? REF_UUID : REF_TEXT;
  return (entry.kind === 'folder' ? FOLDER : 0) | (entry.crc32 === null ? 0 : HAS_CRC) | (entry.deflate === true ? DEFLATE : 0) | refFlag;
}

function readRecord(bytes: Buffer, start: number, previous: Buffer, index: number): { entry: StoredEntry; next: number } {
  const flags = bytes.readUInt8(start);
  const shared = bytes.readUInt16LE(start + 1);
  const suffixBytes = bytes.readUInt16LE(start + 3);
  const modifiedMs = bytes.readDoubleLE(start + 5);
  let at = start + 13;
  const folder = (flags & FOLDER) !== 0;
  let sizeBytes = 0;
  if (!folder) {
    sizeBytes = bytes.readDoubleLE(at);
    at += 8;
  }
  let crc32: number | null = null;
  if ((flags & HAS_CRC) !== 0) {
    crc32 = bytes.readUInt32LE(at);
    at += 4;
  }
  let contentRef: string | null = null;
  if ((flags & REF_UUID) !== 0) {
    const hex = bytes.toString('hex', at, at + 16);
    contentRef = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    at += 16;
  } else if ((flags & REF_TEXT) !== 0) {
    const refBytes = bytes.readUInt16LE(at);
    contentRef = bytes.toString('utf8', at + 2, at + 2 + refBytes);
    at += 2 + refBytes;
  }
  const name = Buffer.allocUnsafe(shared + suffixBytes);
  previous.copy(name, 0, 0, shared);
  bytes.copy(name, shared, at, at + suffixBytes);
  const path = name.toString('utf8', 0, folder ? name.length - 1 : name.length);
  const kind = folder ? 'folder' : 'file';
  return { entry: { index, name, path, kind, sizeBytes, modifiedMs, crc32, contentRef, deflate: (flags & DEFLATE) !== 0 }, next: at + suffixBytes };
}

function sharedPrefix(left: Buffer, right: Buffer): number {
  const limit = Math.min(left.length, right.length);
  let length = 0;
  while (length < limit && left[length] === right[length]) length += 1;
  return length;
}
