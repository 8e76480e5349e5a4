import { afterAll, beforeAll, test } from 'vitest';

import type { CloudikeUser } from '../support/cloudike-user.js';
import type { Stack } from '../support/stack.js';
import { newUser, startBenchStack } from './support/bench-stack.js';
import { load, timed } from './support/measure.js';
import { number, report } from './support/report.js';
import { seedTree } from './support/seed-tree.js';

let stack: Stack;
let user: CloudikeUser;
let other: CloudikeUser;
let nodeCount: number;

beforeAll(async () => {
  stack = await startBenchStack();
  user = await newUser(stack);
  other = await newUser(stack);
  nodeCount = (await seedTree(stack.env['DATABASE_URL']!, user.userId, 'library', 1_000_000)).nodeCount;
  await seedTree(stack.env['DATABASE_URL']!, other.userId, 'mine', 2000);
}, 600_000);
afterAll(() => stack.stop());

test('name search over 1,000,000 nodes', async () => {
  const result = await load(100, 1, async (index) => {
    const query = index % 2 === 0 ? `report ${index * 31}-` : `older ${index * 17}`;
    await user.http.form('/api/1/files/search/', { query, limit: 50 });
  });
  report({
    bench: 'search',
    what: 'substring of a name over 1,000,000 nodes',
    measured: `p95 ${result.p95Ms.toFixed(0)} ms`,
    limit: '150 ms',
    kept: result.p95Ms <= 150,
  });
});

test('purge of 1,000,000 nodes', async () => {
  const listing = () => load(150, 2, async () => void (await other.metadata('/mine', { limit: 200 })));
  await listing();
  const before = await listing();
  const answer = await timed(() => user.http.form('/api/1/fileops/delete/', { path: '/library', without_trash: true }));
  report({
    bench: 'purge',
    what: `answer to a purge of ${number(nodeCount)} nodes`,
    measured: `${answer.toFixed(0)} ms`,
    limit: '200 ms',
    kept: answer <= 200,
  });
  const start = performance.now();
  const usedAtStart = await storageSize();
  const during = await listing();
  const usedAfter = await storageSize();
  const seconds = (performance.now() - start) / 1000;
  // every node of the seed but the folders holds 10 bytes
  const rate = (usedAtStart - usedAfter) / 10 / seconds;
  report({ bench: 'purge', what: 'nodes erased in the background', measured: `${number(rate)} nodes/s`, limit: '3,000 nodes/s', kept: rate >= 3000 });
  const rise = during.p95Ms / before.p95Ms - 1;
  report({
    bench: 'purge',
    what: "another user's listing p95 meanwhile",
    measured: `${before.p95Ms.toFixed(1)} -> ${during.p95Ms.toFixed(1)} ms (${Math.round(rise * 100)} %)`,
    limit: '+20 %',
    kept: rise <= 0.2,
  });
});

async function storageSize(): Promise<number> {
  return (await user.http.get<{ storage_size: number }>('/api/1/accounts/get/')).storage_size;
}
