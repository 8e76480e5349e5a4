import { createHash, randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';

import { afterAll, beforeAll, test } from 'vitest';

import type { CloudikeUser } from '../support/cloudike-user.js';
import type { Stack } from '../support/stack.js';
import { newUser, startBenchStack } from './support/bench-stack.js';
import { load, timed } from './support/measure.js';
import { number, report } from './support/report.js';

const MIB = 1024 * 1024;
let stack: Stack;
let user: CloudikeUser;

beforeAll(async () => {
  stack = await startBenchStack();
  user = await newUser(stack);
  const big = randomBytes(256 * MIB);
  for (let index = 0; index < 4; index++) await user.upload(`/big/${index}.bin`, big);
  const small = randomBytes(4096);
  await load(5000, 8, async (index) => void (await user.upload(`/small/${index % 50}/${index}.bin`, small)));
}, 600_000);
afterAll(() => stack.stop());

async function streamed(path: string): Promise<{ ms: number; bytes: number }> {
  const { url } = await user.http.form<{ url: string }>('/api/1/files/download_as_archive_stream/', { path });
  return drained(url);
}

async function drained(url: string): Promise<{ ms: number; bytes: number }> {
  let bytes = 0;
  const counter = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      done();
    },
  });
  return { ms: await timed(() => user.http.send(url, { sink: counter })), bytes };
}

test('zip stream of big files', async () => {
  await streamed('/big');
  const { ms, bytes } = await streamed('/big');
  const rate = bytes / 1e6 / (ms / 1000);
  const { url } = await user.http.get<{ url: string }>('/api/1/files/get/big/0.bin');
  const plain = await drained(url);
  const share = rate / (plain.bytes / 1e6 / (plain.ms / 1000));
  report({
    bench: 'archive',
    what: 'zip stream of 4 x 256 MiB',
    measured: `${number(rate)} MB/s, ${Math.round(share * 100)} % of a plain download`,
    limit: '1,500 MB/s where a plain stream gives 2,240: 67 %',
    kept: share >= 0.67,
  });
});

test('zip stream of small files', async () => {
  await streamed('/small');
  const { ms } = await streamed('/small');
  const rate = 5000 / (ms / 1000);
  report({
    bench: 'archive',
    what: 'zip stream of 5,000 files of 4 KiB',
    measured: `${number(rate)} files/s`,
    limit: '3,000 files/s',
    kept: rate >= 3000,
  });
});

test('resume by Range gives the same bytes', async () => {
  const { url } = await user.http.form<{ url: string }>('/api/1/files/download_as_archive_stream/', { path: '/small' });
  const whole = (await user.http.send(url)).body;
  const middle = Math.floor(whole.length / 3);
  const rest = (await user.http.send(url, { headers: { range: `bytes=${middle}-` } })).body;
  const same = createHash('sha256').update(whole.subarray(0, middle)).update(rest).digest('hex') === createHash('sha256').update(whole).digest('hex');
  report({
    bench: 'archive',
    what: 'the rest of a stream by Range',
    measured: same ? 'same SHA-256' : 'other bytes',
    limit: 'same SHA-256',
    kept: same,
  });
});
