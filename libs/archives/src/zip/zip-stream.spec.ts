import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import yauzl from 'yauzl';
import { collect, contentOf, extract, lengthOf, openSamples, type Sample, samplesArb } from '../../test/zip-samples.js';
import { BUFFERED_BYTES, type StoredEntry, type ZipEntry } from './zip-entry-log.js';
import { ZipLayout, type ZipLayoutOptions } from './zip-layout.js';
import { streamZip, type StreamZipOptions } from './zip-stream.js';

const GIB = 1024 ** 3;

function layoutOf(samples: readonly Sample[], options?: ZipLayoutOptions): ZipLayout {
  const layout = new ZipLayout(options);
  samples.forEach(({ entry }) => layout.add(entry));
  return layout;
}

function sample(path: string, content: Buffer, crcKnown = true, chunkBytes = 65_536): Sample {
  const crc = crcKnown ? crc32(content) : null;
  return {
    entry: { path, kind: 'file', sizeBytes: content.length, modifiedMs: 1_700_000_000_123, crc32: crc, contentRef: null },
    content,
    chunkBytes,
  };
}

function zipped(samples: readonly Sample[], options?: StreamZipOptions): Promise<Buffer> {
  return collect(streamZip(layoutOf(samples), openSamples(samples), options));
}

describe('streamZip', () => {
  it('has exactly the computed length and gives every entry back', async () => {
    await fc.assert(
      fc.asyncProperty(samplesArb, fc.constantFrom('whenUnknown' as const, 'always' as const), async (samples, descriptors) => {
        const layout = layoutOf(samples, { descriptors });
        let progress = 0;
        const learned = new Map<number, number>();
        const bytes = await collect(
          streamZip(layout, openSamples(samples), {
            onProgress: (count) => (progress += count),
            onCrc: (entry, crc) => learned.set(entry.index, crc),
          }),
        );
        expect(bytes.length).toBe(layout.totalBytes);
        expect(progress).toBe(layout.totalBytes);
        const found = await extract(bytes);
        expect(found.map(({ path, modifiedMs, crc32: crc }) => ({ path, modifiedMs, crc }))).toEqual(
          samples.map(({ entry, content }) => ({
            path: entry.kind === 'folder' ? `${entry.path}/` : entry.path,
            modifiedMs: entry.modifiedMs,
            crc: crc32(content),
          })),
        );
        found.forEach(({ content }, index) => expect(content.equals((samples[index] as Sample).content)).toBe(true));
        const unknown = samples.flatMap(({ entry, content }, index) => (entry.crc32 === null && content.length > 0 ? [index] : []));
        expect([...learned.keys()]).toEqual(unknown);
      }),
      { numRuns: 25 },
    );
  }, 30_000);

  it('gives any range as that slice of the whole', async () => {
    const spans = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })), {
      minLength: 12,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(samplesArb, spans, fc.integer({ min: 1, max: 9 }), async (samples, fractions, readAhead) => {
        const layout = layoutOf(samples);
        const whole = await collect(streamZip(layout, openSamples(samples)));
        const last = whole.length - 1;
        const picked = fractions.map(([a, b]) => [Math.round(a * last), Math.round(b * last)].sort((x, y) => x - y));
        for (const placed of layout.entriesAt(0)) {
          for (const edge of [placed.headerOffset, placed.dataOffset, placed.dataEnd, placed.endOffset]) {
            if (placed.entry.index % 7 === 0)
              picked.push([edge, Math.min(edge + 40, last)], [Math.max(0, edge - 3), last], [Math.min(edge, 20), edge]);
          }
        }
        for (const [start = 0, endInclusive = 0] of picked) {
          const part = await collect(streamZip(layout, openSamples(samples), { range: { start, endInclusive }, readAhead }));
          if (!part.equals(whole.subarray(start, endInclusive + 1))) throw new Error(`range ${start}-${endInclusive} of ${whole.length} differs`);
        }
      }),
      { numRuns: 8 },
    );
  }, 60_000);

  it('opens only what the range needs when CRCs are known', async () => {
    const samples = [sample('a', contentOf(900_000, 1)), sample('b', contentOf(900_000, 2)), sample('c', contentOf(100, 3))];
    const layout = layoutOf(samples);
    const second = [...layout.entriesAt(0)][1];
    const opened: { index: number; startOffset: number }[] = [];
    const start = (second?.dataOffset ?? 0) + 123_456;
    const tail = await collect(streamZip(layout, openSamples(samples, opened), { range: { start, endInclusive: layout.totalBytes - 1 } }));
    expect(opened.sort((a, b) => a.index - b.index)).toEqual([
      { index: 1, startOffset: 123_456 },
      { index: 2, startOffset: 0 },
    ]);
    expect(tail.equals((await zipped(samples)).subarray(start))).toBe(true);
  });

  it('keeps its bytes when CRCs become known, where descriptors are asked for always', async () => {
    const unknown = [sample('a', contentOf(300_000, 1), false), sample('b', contentOf(10, 2), false)];
    const known = [sample('a', contentOf(300_000, 1)), sample('b', contentOf(10, 2))];
    const bytes = await Promise.all([unknown, known].map((set) => collect(streamZip(layoutOf(set, { descriptors: 'always' }), openSamples(set)))));
    expect(bytes[0]?.equals(bytes[1] as Buffer)).toBe(true);
    expect((await zipped(known)).length).toBe((await zipped(unknown)).length - 16);
  });

  it('tells archives apart by their fingerprint', () => {
    const base = sample('a', contentOf(10, 1));
    const changed: Partial<ZipEntry>[] = [{ path: 'b' }, { modifiedMs: 1 }, { sizeBytes: 11 }, { crc32: 1 }, { crc32: null }, { contentRef: 'x' }];
    const prints = [{}, ...changed].map((change) => layoutOf([{ ...base, entry: { ...base.entry, ...change } }]).fingerprint());
    expect(new Set(prints).size).toBe(prints.length);
    expect(layoutOf([base]).fingerprint()).toBe(prints[0]);
  });

  it.each([
    ['a small entry', 5_000],
    ['a large entry', 700_000],
  ])('breaks on wrong content: %s', async (_name, sizeBytes) => {
    for (const chunkBytes of [0, 65_536]) {
      const good = sample('a', contentOf(sizeBytes, 1), true, chunkBytes);
      const after = sample('b', contentOf(10, 2));
      const flipped = Buffer.from(good.content);
      flipped[sizeBytes - 1] = (flipped[sizeBytes - 1] ?? 0) ^ 1;
      const longer = Buffer.concat([good.content, Buffer.from('x')]);
      for (const [content, code] of [
        [flipped, 'CHECKSUM_MISMATCH'],
        [good.content.subarray(1), 'SIZE_MISMATCH'],
        [longer, 'SIZE_MISMATCH'],
      ] as const) {
        const samples = [{ ...good, content }, after];
        const layout = layoutOf(samples);
        const dataEnd = [...layout.entriesAt(0)][0]?.dataEnd ?? 0;
        for (const endInclusive of [dataEnd - 1, layout.totalBytes - 1]) {
          const stream = streamZip(layout, openSamples(samples), { range: { start: 0, endInclusive } });
          await expect(lengthOf(stream)).rejects.toMatchObject({ code });
          expect(stream.destroyed).toBe(true);
        }
      }
    }
  });

  it('passes on what opening or reading fails with', async () => {
    const samples = [sample('a', contentOf(900_000, 1)), sample('b', contentOf(10, 2))];
    const layout = layoutOf(samples);
    for (const failing of [0, 1]) {
      const open = openSamples(samples);
      const refused = streamZip(layout, (entry, at) => (entry.index === failing ? Promise.reject(new Error('gone')) : open(entry, at)));
      await expect(lengthOf(refused)).rejects.toThrow('gone');
      const broken = streamZip(layout, (entry, at) =>
        entry.index === failing
          ? Promise.resolve(new Readable({ read: (): void => undefined, construct: (done) => done(new Error('torn')) }))
          : open(entry, at),
      );
      await expect(lengthOf(broken)).rejects.toThrow('torn');
    }
  });

  it('ends its sources when the consumer goes away, hanging ones too', async () => {
    for (const sizeBytes of [BUFFERED_BYTES, BUFFERED_BYTES * 4]) {
      const samples = [sample('a', contentOf(sizeBytes, 1))];
      const source = new PassThrough();
      const stream = streamZip(layoutOf(samples), () => Promise.resolve(source));
      stream.on('data', () => undefined);
      await new Promise((resolve) => setImmediate(resolve));
      source.write('some');
      stream.destroy();
      await once(source, 'close');
      expect(source.destroyed).toBe(true);
    }
  });

  it('reads no further than the consumer takes', async () => {
    const samples = Array.from({ length: 200 }, (_, index) => sample(`f${index}`, contentOf(BUFFERED_BYTES, 1), true, 0));
    const opened: { index: number; startOffset: number }[] = [];
    const stream = streamZip(layoutOf(samples), openSamples(samples, opened));
    stream.once('readable', () => stream.read(1));
    await once(stream, 'readable');
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(opened.length).toBeLessThan(30);
    stream.destroy();
  });

  it('refuses ranges outside the archive and entries that cannot be archived', () => {
    const layout = layoutOf([]);
    expect(layout.totalBytes).toBe(22);
    for (const range of [
      { start: -1, endInclusive: 3 },
      { start: 5, endInclusive: 4 },
      { start: 0, endInclusive: 22 },
      { start: 0.5, endInclusive: 3 },
    ]) {
      expect(() => streamZip(layout, openSamples([]), { range })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    const fresh = new ZipLayout();
    const entry: ZipEntry = { path: 'a', kind: 'file', sizeBytes: 1, modifiedMs: 0, crc32: null, contentRef: null };
    for (const path of ['', '/a', 'a/', 'a//b', '../a', 'a/..', './a', 'a\\b', 'C:a', 'a\0', 'x'.repeat(70_000)]) {
      expect(() => fresh.add({ ...entry, path })).toThrow(expect.objectContaining({ code: 'NAME_ILLEGAL' }));
    }
    for (const wrong of [
      { sizeBytes: -1 },
      { sizeBytes: 1.5 },
      { modifiedMs: NaN },
      { modifiedMs: 9e15 },
      { crc32: -1 },
      { kind: 'folder' as const },
    ]) {
      expect(() => fresh.add({ ...entry, ...wrong })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    expect(fresh.entryCount).toBe(0);
  });
});

describe('large archives', () => {
  it('holds more entries than 16 bits can count', async () => {
    const count = 70_000;
    const layout = new ZipLayout();
    for (let index = 0; index < count; index += 1) {
      layout.add({
        path: `d${Math.floor(index / 500)}/f${index}`,
        kind: 'file',
        sizeBytes: 3,
        modifiedMs: index,
        crc32: crc32('abc'),
        contentRef: null,
      });
    }
    const bytes = await collect(streamZip(layout, () => Promise.resolve(Buffer.from('abc'))));
    expect(bytes.length).toBe(layout.totalBytes);
    const found = await extract(bytes, false);
    expect(found.length).toBe(count);
    expect(found.at(-1)).toMatchObject({ path: 'd139/f69999', modifiedMs: 69_999 });
    const start = layout.totalBytes - 2_000_001;
    const tail = await collect(
      streamZip(layout, () => Promise.reject(new Error('not needed')), { range: { start, endInclusive: bytes.length - 1 } }),
    );
    expect(tail.equals(bytes.subarray(start))).toBe(true);
  }, 30_000);

  it('is readable beyond 4 GiB through ranges alone', async () => {
    const sizes = [5 * GIB + 3, 7, 0xffffffff, 0xfffffffe, 3 * GIB, 11];
    const { layout, open } = sparse(sizes, true);
    expect(layout.totalBytes).toBeGreaterThan(16 * GIB);
    const reader = new (class extends yauzl.RandomAccessReader {
      override _readStreamForRange(start: number, end: number): Readable {
        return streamZip(layout, open, { range: { start, endInclusive: end - 1 } });
      }
    })();
    const zip = await yauzl.fromRandomAccessReaderPromise(reader, layout.totalBytes, { autoClose: false });
    const found: number[] = [];
    for await (const entry of zip.eachEntry()) {
      found.push(entry.uncompressedSize);
      const header = await zip.readLocalFileHeaderPromise(entry);
      expect(header.fileName.toString()).toBe(entry.fileName);
      if (entry.uncompressedSize > 100) continue;
      const content = await collect(await zip.openReadStreamPromise(entry));
      expect(content.equals(sparseBytes(0, entry.uncompressedSize))).toBe(true);
    }
    expect(found).toEqual(sizes);
  });

  it('streams an entry of more than 4 GiB and resumes it', async () => {
    const { layout, open } = sparse([4 * GIB + 10 * 1024 ** 2, 5], false);
    const from = 4 * GIB + 3 * 1024 ** 2 + 1;
    const learned: number[] = [];
    const whole = await hashFrom(streamZip(layout, open, { onCrc: (_entry, crc) => learned.push(crc) }), from);
    expect(whole.bytes).toBe(layout.totalBytes);
    const again = new ZipLayout({ descriptors: 'always' });
    for (const { entry } of layout.entriesAt(0)) again.add({ ...entry, crc32: learned[entry.index] ?? null });
    const starts = new Map<number, number>();
    const opened = (entry: StoredEntry, at: number): Promise<Readable> => {
      starts.set(entry.index, at);
      return open(entry, at);
    };
    const rest = await hashFrom(streamZip(again, opened, { range: { start: from, endInclusive: again.totalBytes - 1 } }), 0);
    expect(rest).toEqual({ bytes: layout.totalBytes - from, sha256: whole.sha256 });
    expect(starts.get(0)).toBeGreaterThan(4 * GIB);
  }, 60_000);
});

/** Entries of the given sizes whose content is computed: byte n is the same in every entry, so that any part is known. */
function sparse(sizes: readonly number[], crcKnown: boolean): { layout: ZipLayout; open: (entry: StoredEntry, at: number) => Promise<Readable> } {
  const layout = new ZipLayout({ descriptors: 'always' });
  sizes.forEach((sizeBytes, index) => {
    const crc = crcKnown ? (sizeBytes < 100 ? crc32(sparseBytes(0, sizeBytes)) : 1) : null;
    layout.add({ path: `big-${index}.bin`, kind: 'file', sizeBytes, modifiedMs: index, crc32: crc, contentRef: null });
  });
  return { layout, open: (entry, at) => Promise.resolve(Readable.from(sparseChunks(at, entry.sizeBytes), { objectMode: false })) };
}

const PATTERN = contentOf(1024 ** 2, 5);

function sparseBytes(from: number, to: number): Buffer {
  return PATTERN.subarray(from % PATTERN.length, (from % PATTERN.length) + to - from);
}

function* sparseChunks(from: number, sizeBytes: number): Generator<Buffer> {
  for (let at = from; at < sizeBytes;) {
    const next = Math.min(sizeBytes, at - (at % PATTERN.length) + PATTERN.length);
    yield sparseBytes(at, next);
    at = next;
  }
}

/** Bytes of the stream, and SHA-256 of those from `from` on. */
async function hashFrom(stream: Readable, from: number): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const skip = Math.max(0, from - bytes);
    if (skip < chunk.length) hash.update(chunk.subarray(skip));
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}
