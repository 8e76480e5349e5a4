import { afterAll, beforeAll, test } from 'vitest';

import type { CloudikeUser } from '../support/cloudike-user.js';
import type { Stack } from '../support/stack.js';
import { newUser, startBenchStack } from './support/bench-stack.js';
import { load, quantile, timed } from './support/measure.js';
import { report } from './support/report.js';
import { seedFlatFolder } from './support/seed-tree.js';

let stack: Stack;
let user: CloudikeUser;

beforeAll(async () => {
  stack = await startBenchStack();
  user = await newUser(stack);
  await seedFlatFolder(stack.env['DATABASE_URL']!, user.userId, 'ten thousand', 10_000);
  await seedFlatFolder(stack.env['DATABASE_URL']!, user.userId, 'a million', 1_000_000);
}, 300_000);
afterAll(() => stack.stop());

test('a folder of 10,000 whole', async () => {
  const times: number[] = [];
  for (let round = 0; round < 12; round++) times.push(await timed(() => user.http.send('/api/1/metadata/ten%20thousand')));
  const median = quantile(times.slice(2), 0.5);
  report({
    bench: 'listing',
    what: 'a folder of 10,000 whole, to the last byte',
    measured: `${median.toFixed(0)} ms`,
    limit: '60 ms',
    kept: median <= 60,
  });
});

test('pages of 200 out of 1,000,000', async () => {
  const first = await load(100, 1, async () => void (await user.metadata('/a million', { limit: 200 })));
  const { rows } = await lastPageCursor();
  const last = await load(100, 1, async () => void (await user.metadata('/a million', { limit: 200, cursor: rows })));
  const worst = Math.max(first.p95Ms, last.p95Ms);
  report({
    bench: 'listing',
    what: 'page of 200 out of 1,000,000, first and last',
    measured: `p95 ${first.p95Ms.toFixed(1)} ms and ${last.p95Ms.toFixed(1)} ms`,
    limit: '60 ms',
    kept: worst <= 60,
  });
});

/** The cursor of the last page, found by walking descending names: the page before the end of the ascending order. */
async function lastPageCursor(): Promise<{ rows: string }> {
  const page = await user.http.get<{ next_cursor: string | null; content: unknown[] }>('/api/1/metadata/a%20million?limit=200&offset=999600');
  if (!page.next_cursor) throw new Error('the page before the last one has no next_cursor');
  return { rows: page.next_cursor };
}

test('an unchanged folder with If-None-Match', async () => {
  const { headers } = await user.http.send('/api/1/metadata/a%20million?limit=1');
  const conditional = { headers: { 'if-none-match': String(headers['etag']) } };
  const result = await load(500, 1, async () => {
    const reply = await user.http.send('/api/1/metadata/a%20million?limit=1', conditional);
    if (reply.status !== 304) throw new Error(`answered ${reply.status}`);
  });
  report({
    bench: 'listing',
    what: 'unchanged folder of 1,000,000 with If-None-Match',
    measured: `p95 ${result.p95Ms.toFixed(1)} ms`,
    limit: '60 ms',
    kept: result.p95Ms <= 60,
  });
});
