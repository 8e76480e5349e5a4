import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import yauzl from 'yauzl';
import type { OpenContent } from '../src/zip/zip-content.js';
import { BUFFERED_BYTES, type ZipEntry } from '../src/zip/zip-entry-log.js';

/** A generated entry together with its content and the way its source hands it out. */
export interface Sample {
  entry: ZipEntry;
  content: Buffer;
  chunkBytes: number;
}

/** What a reader found in an archive. */
export interface Extracted {
  path: string;
  content: Buffer;
  modifiedMs: number;
  crc32: number;
  method: number;
}

/** Bytes that differ from place to place, or that compress well. */
export function contentOf(sizeBytes: number, seed: number, compressible = false): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = seed | 1;
  for (let index = 0; index < sizeBytes; index += 1) {
    state = (Math.imul(state, 1103515245) + 12345) | 0;
    bytes[index] = compressible ? 97 + ((state >>> 28) & 3) : state >>> 20;
  }
  return bytes;
}

const sizeArb = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, BUFFERED_BYTES - 1, BUFFERED_BYTES, BUFFERED_BYTES + 1) },
  { weight: 1, arbitrary: fc.integer({ min: BUFFERED_BYTES + 1, max: BUFFERED_BYTES + 80_000 }) },
);
const dateArb = fc.oneof(
  fc.integer({ min: -0x80000000, max: 0x7fffffff }).map((seconds) => seconds * 1000),
  fc.integer({ min: -11_644_473_600_000, max: 910_000_000_000_000 }),
  fc.constantFrom(0, -1, 1, -1000, 4_354_819_199_000, 2 ** 31 * 1000),
);

/** Random archives: folders, empty files, sizes around the buffering limit, known and unknown CRCs, odd names and dates. */
export const samplesArb: fc.Arbitrary<Sample[]> = fc
  .array(
    fc.record({
      name: fc.oneof(fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,3}){0,3}$/), fc.constantFrom('é', 'e\u0301', '日本', '😀'.repeat(40))),
      folder: fc.nat(5).map((value) => value === 0),
      sizeBytes: sizeArb,
      modifiedMs: dateArb,
      crcKnown: fc.boolean(),
      compressible: fc.boolean(),
      chunkBytes: fc.constantFrom(0, 1000, 65_536, 1_048_576),
      ref: fc.oneof(fc.uuid(), fc.constant('blob/key'), fc.constant(null)),
    }),
    { maxLength: 90, size: 'max' },
  )
  .map((items) =>
    items.map((item, index) => {
      const content = contentOf(item.folder ? 0 : item.sizeBytes, index + 1, item.compressible);
      const entry: ZipEntry = {
        path: `${item.name}-${index}`,
        kind: item.folder ? 'folder' : 'file',
        sizeBytes: content.length,
        modifiedMs: item.modifiedMs,
        crc32: item.crcKnown ? crc32(content) : null,
        contentRef: item.ref,
        deflate: item.compressible,
      };
      return { entry, content, chunkBytes: item.chunkBytes };
    }),
  );

/** Opens samples by index; `opened` collects every opening. */
export function openSamples(samples: readonly Sample[], opened: { index: number; startOffset: number }[] = []): OpenContent {
  return (entry, startOffset) => {
    opened.push({ index: entry.index, startOffset });
    const sample = samples[entry.index] as Sample;
    const bytes = sample.content.subarray(startOffset);
    return Promise.resolve(sample.chunkBytes === 0 ? bytes : Readable.from(slices(bytes, sample.chunkBytes), { objectMode: false }));
  };
}

function* slices(bytes: Buffer, step: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

/** The whole stream in one buffer. */
export async function collect(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

/** Reads the stream to its end and tells its length: what to compare when a report of megabytes would help nobody. */
export async function lengthOf(stream: Readable): Promise<number> {
  return (await collect(stream)).length;
}

/** Reads an archive with an independent reader, entry contents included unless told otherwise. */
export async function extract(source: Buffer | { reader: yauzl.RandomAccessReader; totalBytes: number }, withContent = true): Promise<Extracted[]> {
  const zip = await (Buffer.isBuffer(source)
    ? yauzl.fromBufferPromise(source, { validateEntrySizes: true })
    : yauzl.fromRandomAccessReaderPromise(source.reader, source.totalBytes, {}));
  const found: Extracted[] = [];
  for await (const entry of zip.eachEntry()) {
    const content = withContent && !entry.fileName.endsWith('/') ? await collect(await zip.openReadStreamPromise(entry)) : Buffer.alloc(0);
    found.push({ path: entry.fileName, content, modifiedMs: modifiedMsOf(entry), crc32: entry.crc32, method: entry.compressionMethod });
  }
  return found;
}

/** The most exact time a central record holds, in milliseconds; the reader's own conversion loses some in floating point. */
function modifiedMsOf(entry: yauzl.Entry): number {
  const ntfs = entry.extraFields.find((field) => field.id === 0x000a);
  if (ntfs !== undefined) return Number(ntfs.data.readBigUInt64LE(8) / 10_000n - 11_644_473_600_000n);
  const unix = entry.extraFields.find((field) => field.id === 0x5455);
  if (unix === undefined) throw new Error(`no time in ${entry.fileName}`);
  return unix.data.readInt32LE(1) * 1000;
}
