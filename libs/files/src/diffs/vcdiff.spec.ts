import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { decodeVcdiff } from './vcdiff-decode.js';
import { encodeVcdiff } from './vcdiff-encode.js';
import { adler32, CODE_TABLE } from './vcdiff-format.js';

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

function decode(delta: Buffer, base: Buffer, chunkSize = 7): Promise<Buffer> {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < delta.length; at += chunkSize) yield await Promise.resolve(delta.subarray(at, at + chunkSize));
  }
  return collect(
    decodeVcdiff(chunks(), { sizeBytes: base.length, read: (offset, length) => Promise.resolve(base.subarray(offset, offset + length)) }),
  );
}

const encode = (base: Buffer, target: Buffer): Promise<Buffer> => collect(encodeVcdiff(base, target));

describe('VCDIFF', () => {
  it('has the default code table of RFC 3284', () => {
    expect(CODE_TABLE).toHaveLength(256);
    expect(CODE_TABLE[162]![0]).toEqual({ type: 3, size: 18, mode: 8 });
    expect(CODE_TABLE[163]).toEqual([
      { type: 1, size: 1, mode: 0 },
      { type: 3, size: 4, mode: 0 },
    ]);
    expect(CODE_TABLE[246]).toEqual([
      { type: 1, size: 4, mode: 0 },
      { type: 3, size: 4, mode: 8 },
    ]);
    expect(CODE_TABLE[255]).toEqual([
      { type: 3, size: 4, mode: 8 },
      { type: 1, size: 1, mode: 0 },
    ]);
  });

  it('makes the target of the base for edits of every kind, and is small where little changed', async () => {
    const base = randomBytes(200_000);
    const edited = Buffer.concat([
      base.subarray(0, 50_000),
      Buffer.from('inserted'),
      base.subarray(60_000),
      Buffer.alloc(5000, 7),
      base.subarray(0, 1000),
    ]);
    const cases: [Buffer, Buffer][] = [
      [base, base],
      [base, edited],
      [base, Buffer.alloc(0)],
      [Buffer.alloc(0), base],
      [base, randomBytes(3_000_000)],
      [randomBytes(5), randomBytes(15)],
      [base, Buffer.concat([base, base, base, base, base, base, base])],
    ];
    for (const [from, to] of cases) expect((await decode(await encode(from, to), from, 4096)).equals(to)).toBe(true);
    expect((await encode(base, edited)).length).toBeLessThan(200);
  });

  it('understands the example of RFC 3284 section 3: combined codes, caches and copies of what is being made', async () => {
    // source abcdefghijklmnop, target abcdwxyzefghefghefghefghzzzz: COPY 4 0; ADD wxyz; COPY 4 4; COPY 12 24 (overlapping); RUN 4 z
    const source = Buffer.from('abcdefghijklmnop');
    const window = (flags: number, checksum: Buffer) => {
      const data = Buffer.from('wxyzz');
      const instructions = Buffer.from([20, 5, 20, 28, 0, 4]);
      const addresses = Buffer.from([0, 4, 24]);
      const body = Buffer.concat([Buffer.from([28, 0, data.length, instructions.length, addresses.length]), checksum, data, instructions, addresses]);
      return Buffer.concat([Buffer.from([0xd6, 0xc3, 0xc4, 0, 0, flags, 16, 0, body.length]), body]);
    };
    const target = Buffer.from('abcdwxyzefghefghefghefghzzzz');
    expect((await decode(window(1, Buffer.alloc(0)), source, 1)).toString()).toBe(target.toString());
    const right = Buffer.alloc(4);
    right.writeUInt32BE(adler32(target));
    expect((await decode(window(5, right), source)).toString()).toBe(target.toString());
    await expect(decode(window(5, Buffer.alloc(4)), source)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
  });

  it('refuses what is not a delta, and survives any damage', async () => {
    const base = randomBytes(3000);
    const delta = await encode(base, Buffer.concat([base.subarray(500), randomBytes(50), base.subarray(0, 700)]));
    for (const bad of [Buffer.alloc(0), Buffer.from('PK\x03\x04'), delta.subarray(0, delta.length - 1), Buffer.concat([delta, Buffer.from([1])])]) {
      await expect(decode(bad, base)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    const huge = Buffer.from([0xd6, 0xc3, 0xc4, 0, 0, 0, 10, 0x8f, 0xff, 0xff, 0xff, 0x7f, 0]);
    await expect(decode(huge, base)).rejects.toMatchObject({ code: 'TOO_LARGE' });
    for (let i = 0; i < 2000; i++) {
      const damaged = Buffer.from(delta);
      damaged[i % damaged.length] = randomBytes(1)[0]!;
      await decode(damaged, base).catch((error: { code?: string }) =>
        expect(['INVALID_ARGUMENT', 'TOO_LARGE', 'CHECKSUM_MISMATCH']).toContain(error.code),
      );
    }
  });
});
