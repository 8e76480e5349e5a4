import { Test, type TestingModule } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { AppConfig, ConfigModule } from '#libs/config';
import { Database, DatabaseModule } from '#libs/database';
import { Clock } from '#libs/kernel';
import { Limiter, LimiterModule } from '#libs/limiter';
import { Logger, ObservabilityModule } from '#libs/observability';

import { HandClock } from '../support/accounts-house.js';
import { BreakableProxy } from '../support/breakable-proxy.js';
import { createTestDatabase, type TestDatabase, testRedisUrl } from '../support/services.js';

const WINDOW = 900_000;
let database: TestDatabase;
let clock: HandClock;
let count = 0;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => database?.drop());
beforeEach(() => {
  clock = new HandClock();
});

async function start(redisUrl?: string): Promise<TestingModule> {
  const config = new AppConfig({ DATABASE_URL: database.url, STOWAGE_SECRET_KEY: 'k'.repeat(40), REDIS_URL: redisUrl });
  const app = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(config),
      ObservabilityModule.forRoot(Logger.create('silent')),
      DatabaseModule.forRoot({ url: database.url, poolSize: 5, statementTimeoutMs: 10_000, applicationName: 'test' }),
      LimiterModule,
    ],
  })
    .overrideProvider(Clock)
    .useValue(clock)
    .compile();
  await app.init();
  await app.get(Database).run('TRUNCATE limiter_slots');
  return app;
}

const grants = async (limiter: Limiter, bucket: string, tries: number, limit = 10) =>
  (await Promise.all(Array.from({ length: tries }, () => limiter.take(bucket, limit, WINDOW)))).filter((slot) => slot.granted).length;

describe.each(['postgresql', 'redis'] as const)('limiter on %s', (store) => {
  let app: TestingModule;
  let limiter: Limiter;
  let bucket: string;

  beforeEach(async () => {
    app = await start(store === 'redis' ? await testRedisUrl() : undefined);
    limiter = app.get(Limiter);
    bucket = `bucket ${++count} of a@b'; DROP TABLE limiter_slots`;
    return () => app.close();
  });

  it('grants exactly the limit to 200 that ask at once, and tells when to come back', async () => {
    expect(await grants(limiter, bucket, 200)).toBe(10);
    clock.advance(60_000);
    expect(await limiter.take(bucket, 10, WINDOW)).toMatchObject({ granted: false, retryAfterMs: WINDOW - 60_000 });
    expect((await limiter.take(`${bucket} other`, 10, WINDOW)).granted).toBe(true);
    const [{ rows } = { rows: -1 }] = await app
      .get(Database)
      .query<{ rows: number }>(`SELECT count(*) AS rows FROM limiter_slots WHERE expires_at > $1`, [clock.now()]);
    if (store === 'redis') expect(rows).toBe(0);
  });

  it('slides: no window lets more than the limit through, wherever it begins', async () => {
    for (let i = 0; i < 10; i++) {
      expect((await limiter.take(bucket, 10, WINDOW)).granted).toBe(true);
      clock.advance(WINDOW / 10);
    }
    // One slot has ended, so exactly one is free.
    expect(await grants(limiter, bucket, 5)).toBe(1);
    clock.advance(WINDOW / 10);
    expect(await grants(limiter, bucket, 5)).toBe(1);
    clock.advance(WINDOW);
    expect(await grants(limiter, bucket, 20)).toBe(10);
  });

  it('takes slots back, one by one and all of a bucket', async () => {
    const slots = await Promise.all(Array.from({ length: 10 }, () => limiter.take(bucket, 10, WINDOW)));
    expect((await limiter.take(bucket, 10, WINDOW)).granted).toBe(false);
    await slots[3]!.release();
    await slots[3]!.release();
    expect(await grants(limiter, bucket, 5)).toBe(1);
    await limiter.clear(bucket);
    expect(await grants(limiter, bucket, 20)).toBe(10);
  });

  it('keeps a hash of the bucket and nothing of its name', async () => {
    await limiter.take(bucket, 1, WINDOW);
    const rows = await app.get(Database).query<{ bucket: string }>('SELECT bucket FROM limiter_slots');
    for (const row of rows) expect(row.bucket).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('limiter of several processes', () => {
  it.each(['postgresql', 'redis'] as const)('counts together on %s', async (store) => {
    const url = store === 'redis' ? await testRedisUrl() : undefined;
    const apps = await Promise.all([start(url), start(url), start(url)]);
    try {
      const granted = await Promise.all(apps.map((app) => grants(app.get(Limiter), `shared by ${store}`, 50)));
      expect(granted.reduce((sum, value) => sum + value)).toBe(10);
    } finally {
      await Promise.all(apps.map((app) => app.close()));
    }
  });
});

describe('limiter while Redis fails', () => {
  it('counts in PostgreSQL without an error when Redis is killed in the middle, and returns to it', async () => {
    const { proxy, url } = await BreakableProxy.inFrontOf(await testRedisUrl());
    const app = await start(url);
    const limiter = app.get(Limiter);
    try {
      const held = await limiter.take('victim', 10, WINDOW);
      expect(await grants(limiter, 'victim', 4)).toBe(4);
      const racing = Array.from({ length: 30 }, () => limiter.take('victim', 10, WINDOW));
      proxy.kill();
      const during = (await Promise.all(racing)).filter((slot) => slot.granted).length;
      expect(during).toBeLessThanOrEqual(20);
      expect(await grants(limiter, 'victim', 40)).toBeLessThanOrEqual(10);
      expect((await limiter.take('victim', 10, WINDOW)).granted).toBe(false);
      await held.release();
      await limiter.clear('victim');
      const rows = await app.get(Database).query<{ n: number }>('SELECT count(*) AS n FROM limiter_slots WHERE expires_at > $1', [clock.now()]);
      expect(rows[0]!.n).toBe(0);
      proxy.restore();
      await expect
        .poll(
          async () => {
            await limiter.take('after', 1_000_000, WINDOW);
            const before = await app
              .get(Database)
              .query<{ n: number }>('SELECT count(*) AS n FROM limiter_slots WHERE expires_at > $1', [clock.now()]);
            await limiter.take('after', 1_000_000, WINDOW);
            const after = await app
              .get(Database)
              .query<{ n: number }>('SELECT count(*) AS n FROM limiter_slots WHERE expires_at > $1', [clock.now()]);
            return after[0]!.n - before[0]!.n;
          },
          { timeout: 15_000 },
        )
        .toBe(0);
    } finally {
      await app.close();
      await proxy.close();
    }
  });

  it('waits for a hanging Redis once, and not once a request', async () => {
    const { proxy, url } = await BreakableProxy.inFrontOf(await testRedisUrl());
    const app = await start(url);
    try {
      const limiter = app.get(Limiter);
      await limiter.take('warm', 10, WINDOW);
      proxy.hang();
      const startedAt = performance.now();
      for (let i = 0; i < 12; i++) expect((await limiter.take('patient', 10, WINDOW)).granted).toBe(i < 10);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    } finally {
      await app.close();
      await proxy.close();
    }
  });

  it('starts and counts when Redis is not there at all', async () => {
    const app = await start('redis://127.0.0.1:1/0');
    try {
      expect(await grants(app.get(Limiter), 'no redis', 50)).toBe(10);
    } finally {
      await app.close();
    }
  });

  it('sweeps what has ended', async () => {
    const app = await start();
    try {
      await grants(app.get(Limiter), 'old', 5);
      clock.advance(WINDOW);
      await grants(app.get(Limiter), 'young', 3);
      await app.get(Limiter).sweep();
      const rows = await app
        .get(Database)
        .query<{ ended: boolean; n: number }>('SELECT expires_at <= $1 AS ended, count(*) AS n FROM limiter_slots GROUP BY 1', [clock.now()]);
      expect(rows.filter((row) => row.ended)).toEqual([]);
      expect(rows.find((row) => !row.ended)!.n).toBeGreaterThanOrEqual(3);
    } finally {
      await app.close();
    }
  });
});
