import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';

import { afterAll, beforeAll, test } from 'vitest';

import type { CloudikeUser } from '../support/cloudike-user.js';
import { HttpSession } from '../support/http-session.js';
import type { Stack } from '../support/stack.js';
import { newUser, startBaseline, startBenchStack } from './support/bench-stack.js';
import { quantile, timed } from './support/measure.js';
import { number, report } from './support/report.js';

const MIB = 1024 * 1024;
const SIZE_MIB = 1024;
const block = randomBytes(4 * MIB);
let stack: Stack;
let user: CloudikeUser;

beforeAll(async () => {
  stack = await startBenchStack();
  user = await newUser(stack);
});
afterAll(() => stack.stop());

const source = () =>
  Readable.from(
    (function* () {
      for (let sent = 0; sent < SIZE_MIB; sent += 4) yield block;
    })(),
    { objectMode: false, highWaterMark: 4 * MIB },
  );
const sink = () => new Writable({ write: (_chunk, _encoding, done) => done(), highWaterMark: 4 * MIB });
const rate = (ms: number) => SIZE_MIB / (ms / 1000);

test('1 GiB up and down, and a bare node server doing the same', async () => {
  const rawFolder = await mkdtemp(join(stack.dataDir, 'raw-'));
  const raw = await startBaseline('raw-bytes.mjs', {}, [rawFolder]);
  const rawHttp = new HttpSession(raw.url);
  const length = { 'content-length': String(SIZE_MIB * MIB) };
  const up: number[] = [];
  const down: number[] = [];
  let last = { up: 0, down: 0 };
  for (let round = 0; round < 3; round++) {
    const rawUp = await timed(() => rawHttp.send('/', { method: 'PUT', headers: length, body: source() }));
    const ticket = await user.createUpload(`/large-${round}.bin`, { size: SIZE_MIB * MIB });
    const ourUp = await timed(() => user.http.send(ticket.url, { method: ticket.method, headers: { ...ticket.headers, ...length }, body: source() }));
    await user.http.form(ticket.confirm_url, {});
    const { url } = await user.http.get<{ url: string }>(`/api/1/files/get/large-${round}.bin`);
    const rawDown = await timed(() => rawHttp.send('/', { sink: sink() }));
    const ourDown = await timed(() => user.http.send(url, { sink: sink() }));
    up.push(rawUp / ourUp);
    down.push(rawDown / ourDown);
    last = { up: rate(ourUp), down: rate(ourDown) };
    await user.http.form('/api/1/fileops/delete/', { path: `/large-${round}.bin`, without_trash: true });
  }
  rawHttp.close();
  await raw.stop();
  await rm(rawFolder, { recursive: true });
  const upShare = quantile(up, 0.5);
  const downShare = quantile(down, 0.5);
  report({
    bench: 'large-file',
    what: 'upload of 1 GiB, durable, md5 and SHA-256 known',
    measured: `${Math.round(upShare * 100)} % of a raw PUT + fsync, ${number(last.up)} MiB/s`,
    limit: '90 %',
    kept: upShare >= 0.9,
  });
  report({
    bench: 'large-file',
    what: 'download of 1 GiB',
    measured: `${Math.round(downShare * 100)} % of a bare stream, ${number(last.down)} MiB/s`,
    limit: '80 %',
    kept: downShare >= 0.8,
  });
}, 600_000);
