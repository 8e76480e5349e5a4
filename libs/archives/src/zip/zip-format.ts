import { DomainError } from '#libs/kernel';

/** One entry as the record writers need it. `packedBytes` is the length of the stored or deflated content. */
export interface ZipRecord {
  name: Buffer;
  folder: boolean;
  modifiedMs: number;
  sizeBytes: number;
  packedBytes: number;
  crc32: number;
  deflated: boolean;
  /** CRC and sizes follow the content (bit 3) because they were not known when the local header was written. */
  descriptor: boolean;
  /** Local header and descriptor carry 64-bit sizes. */
  zip64: boolean;
}

export const MAX_32 = 0xffffffff;
const MAX_16 = 0xffff;
const TWO_32 = 0x100000000;
/** Bit 11: names are UTF-8. Always set, so that the bytes do not depend on which characters a name happens to hold. */
const FLAG_UTF8 = 0x0800;
const FLAG_DESCRIPTOR = 0x0008;
const MADE_BY_UNIX_63 = 0x033f;
const LOCAL_FIXED = 30;
const CENTRAL_FIXED = 46;
const END_BYTES = 22;
const END64_BYTES = 56 + 20;
const UNIX_TIME_BYTES = 9;
const NTFS_BYTES = 36;
/** Milliseconds between 1601-01-01 (NTFS epoch) and 1970-01-01. */
const NTFS_EPOCH_MS = 11_644_473_600_000n;
const NTFS_MAX = 0x7fffffffffffffffn;

/** The longest local or central record: its fixed part, a name of 65,535 bytes and every extra field. */
export const MAX_RECORD_BYTES = CENTRAL_FIXED + MAX_16 + 28 + UNIX_TIME_BYTES + NTFS_BYTES;

/** True when `sizeBytes` must be written in 64 bits (4 GiB - 1 is the marker, so it counts as too large). */
export function needsZip64(sizeBytes: number): boolean {
  return sizeBytes >= MAX_32;
}

/** Length of the local header of `record`, in bytes; never depends on the CRC. */
export function localHeaderBytes(record: ZipRecord): number {
  return LOCAL_FIXED + record.name.length + (record.zip64 ? 20 : 0) + (fitsUnixTime(record.modifiedMs) ? UNIX_TIME_BYTES : 0);
}

/** Length of the data descriptor after the content, in bytes; 0 when there is none. */
export function descriptorBytes(record: ZipRecord): number {
  if (!record.descriptor) return 0;
  return record.zip64 ? 24 : 16;
}

/** Length of the central directory record of an entry whose local header lies at `headerOffset`. */
export function centralRecordBytes(record: ZipRecord, headerOffset: number): number {
  return (
    CENTRAL_FIXED +
    record.name.length +
    zip64CentralBytes(record, headerOffset) +
    (fitsUnixTime(record.modifiedMs) ? UNIX_TIME_BYTES : 0) +
    (needsNtfsTime(record.modifiedMs) ? NTFS_BYTES : 0)
  );
}

/** Length of everything after the central directory. */
export function endBytes(entryCount: number, directoryOffset: number, directoryBytes: number): number {
  return END_BYTES + (endNeedsZip64(entryCount, directoryOffset, directoryBytes) ? END64_BYTES : 0);
}

/** Writes the local header at `at` and returns the position after it (APPNOTE 4.3.7). */
export function writeLocalHeader(out: Buffer, at: number, record: ZipRecord): number {
  // APPNOTE 4.4.4: with bit 3 the real values are in the descriptor and these are zero. With Zip64 the 32-bit fields are
  // the marker and the zeros stand in the extra field: its presence is what tells readers that the descriptor is 64-bit.
  const size = record.descriptor ? 0 : record.sizeBytes;
  const packed = record.descriptor ? 0 : record.packedBytes;
  const unixTime = fitsUnixTime(record.modifiedMs);
  out.writeUInt32LE(0x04034b50, at);
  writeCommon(out, at + 4, record, record.descriptor ? 0 : record.crc32);
  out.writeUInt32LE(record.zip64 ? MAX_32 : packed, at + 18);
  out.writeUInt32LE(record.zip64 ? MAX_32 : size, at + 22);
  out.writeUInt16LE(record.name.length, at + 26);
  out.writeUInt16LE((record.zip64 ? 20 : 0) + (unixTime ? UNIX_TIME_BYTES : 0), at + 28);
  let next = at + LOCAL_FIXED;
  next += record.name.copy(out, next);
  if (record.zip64) {
    next = writeExtraHead(out, next, 0x0001, 16);
    next = write64(out, next, size);
    next = write64(out, next, packed);
  }
  return unixTime ? writeUnixTime(out, next, record.modifiedMs) : next;
}

/** Writes the data descriptor at `at` and returns the position after it (APPNOTE 4.3.9, with the customary signature). */
export function writeDescriptor(out: Buffer, at: number, record: ZipRecord): number {
  out.writeUInt32LE(0x08074b50, at);
  out.writeUInt32LE(record.crc32, at + 4);
  if (record.zip64) return write64(out, write64(out, at + 8, record.packedBytes), record.sizeBytes);
  out.writeUInt32LE(record.packedBytes, at + 8);
  return out.writeUInt32LE(record.sizeBytes, at + 12);
}

/** Writes the central directory record at `at` and returns the position after it (APPNOTE 4.3.12). */
export function writeCentralRecord(out: Buffer, at: number, record: ZipRecord, headerOffset: number): number {
  const zip64Bytes = zip64CentralBytes(record, headerOffset);
  const unixTime = fitsUnixTime(record.modifiedMs);
  const ntfsTime = needsNtfsTime(record.modifiedMs);
  const bigOffset = headerOffset >= MAX_32;
  out.writeUInt32LE(0x02014b50, at);
  out.writeUInt16LE(MADE_BY_UNIX_63, at + 4);
  writeCommon(out, at + 6, record, record.crc32);
  if (zip64Bytes > 0) out.writeUInt16LE(45, at + 6);
  out.writeUInt32LE(record.zip64 ? MAX_32 : record.packedBytes, at + 20);
  out.writeUInt32LE(record.zip64 ? MAX_32 : record.sizeBytes, at + 24);
  out.writeUInt16LE(record.name.length, at + 28);
  out.writeUInt16LE(zip64Bytes + (unixTime ? UNIX_TIME_BYTES : 0) + (ntfsTime ? NTFS_BYTES : 0), at + 30);
  out.fill(0, at + 32, at + 38); // no comment, first disk, no internal attributes
  // Unix mode in the high half, the DOS directory bit in the low one: 0755 folders and 0644 files.
  out.writeUInt32LE(record.folder ? 0o040755 * 0x10000 + 0x10 : 0o100644 * 0x10000, at + 38);
  out.writeUInt32LE(bigOffset ? MAX_32 : headerOffset, at + 42);
  let next = at + CENTRAL_FIXED;
  next += record.name.copy(out, next);
  if (zip64Bytes > 0) {
    next = writeExtraHead(out, next, 0x0001, zip64Bytes - 4);
    if (record.zip64) next = write64(out, write64(out, next, record.sizeBytes), record.packedBytes);
    if (bigOffset) next = write64(out, next, headerOffset);
  }
  // The more exact time first: some readers take the first one they know.
  if (ntfsTime) next = writeNtfsTime(out, next, record.modifiedMs);
  return unixTime ? writeUnixTime(out, next, record.modifiedMs) : next;
}

/** The records that end an archive: Zip64 end record and locator where a 32-bit field is too small, then the classic one. */
export function endRecords(entryCount: number, directoryOffset: number, directoryBytes: number): Buffer {
  const zip64 = endNeedsZip64(entryCount, directoryOffset, directoryBytes);
  const out = Buffer.alloc(endBytes(entryCount, directoryOffset, directoryBytes));
  let at = 0;
  if (zip64) {
    out.writeUInt32LE(0x06064b50, 0);
    write64(out, 4, 44);
    out.writeUInt16LE(MADE_BY_UNIX_63, 12);
    out.writeUInt16LE(45, 14);
    write64(out, 24, entryCount);
    write64(out, 32, entryCount);
    write64(out, 40, directoryBytes);
    write64(out, 48, directoryOffset);
    out.writeUInt32LE(0x07064b50, 56);
    write64(out, 64, directoryOffset + directoryBytes);
    out.writeUInt32LE(1, 72);
    at = END64_BYTES;
  }
  out.writeUInt32LE(0x06054b50, at);
  out.writeUInt16LE(Math.min(entryCount, MAX_16), at + 8);
  out.writeUInt16LE(Math.min(entryCount, MAX_16), at + 10);
  out.writeUInt32LE(Math.min(directoryBytes, MAX_32), at + 12);
  out.writeUInt32LE(Math.min(directoryOffset, MAX_32), at + 16);
  return out;
}

/** Bytes of `path` as an entry name; DomainError NAME_ILLEGAL when it could leave the folder it is extracted to, or is too long. */
export function entryName(path: string, folder: boolean): Buffer {
  // The caller makes names safe; this is the last door before they reach someone's disk.
  if (path === '' || /(^|\/)\.{0,2}(\/|$)|[\\\0]|^[a-z]:/i.test(path)) {
    throw new DomainError('NAME_ILLEGAL', 'This name cannot be put into an archive', { path });
  }
  const name = Buffer.from(folder ? `${path}/` : path, 'utf8');
  if (name.length > MAX_16) throw new DomainError('NAME_ILLEGAL', 'The path is too long for an archive', { bytes: name.length });
  return name;
}

/** The five fields that local and central records share: version needed, flags, method, DOS time and date, CRC. */
function writeCommon(out: Buffer, at: number, record: ZipRecord, crc32: number): void {
  out.writeUInt16LE(record.zip64 ? 45 : 20, at);
  out.writeUInt16LE(FLAG_UTF8 | (record.descriptor ? FLAG_DESCRIPTOR : 0), at + 2);
  out.writeUInt16LE(record.deflated ? 8 : 0, at + 4);
  out.writeUInt32LE(dosDateTime(record.modifiedMs), at + 6);
  out.writeUInt32LE(crc32, at + 10);
}

function zip64CentralBytes(record: ZipRecord, headerOffset: number): number {
  const bytes = (record.zip64 ? 16 : 0) + (headerOffset >= MAX_32 ? 8 : 0);
  return bytes === 0 ? 0 : bytes + 4;
}

function endNeedsZip64(entryCount: number, directoryOffset: number, directoryBytes: number): boolean {
  return entryCount >= MAX_16 || directoryOffset >= MAX_32 || directoryBytes >= MAX_32;
}

/** DOS time (low half) and date (high half) in UTC, 2 s steps, held within 1980 to 2107. */
function dosDateTime(modifiedMs: number): number {
  const date = new Date(modifiedMs);
  const year = date.getUTCFullYear();
  if (year < 1980) return 0x00210000;
  if (year > 2107) return 0xff9fbf7d;
  const day = ((year - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate();
  const time = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1);
  return day * 0x10000 + time;
}

function fitsUnixTime(modifiedMs: number): boolean {
  const seconds = Math.floor(modifiedMs / 1000);
  return seconds >= -0x80000000 && seconds <= 0x7fffffff;
}

function needsNtfsTime(modifiedMs: number): boolean {
  return modifiedMs % 1000 !== 0 || !fitsUnixTime(modifiedMs);
}

function writeUnixTime(out: Buffer, at: number, modifiedMs: number): number {
  const next = writeExtraHead(out, at, 0x5455, 5);
  out.writeUInt8(1, next);
  return out.writeInt32LE(Math.floor(modifiedMs / 1000), next + 1);
}

/** NTFS times (100 ns since 1601), held within what the field can say; access and creation time repeat the modification. */
function writeNtfsTime(out: Buffer, at: number, modifiedMs: number): number {
  let ticks = (BigInt(modifiedMs) + NTFS_EPOCH_MS) * 10_000n;
  if (ticks < 0n) ticks = 0n;
  if (ticks > NTFS_MAX) ticks = NTFS_MAX;
  let next = writeExtraHead(out, at, 0x000a, 32);
  next = out.writeUInt32LE(0, next);
  next = writeExtraHead(out, next, 0x0001, 24);
  for (let time = 0; time < 3; time += 1) next = out.writeBigUInt64LE(ticks, next);
  return next;
}

function writeExtraHead(out: Buffer, at: number, id: number, bytes: number): number {
  out.writeUInt16LE(id, at);
  return out.writeUInt16LE(bytes, at + 2);
}

function write64(out: Buffer, at: number, value: number): number {
  out.writeUInt32LE(value % TWO_32, at);
  return out.writeUInt32LE(Math.floor(value / TWO_32), at + 4);
}
