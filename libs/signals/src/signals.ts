import { AsyncResource } from 'node:async_hooks';

import { Injectable, type OnModuleDestroy, Optional } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { randomHex } from '#libs/kernel';
import { Logger } from '#libs/observability';

import { RedisWire } from './redis-wire.js';
import { PgWire } from './repositories/pg-wire.js';
import { MAX_FRAME_BYTES, type SignalWire } from './signal-wire.js';

/** Signals that follow one another within this time travel together. The first goes at once. */
const COALESCE_MS = 20;
const LOG_INTERVAL_MS = 10_000;
const MAX_PENDING = 50_000;

export interface Subscription {
  /** Called once for each payload, soon after it was published; the same payload may come fewer times than it was published. */
  readonly signal: (payload: string) => void;
  /** Called whenever signals may have been missed: look at everything. */
  readonly missed?: () => void;
}

/**
 * Wake-ups between processes, by Redis when there is one, else by PostgreSQL. They say only that there may be something to read; one that is
 * lost must cost nothing but time, so every consumer also looks by itself now and then. Nothing is connected before the first use.
 */
@Injectable()
export class Signals implements OnModuleDestroy {
  private readonly wire: SignalWire;
  private readonly origin = randomHex(8);
  private readonly subscriptions = new Map<string, Set<Subscription>>();
  private readonly pending = new Map<string, Set<string>>();
  private pendingCount = 0;
  private busy = false;
  private listening: Promise<void> | undefined;
  private loggedAtMs = -LOG_INTERVAL_MS;
  private closed = false;
  /** Handlers run outside of the transaction and the request in which something was published. */
  private readonly outside = new AsyncResource('Signals');

  constructor(
    config: AppConfig,
    @Optional() private readonly logger?: Logger,
  ) {
    const onError = (error: unknown) => this.report(error);
    this.wire = config.redis ? new RedisWire(config.redis.url, onError) : new PgWire(config.database.url, onError);
  }

  /** Wakes the subscribers of `channel` in all processes, this one included. Never fails and never waits. Call it after the commit. */
  publish(channel: string, payload: string): void {
    if (Buffer.byteLength(payload) > MAX_FRAME_BYTES / 2) throw new Error('a signal only says that there is something to read');
    this.deliver(channel, payload);
    let payloads = this.pending.get(channel);
    if (!payloads) this.pending.set(channel, (payloads = new Set()));
    if (this.pendingCount >= MAX_PENDING || payloads.has(payload)) return;
    payloads.add(payload);
    this.pendingCount++;
    if (!this.busy) this.outside.runInAsyncScope(() => void this.flush());
  }

  /** Calls `subscription` from now on; resolves when other processes are listened to, or when that has to be tried again. Returns the way to end it. */
  async subscribe(channel: string, subscription: Subscription): Promise<() => void> {
    const all = this.subscriptions.get(channel) ?? new Set();
    this.subscriptions.set(channel, all.add(subscription));
    this.listening ??= this.outside.runInAsyncScope(() =>
      this.wire.listen({ frame: (text) => this.take(text), connected: () => this.forAll((one) => one.missed?.()) }),
    );
    await this.listening;
    return () => void all.delete(subscription);
  }

  async onModuleDestroy(): Promise<void> {
    this.closed = true;
    await this.wire.close();
  }

  private async flush(): Promise<void> {
    this.busy = true;
    while (this.pendingCount > 0 && !this.closed) {
      const frames = this.takeFrames();
      try {
        await this.wire.send(frames);
      } catch (error) {
        this.report(error);
      }
      await new Promise((resolve) => setTimeout(resolve, COALESCE_MS).unref());
    }
    this.busy = false;
  }

  private takeFrames(): string[] {
    const frames: string[] = [];
    for (const [channel, payloads] of this.pending) {
      let frame = JSON.stringify([this.origin, channel]);
      for (const payload of payloads) {
        const item = JSON.stringify(payload);
        if (Buffer.byteLength(frame) + Buffer.byteLength(item) >= MAX_FRAME_BYTES) {
          frames.push(frame);
          frame = JSON.stringify([this.origin, channel]);
        }
        frame = `${frame.slice(0, -1)},${item}]`;
      }
      frames.push(frame);
    }
    this.pending.clear();
    this.pendingCount = 0;
    return frames;
  }

  private take(text: string): void {
    let frame: unknown;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    if (!Array.isArray(frame) || !frame.every((part) => typeof part === 'string')) return;
    const [origin, channel = '', ...payloads] = frame;
    // what this process has sent was delivered when it was published
    if (origin !== this.origin) for (const payload of payloads) this.deliver(channel, payload);
  }

  private deliver(channel: string, payload: string): void {
    for (const one of this.subscriptions.get(channel) ?? []) this.safely(() => one.signal(payload));
  }

  private forAll(call: (one: Subscription) => void): void {
    for (const all of this.subscriptions.values()) for (const one of all) this.safely(() => call(one));
  }

  private safely(call: () => void): void {
    try {
      this.outside.runInAsyncScope(call);
    } catch (error) {
      this.report(error);
    }
  }

  private report(error: unknown): void {
    if (this.closed || performance.now() - this.loggedAtMs < LOG_INTERVAL_MS) return;
    this.loggedAtMs = performance.now();
    this.logger?.warn('signals between processes are late', { error });
  }
}
