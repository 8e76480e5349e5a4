import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { AppConfig } from '#libs/config';
import { Signals } from '#libs/signals';

import { BreakableProxy } from '../support/breakable-proxy.js';
import { available, createTestDatabase, type TestDatabase, testRedisUrl } from '../support/services.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => database?.drop());

const stores = available.redis ? (['postgresql', 'redis'] as const) : (['postgresql'] as const);

describe.each(stores)('signals on %s', (store) => {
  const open: Signals[] = [];
  let redisUrl: string | undefined;

  beforeAll(async () => {
    redisUrl = store === 'redis' ? await testRedisUrl() : undefined;
    return async () => {
      for (const signals of open) await signals.onModuleDestroy();
    };
  });

  /** As another process would have it. */
  const process = (urls: { database?: string; redis?: string | undefined } = {}): Signals => {
    const redis = urls.redis ?? redisUrl;
    const env = { DATABASE_URL: urls.database ?? database.url, STOWAGE_SECRET_KEY: 'k'.repeat(40) };
    const signals = new Signals(new AppConfig(redis === undefined ? env : { ...env, REDIS_URL: redis }));
    open.push(signals);
    return signals;
  };
  const listener = async (signals: Signals, channel = 'news') => {
    const heard: string[] = [];
    const missed = vi.fn();
    const end = await signals.subscribe(channel, { signal: (payload) => heard.push(payload), missed });
    return { heard, missed, end };
  };

  it('reach every process and the own one, on their channel alone', async () => {
    const [sender, receiver] = [process(), process()];
    const [own, far, otherChannel] = [await listener(sender), await listener(receiver), await listener(receiver, 'else')];
    sender.publish('news', 'one');
    expect(own.heard).toEqual(['one']);
    await vi.waitFor(() => expect(far.heard).toEqual(['one']));
    far.end();
    receiver.publish('news', 'two');
    await vi.waitFor(() => expect(own.heard).toEqual(['one', 'two']));
    expect([far.heard, otherChannel.heard]).toEqual([['one'], []]);
  });

  it('travel together when they come close after one another, whatever they hold', async () => {
    const [sender, receiver] = [process(), process()];
    const far = await listener(receiver);
    const payloads = [...Array.from({ length: 1_000 }, (_, index) => `payload ${index} "'\\ ü`), 'x'.repeat(3_000)];
    for (const payload of payloads) sender.publish('news', payload);
    for (let again = 0; again < 100; again++) sender.publish('news', payloads[7]!);
    await vi.waitFor(() => expect(far.heard).toHaveLength(payloads.length));
    expect(new Set(far.heard)).toEqual(new Set(payloads));
    expect(() => sender.publish('news', 'x'.repeat(8_000))).toThrow();
  });

  it('come back by themselves after a broken connection, and say that some may be missing', async () => {
    const { proxy, url } = await BreakableProxy.inFrontOf(store === 'redis' ? redisUrl! : database.url);
    const receiver = process(store === 'redis' ? { redis: url } : { database: url });
    const sender = process();
    const far = await listener(receiver);
    expect(far.missed).toHaveBeenCalledTimes(1);
    proxy.kill();
    sender.publish('news', 'lost');
    await sleep(50);
    proxy.restore();
    await vi.waitFor(() => expect(far.missed).toHaveBeenCalledTimes(2), 20_000);
    sender.publish('news', 'heard');
    await vi.waitFor(() => expect(far.heard).toContain('heard'), 10_000);
    await receiver.onModuleDestroy();
    await proxy.close();
  });

  it('never trouble the publisher', async () => {
    const signals = process(store === 'redis' ? { redis: 'redis://127.0.0.1:1' } : { database: 'postgresql://u:p@127.0.0.1:1/x' });
    const own = await listener(signals);
    signals.publish('news', 'only here');
    await sleep(60);
    expect(own.heard).toEqual(['only here']);
  });
});

describe('a handler', () => {
  it('that throws keeps nobody else from hearing', async () => {
    const signals = new Signals(new AppConfig({ DATABASE_URL: database.url, STOWAGE_SECRET_KEY: 'k'.repeat(40) }));
    const heard: string[] = [];
    await signals.subscribe('news', {
      signal: () => {
        throw new Error('broken');
      },
    });
    await signals.subscribe('news', { signal: (payload) => heard.push(payload) });
    signals.publish('news', 'x');
    expect(heard).toEqual(['x']);
    await signals.onModuleDestroy();
    const client = new pg.Client(database.url);
    await client.connect();
    const { rows } = await client.query<{ count: string }>(
      `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'stowage-signals'`,
    );
    await client.end();
    expect(Number(rows[0]!.count)).toBe(0);
  });
});
