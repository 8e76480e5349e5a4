import { LRUCache } from 'lru-cache';

import type { Delivery, EventView, Feed } from '#libs/events';
import type { Clock } from '#libs/kernel';
import type { Logger } from '#libs/observability';

import type { EventWire } from './event-wire.js';
import type { RealtimeMetrics } from './realtime.metrics.js';
import type { SocketSession } from './socket-session.js';
import type { Subscribers } from './subscribers.js';

/** Events of one feed that one read takes. */
const PAGE = 200;
/** Sessions that one statement reads for. */
const BATCH = 50;
const PARALLEL_READS = 2;
const FAILED_RETRY_MS = 1_000;

export interface PumpParts {
  readonly feed: Feed;
  readonly wire: EventWire;
  readonly subscribers: Subscribers;
  readonly metrics: RealtimeMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Something was pushed to this account: its figures may have changed. */
  readonly onPushed: (accountId: number) => void;
}

/** Brings what is in the feeds to the websockets that wait for it, each at the pace of its client. */
export class FeedPump {
  private readonly waiting = new Set<SocketSession>();
  private reads = 0;
  private signals = 0;
  /** When each feed was last told to have changed, counted in signals: a read that began before has to be repeated. */
  private readonly lastSignal = new LRUCache<string, number>({ max: 100_000 });

  constructor(private readonly parts: PumpParts) {}

  /** A feed has changed. */
  changed(scopeId: string): void {
    this.lastSignal.set(scopeId, ++this.signals);
    for (const session of this.parts.subscribers.ofScope(scopeId)) this.wake(session);
  }

  /** Reads for this session soon. */
  wake(session: SocketSession): void {
    session.dirty = true;
    if (session.busy || !session.isOpen) return;
    this.waiting.add(session);
    // what is woken by one signal is read by one statement
    queueMicrotask(() => this.run());
  }

  private run(): void {
    while (this.reads < PARALLEL_READS && this.waiting.size > 0) {
      const batch: SocketSession[] = [];
      for (const session of this.waiting) {
        this.waiting.delete(session);
        if (session.isOpen && !session.busy) batch.push(session);
        if (batch.length === BATCH) break;
      }
      if (batch.length > 0) void this.read(batch);
    }
  }

  private async read(batch: readonly SocketSession[]): Promise<void> {
    this.reads++;
    const seen = this.signals;
    for (const session of batch) {
      session.busy = true;
      session.dirty = false;
    }
    try {
      const readers = batch.map(({ subscriber, cursor }) => ({ accountId: subscriber.accountId, cursor }));
      const deliveries = await this.parts.feed.afterMany(readers, PAGE);
      batch.forEach((session, index) => void this.deliver(session, deliveries[index]!, seen));
    } catch (error) {
      this.parts.logger.warn('events could not be read for websockets', { error });
      for (const session of batch) this.later(session, FAILED_RETRY_MS);
    } finally {
      this.reads--;
      this.run();
    }
  }

  private async deliver(session: SocketSession, delivery: Delivery, seen: number): Promise<void> {
    if (!session.isOpen) return;
    this.parts.subscribers.follow(session, delivery.scopeIds);
    if (delivery.more || delivery.scopeIds.some((scopeId) => (this.lastSignal.get(scopeId) ?? 0) > seen)) session.dirty = true;
    const { past } = session;
    const events = past ? delivery.events.filter((event) => event.atMs >= past.sinceMs) : delivery.events;
    let objects: object[];
    try {
      objects = events.length === 0 ? [] : await this.parts.wire.events(events);
    } catch (error) {
      this.parts.logger.warn('events could not be presented to a websocket', { error });
      return this.later(session, FAILED_RETRY_MS);
    }
    if (session.isOpen) this.push(session, delivery, events, objects);
  }

  private push(session: SocketSession, delivery: Delivery, events: readonly EventView[], objects: object[]): void {
    const { wire, clock } = this.parts;
    if (!session.greeted && session.wantsCursor) objects.unshift(wire.subscribed(session.subscriber.accountId, session.cursor, clock.nowMs()));
    session.cursor = delivery.cursor;
    if (objects.length === 0 && session.greeted) return this.settle(session, delivery);
    session.greeted = true;
    this.note(session, events);
    session.send(objects, () => this.settle(session, delivery));
  }

  /** The session is free again. */
  private settle(session: SocketSession, delivery: Delivery): void {
    session.busy = false;
    if (!delivery.more) session.past = null;
    if (session.dirty) this.wake(session);
  }

  private later(session: SocketSession, delayMs: number): void {
    session.busy = false;
    setTimeout(() => this.wake(session), delayMs).unref();
  }

  private note({ subscriber, past }: SocketSession, events: readonly EventView[]): void {
    const { metrics, clock, onPushed } = this.parts;
    if (events.length === 0) return;
    metrics.eventsPushed(events.length);
    if (!past) for (const event of events) metrics.pushedAfter(clock.nowMs() - event.atMs);
    onPushed(subscriber.accountId);
  }
}
