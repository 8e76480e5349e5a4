import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { Clock, sha256 } from '#libs/kernel';
import { HealthService, Logger } from '#libs/observability';

import { RedisSlots } from './redis-slots.js';
import { SlotRepository } from './repositories/slot.repository.js';
import type { SlotStore } from './slot-store.js';

export interface LimiterSlot {
  readonly granted: boolean;
  /** Until the next slot of this bucket is free, in ms; 0 when this one was granted. */
  readonly retryAfterMs: number;
  /** Gives the slot back: what it was taken for turned out to be no attack. */
  release(): Promise<void>;
}

/** After a failure Redis is left alone for this long, so that a hanging one costs one timeout and not one a request. */
const REDIS_PAUSE_MS = 1_000;

/**
 * Limits how often something may be tried. Slots live in Redis when there is one, and in PostgreSQL otherwise and whenever Redis fails: never
 * open, and never an error because Redis is away. The two count apart, so a failure of Redis can at most double what one window allows.
 */
@Injectable()
export class Limiter implements OnModuleInit, OnModuleDestroy {
  private readonly redis: RedisSlots | undefined;
  private redisPausedUntilMs = 0;

  constructor(
    config: AppConfig,
    private readonly slots: SlotRepository,
    private readonly clock: Clock,
    private readonly health: HealthService,
    private readonly logger: Logger,
  ) {
    this.redis = config.redis && new RedisSlots(config.redis.url);
  }

  async onModuleInit(): Promise<void> {
    if (!this.redis) return;
    const { redis } = this;
    this.health.register('redis', () => redis.check(), 'degraded');
    await redis.connect();
  }

  onModuleDestroy(): void {
    this.redis?.disconnect();
  }

  /**
   * Takes one of `limit` slots of `bucket` for `windowMs`. Call it before the secret is compared, and outside of a transaction: a slot
   * must stay taken when the caller's work is rolled back. `bucket` may hold personal data; only its hash is stored.
   */
  async take(bucket: string, limit: number, windowMs: number): Promise<LimiterSlot> {
    const name = sha256(bucket).toString('hex');
    const nowMs = this.clock.nowMs();
    const [store, taking] = await this.usingBest(async (candidate) => [candidate, await candidate.take(name, limit, windowMs, nowMs)] as const);
    if (taking.slot === null) return { granted: false, retryAfterMs: taking.retryAfterMs, release: () => Promise.resolve() };
    const { slot } = taking;
    return { granted: true, retryAfterMs: 0, release: () => this.quietly(store, () => store.release(name, slot)) };
  }

  /** Forgets all slots of `bucket`: its owner has proven who they are. */
  async clear(bucket: string): Promise<void> {
    const name = sha256(bucket).toString('hex');
    if (this.redis?.isReady) await this.quietly(this.redis, () => this.redis!.clear(name));
    await this.slots.clear(name);
  }

  /** Removes slots that have ended. Only PostgreSQL needs it. Returns how many. */
  async sweep(): Promise<number> {
    let removed = 0;
    for (;;) {
      const count = await this.slots.removeExpired(this.clock.nowMs(), 1_000);
      removed += count;
      if (count < 1_000) return removed;
    }
  }

  private async usingBest<T>(work: (store: SlotStore) => Promise<T>): Promise<T> {
    if (this.redis?.isReady && performance.now() >= this.redisPausedUntilMs) {
      try {
        return await work(this.redis);
      } catch (error) {
        this.pauseRedis(error);
      }
    }
    return work(this.slots);
  }

  /** A slot that cannot be given back ends by itself; that is no reason to fail what it was taken for. */
  private async quietly(store: SlotStore, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (store !== this.redis) throw error;
      this.pauseRedis(error);
    }
  }

  private pauseRedis(error: unknown): void {
    this.redisPausedUntilMs = performance.now() + REDIS_PAUSE_MS;
    this.logger.warn('Redis does not answer the limiter; PostgreSQL counts meanwhile', { error });
  }
}
