import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, test } from 'vitest';

import type { CloudikeUser, UploadTicket } from '../support/cloudike-user.js';
import type { Stack } from '../support/stack.js';
import { newUser, startBenchStack } from './support/bench-stack.js';
import { load, timed } from './support/measure.js';
import { number, report } from './support/report.js';

const COUNT = 2000;
const content = randomBytes(4096);
let stack: Stack;
let user: CloudikeUser;

beforeAll(async () => {
  stack = await startBenchStack();
  user = await newUser(stack);
  for (let folder = 0; folder < 20; folder++) await user.mkdir(`/small/${folder}`);
  await load(200, 8, async (index) => void (await user.upload(`/small/warm-${index}`, content)));
});
afterAll(() => stack.stop());

test('4 KiB files one by one', async () => {
  const result = await load(COUNT, 8, async (index) => void (await user.upload(`/small/${index % 20}/one-${index}`, content)));
  report({
    bench: 'small-files',
    what: '4 KiB files through create, put, confirm; 8 clients',
    measured: `${number(result.perSecond)} files/s`,
    limit: '450 files/s',
    kept: result.perSecond >= 450,
  });
});

test('4 KiB files with multi_confirm', async () => {
  const tickets: UploadTicket[] = [];
  const single = await load(COUNT, 8, async (index) => {
    const ticket = await user.createUpload(`/small/${index % 20}/many-${index}`, { size: content.length });
    await user.put(ticket, content);
    tickets.push(ticket);
  });
  const oneByOne = await load(400, 8, async () => void (await user.http.form(tickets.pop()!.confirm_url, {})));
  const ms = await timed(async () => {
    const { taskid } = await user.http.form<{ taskid: string }>('/api/1/files/multi_confirm/', {
      confirm_urls: tickets.map((ticket) => ticket.confirm_url),
    });
    await user.finished(taskid);
  });
  const rate = tickets.length / (ms / 1000);
  report({
    bench: 'small-files',
    what: `multi_confirm of ${number(tickets.length)} against confirm one by one (uploads: ${number(single.perSecond)}/s)`,
    measured: `${number(rate)} against ${number(oneByOne.perSecond)} confirms/s, ${(rate / oneByOne.perSecond).toFixed(1)}x`,
    limit: '2x',
    kept: rate >= 2 * oneByOne.perSecond,
  });
});
