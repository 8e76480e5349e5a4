import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { contentIdOf } from './content-id.js';

const MIB = 1024 * 1024;
const CHUNK = 256 * 1024;

async function* zeros(bytes: number, piece: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; left -= piece) yield Buffer.alloc(Math.min(piece, left));
}

const cidOf = async (source: AsyncIterable<Uint8Array>) => (await contentIdOf(source)).cid;
const cidOfText = (text: string) => cidOf(Readable.from([Buffer.from(text)]));

describe('ids of contents', () => {
  it('are those that ipfs answers', async () => {
    expect(await cidOfText('hello world\n')).toBe('QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o');
    expect(await cidOf(Readable.from([]))).toBe('QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH');
    expect(await cidOf(zeros(MIB, 65_536))).toBe('QmVkbauSDEaMP4Tkq6Epm9uW75mWm136n81YH8fGtfwdHU');
    // more chunks than one node has children
    expect(await cidOf(zeros(100 * MIB, 99_991))).toBe('Qmca3PNFKuZnYkiVv1FpcV1AfDUm4qCSHoYjPTBqDAsyk8');
  });

  it('tell the blocks below the root', async () => {
    expect((await contentIdOf(zeros(CHUNK, CHUNK))).links).toEqual([]);
    const two = await contentIdOf(zeros(CHUNK + 1, CHUNK));
    expect(two.links).toEqual([
      { cid: await cidOf(zeros(CHUNK, CHUNK)), sizeBytes: CHUNK },
      { cid: await cidOf(zeros(1, 1)), sizeBytes: 1 },
    ]);
    const deep = await contentIdOf(zeros(100 * MIB, MIB));
    expect(deep.links.map(({ sizeBytes }) => sizeBytes)).toEqual([174 * CHUNK, 174 * CHUNK, 52 * CHUNK]);
    expect(deep.links[0]!.cid).toBe(await cidOf(zeros(174 * CHUNK, MIB)));
  });

  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 174 * CHUNK, 174 * CHUNK + 1, 175 * CHUNK + 5, 349 * CHUNK])(
    'are the hash of the tree as its format is written down: %i bytes',
    async (bytes) => {
      const content = Buffer.alloc(bytes);
      for (let at = 0; at < bytes; at += 4096) content.writeUInt8(at % 251, at);
      expect(await cidOf(Readable.from(bytes === 0 ? [] : [content.subarray(0, bytes >> 1), content.subarray(bytes >> 1)]))).toBe(treeCid(content));
    },
  );

  it('fail with the source', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* zeros(CHUNK + 1, 1000);
      throw new Error('cut off');
    }
    await expect(contentIdOf(broken())).rejects.toThrow('cut off');
  });
});

/** The same by hand, from the description of the format: protobuf messages of UnixFS (type 2 = file) in nodes of dag-pb. */
function treeCid(content: Buffer): string {
  interface Part {
    readonly hash: Buffer;
    readonly contentBytes: number;
    readonly treeBytes: number;
  }
  const varint = (value: number): Buffer => {
    const bytes: number[] = [];
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return Buffer.from([...bytes, rest]);
      bytes.push((rest % 128) + 128);
    }
  };
  const number = (field: number, value: number) => Buffer.concat([varint(field * 8), varint(value)]);
  const bytesField = (field: number, value: Buffer) => Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
  const block = (data: Buffer, children: readonly Part[], contentBytes: number): Part => {
    const links = children.map(({ hash, treeBytes }) =>
      bytesField(2, Buffer.concat([bytesField(1, hash), bytesField(2, Buffer.alloc(0)), number(3, treeBytes)])),
    );
    const bytes = Buffer.concat([...links, bytesField(1, data)]);
    const hash = Buffer.concat([Buffer.from([0x12, 0x20]), createHash('sha256').update(bytes).digest()]);
    return { hash, contentBytes, treeBytes: bytes.length + children.reduce((sum, { treeBytes }) => sum + treeBytes, 0) };
  };
  const leaf = (data: Buffer) =>
    block(Buffer.concat([number(1, 2), data.length > 0 ? bytesField(2, data) : Buffer.alloc(0), number(3, data.length)]), [], data.length);
  const parent = (children: readonly Part[]) => {
    const size = children.reduce((sum, { contentBytes }) => sum + contentBytes, 0);
    return block(Buffer.concat([number(1, 2), number(3, size), ...children.map(({ contentBytes }) => number(4, contentBytes))]), children, size);
  };
  let level: Part[] = [];
  for (let at = 0; at === 0 || at < content.length; at += CHUNK) level.push(leaf(content.subarray(at, at + CHUNK)));
  while (level.length > 1) {
    const above: Part[] = [];
    for (let at = 0; at < level.length; at += 174) above.push(parent(level.slice(at, at + 174)));
    level = above;
  }
  return base58(level[0]!.hash);
}

function base58(bytes: Buffer): string {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let text = '';
  for (let rest = BigInt(`0x${bytes.toString('hex')}`); rest > 0n; rest /= 58n) text = alphabet[Number(rest % 58n)]! + text;
  return text;
}
