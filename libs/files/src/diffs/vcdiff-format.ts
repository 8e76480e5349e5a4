import { DomainError } from '#libs/kernel';

/** RFC 3284: "VCD" with the high bits set, version 0. */
export const MAGIC = Buffer.from([0xd6, 0xc3, 0xc4, 0x00]);

export const WIN_SOURCE = 0x01;
export const WIN_TARGET = 0x02;
/** Extension of xdelta3: the window carries an Adler-32 of what it makes. */
export const WIN_ADLER32 = 0x04;
export const HEADER_SECONDARY = 0x01;
export const HEADER_CODE_TABLE = 0x02;
/** Extension of xdelta3: a text for applications follows. */
export const HEADER_APPLICATION = 0x04;

export const NOOP = 0;
export const ADD = 1;
export const RUN = 2;
export const COPY = 3;

/** Half of a code: what to do, how many bytes (0 = the size follows in the stream), and for COPY the address mode. */
export interface Instruction {
  readonly type: number;
  readonly size: number;
  readonly mode: number;
}

const NOTHING: Instruction = { type: NOOP, size: 0, mode: 0 };
const add = (size: number): Instruction => ({ type: ADD, size, mode: 0 });
const copy = (size: number, mode: number): Instruction => ({ type: COPY, size, mode });

/** The default code table, RFC 3284 section 5.6. */
export const CODE_TABLE: readonly (readonly [Instruction, Instruction])[] = makeTable();

function makeTable(): [Instruction, Instruction][] {
  const table: [Instruction, Instruction][] = [[{ type: RUN, size: 0, mode: 0 }, NOTHING]];
  for (let size = 0; size <= 17; size++) table.push([add(size), NOTHING]);
  for (let mode = 0; mode <= 8; mode++)
    for (const size of [0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]) table.push([copy(size, mode), NOTHING]);
  for (let mode = 0; mode <= 5; mode++) for (let a = 1; a <= 4; a++) for (let c = 4; c <= 6; c++) table.push([add(a), copy(c, mode)]);
  for (let mode = 6; mode <= 8; mode++) for (let a = 1; a <= 4; a++) table.push([add(a), copy(4, mode)]);
  for (let mode = 0; mode <= 8; mode++) table.push([copy(4, mode), add(1)]);
  return table;
}

const NEAR = 4;
const SAME = 3 * 256;

/** Addresses used lately, RFC 3284 section 5.1. A new one for every window. */
export class AddressCache {
  private readonly near = new Float64Array(NEAR);
  private readonly same = new Float64Array(SAME);
  private next = 0;

  /** The address of a COPY at position `here` of the superstring. INVALID_ARGUMENT when it does not lie before. */
  read(section: SectionReader, mode: number, here: number): number {
    let address: number;
    if (mode === 0) address = section.integer();
    else if (mode === 1) address = here - section.integer();
    else if (mode < 2 + NEAR) address = this.near[mode - 2]! + section.integer();
    else address = this.same[(mode - 2 - NEAR) * 256 + section.byte()]!;
    if (address < 0 || address >= here) throw malformed('a copy starts outside of what is known');
    this.near[this.next] = address;
    this.next = (this.next + 1) % NEAR;
    this.same[address % SAME] = address;
    return address;
  }
}

/** Reads one section of a window that is in memory. */
export class SectionReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  get atEnd(): boolean {
    return this.at === this.bytes.length;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw malformed('a section ends too early');
    return value;
  }

  integer(): number {
    return decodeInteger(() => this.byte());
  }

  take(size: number): Buffer {
    if (size > this.bytes.length - this.at) throw malformed('a section ends too early');
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }
}

/** An integer of 7 bits a byte, most significant first (RFC 3284 section 2). */
export function decodeInteger(next: () => number): number {
  let value = 0;
  for (;;) {
    const byte = next();
    value = value * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(value)) throw malformed('a number is too large');
    if ((byte & 0x80) === 0) return value;
  }
}

/** Appends the same form of `value` to `bytes`. */
export function encodeInteger(bytes: number[], value: number): void {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.push((rest % 128) + 128);
  bytes.push(...digits.reverse());
}

/** INVALID_ARGUMENT for a delta that is not one. */
export function malformed(reason: string): DomainError {
  return new DomainError('INVALID_ARGUMENT', `The delta is not valid VCDIFF: ${reason}.`);
}

/** Adler-32 (RFC 1950). */
export function adler32(bytes: Buffer): number {
  let a = 1;
  let b = 0;
  for (let start = 0; start < bytes.length; start += 3800) {
    const end = Math.min(start + 3800, bytes.length);
    for (let i = start; i < end; i++) {
      a += bytes[i]!;
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  return b * 65_536 + a;
}
