import { randomBytes } from 'node:crypto';

import { Redis } from 'ioredis';

import type { SlotStore, SlotTaking } from './slot-store.js';

const COMMAND_TIMEOUT_MS = 250;

// One script = one atomic step: forget what ended, count, take. Scores are the ends of the slots in ms.
const TAKE = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return first[2] or ARGV[2]
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return false`;

/** Slots in Redis. Every method fails fast, and at once while there is no connection; nothing is ever queued for later. */
export class RedisSlots implements SlotStore {
  private readonly redis: Redis;

  constructor(url: string) {
    this.redis = new Redis(url, {
      connectTimeout: 1_000,
      commandTimeout: COMMAND_TIMEOUT_MS,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      lazyConnect: true,
      retryStrategy: (times) => Math.min(times * 200, 2_000),
    });
    // Each failed command is told to its caller; a failed connection attempt is no event of its own.
    this.redis.on('error', () => undefined);
  }

  get isReady(): boolean {
    return this.redis.status === 'ready';
  }

  /** Waits for the first connection, at most as long as one attempt takes. Never fails. */
  async connect(): Promise<void> {
    await this.redis.connect().catch(() => undefined);
  }

  /** Fails unless Redis takes a write: one that is full, read-only or still loading is of no use here, though it answers. */
  async check(): Promise<void> {
    if (!this.isReady) throw new Error('there is no connection to Redis');
    await this.redis.set('stowage:limiter:check', '1', 'PX', 1_000);
  }

  disconnect(): void {
    this.redis.disconnect();
  }

  async take(bucket: string, limit: number, windowMs: number, nowMs: number): Promise<SlotTaking> {
    const slot = randomBytes(12).toString('hex');
    const full: unknown = await this.redis.eval(TAKE, 1, key(bucket), nowMs, nowMs + windowMs, limit, slot, windowMs);
    return full === null ? { slot } : { slot: null, retryAfterMs: Math.max(1, Number(full) - nowMs) };
  }

  async release(bucket: string, slot: string): Promise<void> {
    await this.redis.zrem(key(bucket), slot);
  }

  async clear(bucket: string): Promise<void> {
    await this.redis.del(key(bucket));
  }
}

const key = (bucket: string): string => `stowage:limiter:{${bucket}}`;
