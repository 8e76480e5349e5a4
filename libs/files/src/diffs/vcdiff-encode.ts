import { encodeInteger, MAGIC, WIN_SOURCE } from './vcdiff-format.js';

/** Base bytes are remembered in blocks of this size; shorter matches are not found. */
const BLOCK = 16;
const WINDOW_BYTES = 1024 * 1024;
const MIN_RUN = 8;
const MULTIPLIER = 0x01000193;

const CODE_RUN = 0;
const CODE_ADD = 1;
const CODE_COPY_SELF = 19;

/**
 * A VCDIFF delta (RFC 3284, default code table) that makes `target` of `base`, in pieces. Matches are found by blocks of the base wherever
 * they lie in the target. Gives the event loop a turn between windows.
 */
export async function* encodeVcdiff(base: Buffer, target: Buffer): AsyncGenerator<Buffer> {
  yield Buffer.concat([MAGIC, Buffer.from([0])]);
  const blocks = indexBlocks(base);
  for (let start = 0; start < target.length; start += WINDOW_BYTES) {
    await new Promise((resolve) => setImmediate(resolve));
    yield encodeWindow(base, blocks, target.subarray(start, start + WINDOW_BYTES));
  }
}

function hashAt(bytes: Buffer, at: number): number {
  let hash = 0;
  for (let i = at; i < at + BLOCK; i++) hash = (Math.imul(hash, MULTIPLIER) + bytes[i]!) | 0;
  return hash;
}

function indexBlocks(base: Buffer): Map<number, number> {
  const blocks = new Map<number, number>();
  for (let at = Math.floor(base.length / BLOCK) * BLOCK - BLOCK; at >= 0; at -= BLOCK) blocks.set(hashAt(base, at), at);
  return blocks;
}

/** `MULTIPLIER` to the power of the block length less one: what the byte that leaves the rolling hash weighs. */
const LEAVING = ((): number => {
  let power = 1;
  for (let i = 1; i < BLOCK; i++) power = Math.imul(power, MULTIPLIER);
  return power;
})();

function encodeWindow(base: Buffer, blocks: Map<number, number>, target: Buffer): Buffer {
  const sections = new Sections();
  let literal = 0;
  let at = 0;
  let hash: number | null = null;
  while (at + BLOCK <= target.length) {
    hash ??= hashAt(target, at);
    const found = blocks.get(hash);
    if (found !== undefined && base.compare(target, at, at + BLOCK, found, found + BLOCK) === 0) {
      let from = found;
      while (at > literal && from > 0 && base[from - 1] === target[at - 1]) {
        at--;
        from--;
      }
      let size = BLOCK;
      while (at + size < target.length && from + size < base.length && base[from + size] === target[at + size]) size++;
      sections.literal(target.subarray(literal, at));
      sections.copy(from, size);
      at += size;
      literal = at;
      hash = null;
    } else {
      const entering = target[at + BLOCK];
      hash = entering === undefined ? null : (Math.imul(hash - Math.imul(target[at]!, LEAVING), MULTIPLIER) + entering) | 0;
      at++;
    }
  }
  sections.literal(target.subarray(literal));
  return sections.window(base.length, target.length);
}

/** The three sections of a window under construction. */
class Sections {
  private readonly data: Buffer[] = [];
  private readonly instructions: number[] = [];
  private readonly addresses: number[] = [];

  copy(address: number, size: number): void {
    this.instructions.push(CODE_COPY_SELF);
    encodeInteger(this.instructions, size);
    encodeInteger(this.addresses, address);
  }

  /** New bytes: runs of one byte as RUN, the rest as ADD. */
  literal(bytes: Buffer): void {
    let added = 0;
    for (let at = 0; at < bytes.length;) {
      let end = at + 1;
      while (end < bytes.length && bytes[end] === bytes[at]) end++;
      if (end - at >= MIN_RUN) {
        this.add(bytes.subarray(added, at));
        this.instructions.push(CODE_RUN);
        encodeInteger(this.instructions, end - at);
        this.data.push(bytes.subarray(at, at + 1));
        added = end;
      }
      at = end;
    }
    this.add(bytes.subarray(added));
  }

  window(sourceSize: number, targetSize: number): Buffer {
    const data = Buffer.concat(this.data);
    const body: number[] = [];
    encodeInteger(body, targetSize);
    body.push(0);
    for (const size of [data.length, this.instructions.length, this.addresses.length]) encodeInteger(body, size);
    const head = [sourceSize > 0 ? WIN_SOURCE : 0];
    if (sourceSize > 0) {
      encodeInteger(head, sourceSize);
      encodeInteger(head, 0);
    }
    encodeInteger(head, body.length + data.length + this.instructions.length + this.addresses.length);
    return Buffer.concat([Buffer.from(head), Buffer.from(body), data, Buffer.from(this.instructions), Buffer.from(this.addresses)]);
  }

  private add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.instructions.push(CODE_ADD);
    encodeInteger(this.instructions, bytes.length);
    this.data.push(bytes);
  }
}
