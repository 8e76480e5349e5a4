import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';

import { afterAll, beforeAll, test } from 'vitest';

import { ArchiveNames, deflateZip, type OpenContent, streamZip, ZipEntryLog, ZipLayout } from '#libs/archives';
import { number, report } from './support/report.js';

const MIB = 1024 * 1024;
const BENCH = 'zip-writer';

/** Reads a stream to its end without keeping anything; returns its bytes. `onChunk` is called between the chunks. */
async function drain(stream: Readable, onChunk: () => void = () => undefined): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    onChunk();
  }
  return bytes;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** The best of three: the machine is shared, and the best run is the one least disturbed. */
async function best(work: () => Promise<unknown>): Promise<number> {
  return Math.min(await seconds(work), await seconds(work), await seconds(work));
}

/** One big file from disk, against a bare stream of the same file. */
async function bigFile(folder: string, sizeBytes: number): Promise<void> {
  const path = join(folder, 'big.bin');
  const block = Buffer.alloc(MIB);
  for (let at = 0; at < MIB; at += 4) block.writeUInt32LE((at * 2_654_435_761) % 0x100000000, at);
  await writeFile(
    path,
    (function* () {
      for (let at = 0; at < sizeBytes; at += MIB) yield block;
    })(),
  );
  const open: OpenContent = (_entry, start) => Promise.resolve(createReadStream(path, { start, highWaterMark: MIB }));
  const layout = new ZipLayout();
  layout.add({ path: 'big.bin', kind: 'file', sizeBytes, modifiedMs: 0, crc32: null, contentRef: null });
  const bare = await best(() => drain(createReadStream(path, { highWaterMark: MIB })));
  const zip = await best(() => drain(streamZip(layout, open)));
  const rate = sizeBytes / 1e6 / zip;
  report({
    bench: BENCH,
    what: `one file of ${sizeBytes / MIB} MiB, CRC computed on the way`,
    measured: `${number(rate)} MB/s, ${number((100 * bare) / zip)} % of a bare stream (${number(sizeBytes / 1e6 / bare)} MB/s)`,
    limit: '>= 1,500 MB/s',
    kept: rate >= 1500,
  });
}

/** Many files of 4 KiB from disk: read at once, as streams, and deflated. */
async function smallFiles(folder: string, count: number): Promise<void> {
  const content = Buffer.from(Array.from({ length: 4096 }, (_, at) => 97 + ((at * at) % 23)));
  const layout = new ZipLayout();
  const log = new ZipEntryLog();
  const pathOf = (index: number): string => join(folder, `d${Math.floor(index / 1000)}`, `${index}.txt`);
  for (let index = 0; index < count; index += 1) {
    if (index % 1000 === 0) await mkdir(join(folder, `d${index / 1000}`));
    await writeFile(pathOf(index), content);
    const crc = index % 2 === 0 ? crc32(content) : null;
    const entry = {
      path: `d${Math.floor(index / 1000)}/${index}.txt`,
      kind: 'file' as const,
      sizeBytes: 4096,
      modifiedMs: index,
      crc32: crc,
      contentRef: null,
    };
    layout.add(entry);
    log.add({ ...entry, deflate: true });
  }
  const atOnce: OpenContent = (entry) => readFile(pathOf(entry.index));
  const streamed: OpenContent = (entry, start) => Promise.resolve(createReadStream(pathOf(entry.index), { start }));
  const forms: [string, () => Readable][] = [
    ['read at once', () => streamZip(layout, atOnce)],
    ['read as streams', () => streamZip(layout, streamed)],
    ['deflated, level 6', () => deflateZip(log, atOnce)],
  ];
  for (const [form, make] of forms) {
    const rate = count / (await best(() => drain(make())));
    report({
      bench: BENCH,
      what: `${number(count)} files of 4 KiB, ${form}`,
      measured: `${number(rate)} files/s`,
      limit: '>= 3,000 files/s',
      kept: rate >= 3000,
    });
  }
}

/** Names, layout and stream of very many entries: what they add to the process's memory at the highest point. */
async function memory(count: number): Promise<void> {
  const content = Buffer.alloc(16, 'x');
  const crc = crc32(content);
  const open: OpenContent = () => Promise.resolve(content);
  const build = (entries: number): ZipLayout => {
    const names = new ArchiveNames({ windows: true });
    const layout = new ZipLayout();
    let folder = '';
    for (let index = 0; index < entries; index += 1) {
      if (index % 100 === 0) folder = names.place('', `Department ${index % 7}, project number ${index}`, 'folder');
      const path = names.place(folder, `Quarterly report ${index} (final version).docx`, 'file');
      const contentRef = `0190${index.toString(16).padStart(4, '0').slice(0, 4)}-aaaa-7bbb-8ccc-${index.toString(16).padStart(12, '0')}`;
      layout.add({ path, kind: 'file', sizeBytes: 16, modifiedMs: 1_700_000_000_000 + index, crc32: index % 2 === 0 ? crc : null, contentRef });
    }
    return layout;
  };
  // A process at work: its young generation has its full size and the code is compiled. Neither belongs to this archive.
  for (let round = 0; round < 25; round += 1) await drain(streamZip(build(10_000), open));
  const before = process.memoryUsage().rss;
  let peak = before;
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage().rss);
  };
  let layout = new ZipLayout();
  const building = await seconds(() => Promise.resolve((layout = build(count))).then(look));
  const streaming = await seconds(() => drain(streamZip(layout, open), look));
  const extra = (peak - before) / MIB;
  report({
    bench: BENCH,
    what: `${number(count)} entries, ${number(layout.totalBytes / MIB)} MiB`,
    measured: `${number(extra)} MiB more resident memory at the peak; layout ${building.toFixed(1)} s, stream ${streaming.toFixed(1)} s`,
    limit: '<= 64 MiB',
    kept: extra <= 64,
  });
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stowage-zip-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('memory of 500,000 entries', () => memory(500_000));
test('one big file', () => bigFile(folder, 2048 * MIB));
test('many small files', () => smallFiles(folder, 10_000));
