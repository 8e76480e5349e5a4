import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { WebSocketServer } from 'ws';

import { AppConfig } from '#libs/config';
import { type DomainErrorCode, isDomainError } from '#libs/kernel';
import { Logger, Metrics } from '#libs/observability';
import { type Presence, RoomEvents, Rooms, ROOMS_CHANNEL } from '#libs/rooms';
import { Signals } from '#libs/signals';

import { DialectMounts } from '../../../http/dialect/dialect-mounts.js';
import { refuseUpgrade } from '../../../http/refuse-upgrade.js';
import { clientOf } from '../../../http/request-client.js';
import { hubBearerOf } from '../auth/auth.guard.js';
import { QuicksyncTokens } from '../auth/tokens.js';
import { QUICKSYNC } from '../http/dialect.js';
import { HubConnection } from './hub-connection.js';

/** Places and events are looked at this often, whatever signals say: who is out is closed within two seconds. */
const LOOK_MS = 1_000;
const BEAT_MS = 15_000;
const CLOSE_GRACE_MS = 2_000;
const MAX_MESSAGE_BYTES = 4_096;
/** Websockets of one member. */
const MAX_OF_MEMBER = 20;

const STATUS: Partial<Record<DomainErrorCode, number>> = { UNAUTHENTICATED: 401, NODE_NOT_FOUND: 401, FORBIDDEN: 403, RATE_LIMITED: 429 };

/** The hub of sessions: tells members what happens in theirs, as long as they are in it. */
@Injectable()
export class SessionHub implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false, clientTracking: false });
  private readonly connections = new Map<string, Set<HubConnection>>();
  private readonly dirty = new Set<string>();
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly logger: Logger;
  private opening = 0;
  private reading = false;
  private looking = false;
  private stopping = false;

  constructor(
    private readonly config: AppConfig,
    private readonly tokens: QuicksyncTokens,
    private readonly rooms: Rooms,
    private readonly events: RoomEvents,
    private readonly signals: Signals,
    mounts: DialectMounts,
    metrics: Metrics,
    logger: Logger,
  ) {
    this.logger = logger.with({ part: 'session-hub' });
    mounts.mountSocket(QUICKSYNC, 'hubs/session', {
      take: (request, socket, head) => void this.take(request, socket, head),
      close: () => this.close(),
    });
    metrics.gauge('stowage_hub_websockets', 'Websockets of session hubs of this process.', 'state', () => Promise.resolve({ open: this.size }));
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.signals.subscribe(ROOMS_CHANNEL, { signal: (roomId) => this.wake(roomId), missed: () => this.wakeAll() });
    this.timers.push(
      setInterval(() => void this.look(), LOOK_MS),
      setInterval(() => this.all().forEach((connection) => connection.beat()), BEAT_MS),
    );
  }

  /** Ends all websockets, telling them to come back. */
  async close(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    for (const timer of this.timers) clearInterval(timer);
    for (const connection of this.all()) connection.end(true);
    const endMs = performance.now() + CLOSE_GRACE_MS;
    while (this.size > 0 && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const connection of this.all()) connection.terminate();
  }

  onModuleDestroy(): Promise<void> {
    return this.close();
  }

  private async take(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (this.stopping || this.size + this.opening >= this.config.realtime.maxSockets)
      return refuseUpgrade(socket, 503, 'Too many websockets; try again.');
    this.opening++;
    try {
      const client = clientOf(request);
      const member = await this.rooms.enter(this.tokens.session(hubBearerOf(request)), client);
      const seq = await this.events.newest(member.roomId);
      // Counted when nothing is waited for any more: many that come at once are not more than many that come one by one.
      const ofMember = [...(this.connections.get(member.roomId) ?? [])].filter((connection) => connection.member.id === member.id);
      if (ofMember.length >= MAX_OF_MEMBER) return refuseUpgrade(socket, 429, 'This user has too many websockets open.');
      this.sockets.handleUpgrade(request, socket, head, (websocket) => {
        const connection = new HubConnection(websocket, member, client, seq, () => this.wake(member.roomId));
        this.add(connection);
        websocket.on('close', () => this.remove(connection));
      });
    } catch (error) {
      if (!isDomainError(error)) this.logger.error('a websocket could not be opened', { error });
      refuseUpgrade(socket, isDomainError(error) ? (STATUS[error.code] ?? 503) : 500, isDomainError(error) ? error.message : 'Internal error.');
    } finally {
      this.opening--;
    }
  }

  private get size(): number {
    let size = 0;
    for (const connections of this.connections.values()) size += connections.size;
    return size;
  }

  private all(): HubConnection[] {
    return [...this.connections.values()].flatMap((connections) => [...connections]);
  }

  private add(connection: HubConnection): void {
    const { roomId } = connection.member;
    this.connections.set(roomId, (this.connections.get(roomId) ?? new Set()).add(connection));
  }

  private remove(connection: HubConnection): void {
    const { roomId } = connection.member;
    const connections = this.connections.get(roomId);
    connections?.delete(connection);
    if (connections?.size === 0) this.connections.delete(roomId);
  }

  private wake(roomId: string): void {
    if (!this.connections.has(roomId)) return;
    this.dirty.add(roomId);
    if (!this.reading) void this.read();
  }

  private wakeAll(): void {
    for (const roomId of this.connections.keys()) this.wake(roomId);
  }

  /** Tells what is new in rooms that were woken; all that wait are read by one statement. */
  private async read(): Promise<void> {
    this.reading = true;
    try {
      while (this.dirty.size > 0 && !this.stopping) {
        const places = new Map<string, number>();
        for (const roomId of this.dirty) {
          const ready = [...(this.connections.get(roomId) ?? [])].filter((connection) => connection.isReady);
          if (ready.length > 0) places.set(roomId, Math.min(...ready.map(({ seq }) => seq)));
        }
        this.dirty.clear();
        const told = new Set<string>();
        for (const event of await this.events.after(places)) {
          told.add(event.roomId);
          for (const connection of this.connections.get(event.roomId) ?? []) connection.tell(event);
        }
        // there may be more of them than one read takes
        for (const roomId of told) this.dirty.add(roomId);
      }
    } catch (error) {
      // the next look reads again
      this.logger.warn('events of sessions could not be read', { error });
    } finally {
      this.reading = false;
    }
  }

  private async look(): Promise<void> {
    if (this.looking || this.connections.size === 0) return;
    this.looking = true;
    try {
      this.wakeAll();
      const connections = this.all();
      const presences = await this.rooms.presences(connections);
      connections.forEach((connection, at) => this.judge(connection, presences[at]!));
    } catch (error) {
      this.logger.warn('websockets of sessions could not be looked after', { error });
    } finally {
      this.looking = false;
    }
  }

  private judge(connection: HubConnection, presence: Presence): void {
    if (presence === 'expired') connection.expire();
    else if (presence === 'out') connection.end(false, 'You are not in this session any more.');
  }
}
