import pg from 'pg';
import { afterAll, beforeAll, test } from 'vitest';

import type { CloudikeUser } from '../support/cloudike-user.js';
import { HttpSession } from '../support/http-session.js';
import type { Stack } from '../support/stack.js';
import { newUser, startBaseline, startBenchStack } from './support/bench-stack.js';
import { load } from './support/measure.js';
import { number, report } from './support/report.js';

let stack: Stack;
let user: CloudikeUser;

beforeAll(async () => {
  stack = await startBenchStack();
  user = await newUser(stack);
});
afterAll(() => stack.stop());

test('metadata of one node by path, 6 deep, 16 clients', async () => {
  await user.mkdir('/a/b/c/d/e/f');
  const database = new pg.Client(stack.env['DATABASE_URL']);
  await database.connect();
  const { rows } = await database.query<{ id: string }>('SELECT id FROM nodes LIMIT 1');
  await database.end();
  const bare = await startBaseline('nest-pg.mjs', { DATABASE_URL: stack.env['DATABASE_URL']! });
  const bareHttp = new HttpSession(bare.url);
  const bareCall = async () => void (await bareHttp.send(`/nodes/${rows[0]!.id}`));
  const ourCall = async () => void (await user.http.send('/api/1/metadata/a/b/c/d/e/f?listing=false'));
  await load(2000, 16, bareCall);
  await load(2000, 16, ourCall);
  const ratios: number[] = [];
  let ours = 0;
  for (let round = 0; round < 3; round++) {
    const limit = await load(6000, 16, bareCall);
    const result = await load(6000, 16, ourCall);
    ratios.push(result.perSecond / limit.perSecond);
    ours = Math.max(ours, result.perSecond);
  }
  bareHttp.close();
  await bare.stop();
  const ratio = ratios.sort((a, b) => a - b)[1]!;
  report({
    bench: 'metadata',
    what: 'one node by path, 6 deep, 16 clients',
    measured: `${Math.round(ratio * 100)} % of a bare Nest + pg handler, ${number(ours)}/s`,
    limit: '50 %, 1,500/s',
    kept: ratio >= 0.5 && ours >= 1500,
  });
});

test('create folders, 8 clients', async () => {
  await user.mkdir('/many');
  const result = await load(4000, 8, async (index) => void (await user.mkdir(`/many/${index % 40}-${index}`)));
  report({
    bench: 'metadata',
    what: 'create folders, 8 clients',
    measured: `${number(result.perSecond)}/s`,
    limit: '700/s',
    kept: result.perSecond >= 700,
  });
});
