import { afterAll, beforeAll, test } from 'vitest';

import { CloudikeUser } from '../support/cloudike-user.js';
import type { Stack } from '../support/stack.js';
import { startStack } from '../support/stack.js';
import { Subscriber } from '../support/subscriber.js';
import { number, report } from './support/report.js';

const LIMIT_MS = 200;
const USERS = 50;
const WRITES = 1_500;
const WRITERS = 4;

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ apis: 2, env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_LOG_LEVEL: 'error' } });
});
afterAll(() => stack.stop());

test('event to websocket, from the moment it is recorded to the socket on the other api', async () => {
  const [first = '', second = ''] = stack.baseUrls;
  const users: CloudikeUser[] = [];
  for (let index = 0; index < USERS; index++) users.push(await CloudikeUser.register(first));
  const sockets = await Promise.all(users.map((user) => Subscriber.listening(second, `token=${user.token}`)));
  const calledMs = new Map<string, number>();
  const delays: number[] = [];
  const fromCall: number[] = [];
  const done = sockets.map(
    (socket) =>
      new Promise<void>((resolve) => {
        let seen = 0;
        socket.socket.on('message', (data: Buffer) => {
          const now = performance.now();
          const nowMs = Date.now();
          for (const event of JSON.parse(data.toString()) as { type: string; path: string; timestamp: number }[]) {
            if (event.type !== 'folder_created') continue;
            delays.push(nowMs - event.timestamp);
            fromCall.push(now - calledMs.get(event.path)!);
            if (++seen === WRITES / USERS) resolve();
          }
        });
      }),
  );
  let next = 0;
  const write = async () => {
    for (let index = next++; index < WRITES; index = next++) {
      const path = `/${index}`;
      calledMs.set(path, performance.now());
      await users[index % USERS]!.mkdir(path);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  await Promise.all(done);
  for (const socket of sockets) await socket.close();
  const p95 = at(delays, 0.95);
  report({
    bench: 'realtime',
    what: `event to websocket on another api, ${USERS} sockets, ${WRITERS} writers`,
    measured: `p95 ${number(p95)} ms (${Math.round((p95 / LIMIT_MS) * 100)} % of the limit), p50 ${number(at(delays, 0.5))} ms; from the call p95 ${number(at(fromCall, 0.95))} ms`,
    limit: `p95 ${LIMIT_MS} ms`,
    kept: p95 <= LIMIT_MS,
  });
});

function at(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;
}
