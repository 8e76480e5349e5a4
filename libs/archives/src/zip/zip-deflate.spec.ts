import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, contentOf, extract, lengthOf, openSamples, type Sample, samplesArb } from '../../test/zip-samples.js';
import { deflateZip } from './zip-deflate.js';
import { ZipEntryLog } from './zip-entry-log.js';

function logOf(samples: readonly Sample[]): ZipEntryLog {
  const log = new ZipEntryLog();
  samples.forEach(({ entry }) => log.add(entry));
  return log;
}

describe('deflateZip', () => {
  it('gives every entry back and compresses what is marked', async () => {
    await fc.assert(
      fc.asyncProperty(samplesArb, fc.integer({ min: 1, max: 9 }), async (samples, level) => {
        let read = 0;
        const bytes = await collect(deflateZip(logOf(samples), openSamples(samples), { level, onContent: (count) => (read += count) }));
        const found = await extract(bytes);
        expect(found.length).toBe(samples.length);
        found.forEach(({ content, crc32: crc, modifiedMs, method }, index) => {
          const wanted = samples[index] as Sample;
          expect(content.equals(wanted.content)).toBe(true);
          expect({ crc, modifiedMs }).toEqual({ crc: crc32(wanted.content), modifiedMs: wanted.entry.modifiedMs });
          if (wanted.entry.deflate !== true || wanted.content.length === 0) expect(method).toBe(0);
          else if (wanted.content.length > 100) expect(method).toBe(8);
        });
        expect(read).toBe(samples.reduce((sum, { content }) => sum + content.length, 0));
      }),
      { numRuns: 20 },
    );
  }, 30_000);

  it('stores a small entry that deflate would lengthen', async () => {
    const content = contentOf(2_000, 7);
    const samples: Sample[] = [
      { entry: { path: 'a', kind: 'file', sizeBytes: 2_000, modifiedMs: 0, crc32: null, contentRef: null, deflate: true }, content, chunkBytes: 0 },
    ];
    const [found] = await extract(await collect(deflateZip(logOf(samples), openSamples(samples))));
    expect(found).toMatchObject({ method: 0, content });
  });

  it('writes 64-bit sizes for content that might exceed 32 bits', async () => {
    for (const [sizeBytes, wide] of [
      [0xffffffff - 16 * 1024 ** 2 - 1, false],
      [0xffffffff - 16 * 1024 ** 2, true],
      [5 * 1024 ** 3, true],
    ] as const) {
      const entry = { path: 'a', kind: 'file' as const, sizeBytes, modifiedMs: 0, crc32: null, contentRef: null, deflate: true };
      const source = new PassThrough();
      source.write(contentOf(2_000_000, 3));
      const stream = deflateZip(logOf([{ entry, content: Buffer.alloc(0), chunkBytes: 0 }]), () => Promise.resolve(source as Readable));
      await once(stream, 'readable');
      const head = stream.read() as Buffer;
      expect(head.readUInt32LE(22)).toBe(wide ? 0xffffffff : 0);
      expect(head.readUInt16LE(31)).toBe(wide ? 0x0001 : 0x5455);
      stream.destroy();
    }
  });

  it('breaks on wrong content', async () => {
    for (const sizeBytes of [5_000, 700_000]) {
      const content = contentOf(sizeBytes, 1, true);
      for (const [given, code] of [
        [Buffer.concat([content.subarray(1), Buffer.from('!')]), 'CHECKSUM_MISMATCH'],
        [content.subarray(1), 'SIZE_MISMATCH'],
        [Buffer.concat([content, content]), 'SIZE_MISMATCH'],
      ] as const) {
        const entry = { path: 'a', kind: 'file' as const, sizeBytes, modifiedMs: 0, crc32: crc32(content), contentRef: null, deflate: true };
        const samples: Sample[] = [{ entry, content: given, chunkBytes: 65_536 }];
        await expect(lengthOf(deflateZip(logOf(samples), openSamples(samples)))).rejects.toMatchObject({ code });
      }
    }
  });

  it('ends its sources when the consumer goes away', async () => {
    const entry = { path: 'a', kind: 'file' as const, sizeBytes: 9_000_000, modifiedMs: 0, crc32: null, contentRef: null, deflate: true };
    const source = new PassThrough();
    const stream = deflateZip(logOf([{ entry, content: Buffer.alloc(0), chunkBytes: 0 }]), () => Promise.resolve(source as Readable));
    stream.on('data', () => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    stream.destroy();
    await once(source, 'close');
    expect(source.destroyed).toBe(true);
  });
});
