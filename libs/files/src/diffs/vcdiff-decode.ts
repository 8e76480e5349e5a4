import { DomainError } from '#libs/kernel';

import {
  ADD,
  AddressCache,
  adler32,
  CODE_TABLE,
  decodeInteger,
  HEADER_APPLICATION,
  HEADER_CODE_TABLE,
  HEADER_SECONDARY,
  type Instruction,
  MAGIC,
  malformed,
  NOOP,
  RUN,
  SectionReader,
  WIN_ADLER32,
  WIN_SOURCE,
  WIN_TARGET,
} from './vcdiff-format.js';

/** Bound of what one window may need in memory: its source segment, its result and its sections, each. */
export const MAX_WINDOW_BYTES = 64 * 1024 * 1024;

export interface DeltaBase {
  readonly sizeBytes: number;
  /** Exactly `length` bytes from `offset`, which lie within the base. */
  read(offset: number, length: number): Promise<Buffer>;
}

/**
 * What a VCDIFF delta (RFC 3284, default code table, no secondary compression; header and checksum extensions of xdelta3 understood) makes
 * of the base, window by window. INVALID_ARGUMENT for a bad delta, TOO_LARGE for a window above `MAX_WINDOW_BYTES`, CHECKSUM_MISMATCH when
 * a window's own checksum does not hold.
 */
export async function* decodeVcdiff(delta: AsyncIterable<Buffer>, base: DeltaBase): AsyncGenerator<Buffer> {
  const reader = new StreamReader(delta);
  await readHeader(reader);
  while (!(await reader.atEnd())) yield await readWindow(reader, base);
}

async function readHeader(reader: StreamReader): Promise<void> {
  if (!(await reader.take(MAGIC.length)).equals(MAGIC)) throw malformed('it does not begin as one');
  const indicator = await reader.byte();
  if (indicator & HEADER_SECONDARY) throw malformed('secondary compression is not supported');
  if (indicator & HEADER_CODE_TABLE) throw malformed('a code table of its own is not supported');
  if (indicator & ~HEADER_APPLICATION) throw malformed('its header has unknown flags');
  if (indicator & HEADER_APPLICATION) await reader.take(bounded(await reader.integer()));
}

async function readWindow(reader: StreamReader, base: DeltaBase): Promise<Buffer> {
  const indicator = await reader.byte();
  if (indicator & WIN_TARGET) throw malformed('copies from earlier windows are not supported');
  if (indicator & ~(WIN_SOURCE | WIN_ADLER32)) throw malformed('a window has unknown flags');
  let source: Buffer = Buffer.alloc(0);
  if (indicator & WIN_SOURCE) {
    const size = bounded(await reader.integer());
    const position = await reader.integer();
    if (position + size > base.sizeBytes) throw malformed('it refers to bytes past the end of its base');
    source = await base.read(position, size);
  }
  await reader.integer();
  const targetSize = bounded(await reader.integer());
  if ((await reader.byte()) !== 0) throw malformed('secondary compression is not supported');
  const [dataSize, instructionSize, addressSize] = [
    bounded(await reader.integer()),
    bounded(await reader.integer()),
    bounded(await reader.integer()),
  ];
  const checksum = indicator & WIN_ADLER32 ? (await reader.take(4)).readUInt32BE() : null;
  const data = new SectionReader(await reader.take(dataSize));
  const instructions = new SectionReader(await reader.take(instructionSize));
  const addresses = new SectionReader(await reader.take(addressSize));
  const target = new Window(source, targetSize, data, addresses);
  while (!instructions.atEnd) {
    for (const instruction of CODE_TABLE[instructions.byte()]!) {
      if (instruction.type !== NOOP) target.apply(instruction, instruction.size === 0 ? instructions.integer() : instruction.size);
    }
  }
  const bytes = target.finish();
  if (checksum !== null && adler32(bytes) !== checksum) {
    throw new DomainError('CHECKSUM_MISMATCH', 'The delta does not make what it says: it was made for another base, or is damaged.');
  }
  return bytes;
}

/** The bytes that one window makes. */
class Window {
  private readonly target: Buffer;
  private readonly cache = new AddressCache();
  private at = 0;

  constructor(
    private readonly source: Buffer,
    size: number,
    private readonly data: SectionReader,
    private readonly addresses: SectionReader,
  ) {
    this.target = Buffer.allocUnsafe(size);
  }

  apply({ type, mode }: Instruction, size: number): void {
    if (size > this.target.length - this.at) throw malformed('a window makes more than it says');
    if (type === ADD) this.data.take(size).copy(this.target, this.at);
    else if (type === RUN) this.target.fill(this.data.byte(), this.at, this.at + size);
    else this.copy(this.address(mode), size);
    this.at += size;
  }

  finish(): Buffer {
    if (this.at !== this.target.length || !this.data.atEnd || !this.addresses.atEnd) throw malformed('a window makes less than it says');
    return this.target;
  }

  private address(mode: number): number {
    return this.cache.read(this.addresses, mode, this.source.length + this.at);
  }

  private copy(address: number, size: number): void {
    const fromSource = Math.max(0, Math.min(size, this.source.length - address));
    if (fromSource > 0) this.source.copy(this.target, this.at, address, address + fromSource);
    let from = address + fromSource - this.source.length;
    // Byte by byte where the copy reads what it writes: that is how a period is repeated.
    for (let to = this.at + fromSource; to < this.at + size; to++, from++) this.target[to] = this.target[from]!;
  }
}

function bounded(size: number): number {
  if (size > MAX_WINDOW_BYTES) throw new DomainError('TOO_LARGE', `A window of a delta may need ${MAX_WINDOW_BYTES} bytes at most.`);
  return size;
}

/** Reads numbers and blocks from a stream of chunks. */
class StreamReader {
  private readonly chunks: AsyncIterator<Buffer>;
  private chunk: Buffer = Buffer.alloc(0);
  private at = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.chunks = source[Symbol.asyncIterator]();
  }

  async atEnd(): Promise<boolean> {
    while (this.at === this.chunk.length) {
      const result = await this.chunks.next();
      if (result.done) return true;
      this.chunk = result.value;
      this.at = 0;
    }
    return false;
  }

  async byte(): Promise<number> {
    if (await this.atEnd()) throw malformed('it ends too early');
    return this.chunk[this.at++]!;
  }

  async integer(): Promise<number> {
    const bytes: number[] = [];
    do bytes.push(await this.byte());
    while (bytes[bytes.length - 1]! & 0x80 && bytes.length < 10);
    let next = 0;
    return decodeInteger(() => bytes[next++] ?? 0x80);
  }

  async take(size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = size; missing > 0;) {
      if (await this.atEnd()) throw malformed('it ends too early');
      const part = this.chunk.subarray(this.at, this.at + missing);
      parts.push(part);
      this.at += part.length;
      missing -= part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts, size);
  }
}
