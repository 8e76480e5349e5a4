import { afterAll, beforeAll, test } from 'vitest';

import { type CloudikeUser, encodePath, type WireNode } from '../support/cloudike-user.js';
import type { Stack } from '../support/stack.js';
import { newUser, startBenchStack } from './support/bench-stack.js';
import { quantile, timed } from './support/measure.js';
import { number, report } from './support/report.js';
import { seedTree } from './support/seed-tree.js';

const SIZES = [10_000, 100_000, 1_000_000];
let stack: Stack;
let user: CloudikeUser;
const counts = new Map<number, number>();

beforeAll(async () => {
  stack = await startBenchStack();
  user = await newUser(stack);
  for (const size of SIZES) counts.set(size, (await seedTree(stack.env['DATABASE_URL']!, user.userId, `tree ${size}`, size)).nodeCount);
  await user.mkdir('/elsewhere');
}, 600_000);
afterAll(() => stack.stop());

async function median(work: () => Promise<unknown>, undo?: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    times.push(await timed(work));
    await undo?.();
  }
  return quantile(times, 0.5);
}

test.each(SIZES)('a folder with %i descendants', async (size) => {
  const path = `/tree ${size}`;
  const moved = `/elsewhere/tree ${size}`;
  const move = await median(
    () => user.http.form('/api/1/fileops/move/', { from_path: path, to_path: '/elsewhere' }),
    () => user.http.form('/api/1/fileops/move/', { from_path: moved, to_path: '/' }),
  );
  const rename = await median(
    () => user.http.form('/api/1/fileops/rename/', { path, newname: 'renamed' }),
    () => user.http.form('/api/1/fileops/rename/', { path: '/renamed', newname: `tree ${size}` }),
  );
  const trash = await median(
    () => user.http.form('/api/1/fileops/delete/', { path }),
    () => user.http.form('/api/1/fileops/undelete/', { path }),
  );
  await user.http.form('/api/1/fileops/delete/', { path });
  const restore = await median(
    () => user.http.form('/api/1/fileops/undelete/', { path }),
    () => user.http.form('/api/1/fileops/delete/', { path }),
  );
  await user.http.form('/api/1/fileops/undelete/', { path });
  const worst = Math.max(move, rename, trash, restore);
  report({
    bench: 'tree',
    what: `move, rename, trash, restore with ${number(counts.get(size)!)} nodes`,
    measured: [move, rename, trash, restore].map((ms) => `${ms.toFixed(1)} ms`).join(', '),
    limit: '100 ms each',
    kept: worst <= 100,
  });
  const totals = await median(() => user.http.get(`/api/1/fileops/folder_info/?path=${encodePath(path)}`));
  report({
    bench: 'tree',
    what: `size and count of ${number(counts.get(size)!)} nodes`,
    measured: `${totals.toFixed(0)} ms`,
    limit: '250 ms',
    kept: totals <= 250,
  });
});

test('copy of 100,000 nodes', async () => {
  const ms = await timed(() => user.http.form<WireNode>('/api/1/fileops/copy/', { from_path: '/tree 100000', to_path: '/elsewhere' }));
  const rate = counts.get(100_000)! / (ms / 1000);
  report({ bench: 'tree', what: 'copy of 100,000 nodes', measured: `${number(rate)} nodes/s`, limit: '20,000 nodes/s', kept: rate >= 20_000 });
});
