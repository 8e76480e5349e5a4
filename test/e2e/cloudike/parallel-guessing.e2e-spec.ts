import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { BreakableProxy } from '../../support/breakable-proxy.js';
import { CloudikeUser } from '../../support/cloudike-user.js';
import { PASSWORD } from '../../support/companies.js';
import { HttpSession } from '../../support/http-session.js';
import { available, testRedisUrl } from '../../support/services.js';
import { type Stack, startStack } from '../../support/stack.js';

// Nobody gets more tries at a password than the limit, however many are sent at once, and whatever becomes of Redis meanwhile.

const LIMIT = 10;
const CROWD = 200;
const withRedis = available.redis;

let stack: Stack;
let db: pg.Client;
let redis: BreakableProxy | undefined;
let doors: HttpSession[];

beforeAll(async () => {
  let url: string | undefined;
  if (withRedis) ({ proxy: redis, url } = await BreakableProxy.inFrontOf(await testRedisUrl()));
  stack = await startStack({ mode: 'embedded', apis: 2, env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', ...(url ? { REDIS_URL: url } : {}) } });
  db = new pg.Client(stack.databaseUrl);
  await db.connect();
  // each comparison that failed writes the fingerprint of what was compared: the database counts them, whatever was answered
  await db.query(`
    CREATE TABLE test_guesses (login_key text NOT NULL);
    CREATE FUNCTION test_count_guess() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO test_guesses VALUES (NEW.login_key);
        RETURN NULL;
      END
    $$;
    CREATE TRIGGER zz_test_guess AFTER UPDATE ON login_guards FOR EACH ROW
      WHEN (NEW.last_failed_secret IS DISTINCT FROM OLD.last_failed_secret) EXECUTE FUNCTION test_count_guess();
  `);
  doors = stack.baseUrls.map((each) => new HttpSession(each, {}, CROWD));
});
afterEach(() => redis?.restore());
afterAll(async () => {
  for (const door of doors ?? []) door.close();
  await db?.end();
  await stack?.stop();
  await redis?.close();
});

const guess = async (email: string, nth: number): Promise<string> => {
  const body = new URLSearchParams({ email, password: `wrong ${nth}` }).toString();
  const answer = await doors[nth % doors.length]!.send('/api/1/accounts/login/', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
  return `${answer.status} ${String(answer.json()['code'])}`;
};
const compared = async (email: string): Promise<number> => {
  const { rows } = await db.query<{ n: number }>('SELECT count(*)::int AS n FROM test_guesses WHERE login_key = $1', [`email:${email}`]);
  return rows[0]!.n;
};

/** 200 guesses at once, while `meanwhile` happens to Redis. */
async function storm(email: string, meanwhile: () => void = () => undefined): Promise<void> {
  let answered = 0;
  const answers = await Promise.all(
    Array.from({ length: CROWD }, async (_, nth) => {
      const answer = await guess(email, nth);
      if (++answered === 3) meanwhile();
      return answer;
    }),
  );
  const known = /^(401 (Unauthorized|LastAttempt)|403 UserTemporarilyLocked|429 TooManyRequests)$/;
  expect(answers.filter((answer) => !known.test(answer))).toEqual([]);
  // what was not compared never says that the password is wrong
  expect(answers.filter((answer) => answer.startsWith('401 ')).length).toBeLessThanOrEqual(LIMIT - 1);
  expect(await compared(email)).toBeLessThanOrEqual(LIMIT);
  expect(await compared(email)).toBeGreaterThan(0);
}

/** Even the right password does not get in any more once all tries are used up. */
async function usedUp(email: string): Promise<void> {
  for (let nth = 0; nth < 2 * LIMIT; nth++) await guess(email, 1_000 + nth);
  expect(await compared(email)).toBeLessThanOrEqual(LIMIT);
  const answer = await doors[1]!.send(`/api/1/accounts/login/?${new URLSearchParams({ email, password: PASSWORD }).toString()}`, { method: 'POST' });
  expect([403, 429]).toContain(answer.status);
}

const nobody = () => `nobody-${Math.random().toString(36).slice(2)}@example.org`;

describe('200 guesses at once, at two api processes', () => {
  it(`never have more than ${LIMIT} tries${withRedis ? ' with Redis' : ' without Redis'}, for a login of somebody and of nobody`, async () => {
    const { email } = await CloudikeUser.register(stack.baseUrl);
    await Promise.all([storm(email), storm(nobody())]);
    await usedUp(email);
  });

  // in the embedded default there is none that could go away
  if (!withRedis) return;

  it('never have more with Redis away', async () => {
    const { email } = await CloudikeUser.register(stack.baseUrl);
    redis!.kill();
    await storm(email);
    await usedUp(email);
  });

  it('never have more while Redis goes away, comes back, and hangs', async () => {
    for (const meanwhile of [() => redis!.kill(), () => redis!.restore(), () => redis!.hang(), () => (redis!.kill(), redis!.restore())]) {
      const { email } = await CloudikeUser.register(stack.baseUrl);
      await storm(email, meanwhile);
      await usedUp(email);
    }
  });
});
