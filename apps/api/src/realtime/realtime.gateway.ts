import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type WebSocket, WebSocketServer } from 'ws';

import { Authenticator } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { ANNOUNCEMENTS_CHANNEL, bookmarkOf, Feed, SOCKET_CHECK_CHANNEL, StorageRepository, type Subscriber, SubscribeTickets } from '#libs/events';
import { type Client, Clock, DomainError, isDomainError } from '#libs/kernel';
import { CHANGES_CHANNEL } from '#libs/nodes';
import { Logger } from '#libs/observability';
import { Signals } from '#libs/signals';

import { clientOf } from '../http/request-client.js';
import { refuseUpgrade as refuse } from '../http/refuse-upgrade.js';
import { UpgradeEntries } from '../http/upgrade-entries.js';
import { EventWire } from './event-wire.js';
import { FeedPump } from './feed-pump.js';
import { RealtimeMetrics } from './realtime.metrics.js';
import { CLOSE, SocketSession } from './socket-session.js';
import { isAllowedOrigin, readSubscribeRequest, type SubscribeRequest, wantsWebsocket } from './subscribe-request.js';
import { Subscribers } from './subscribers.js';

const HEARTBEAT_MS = 25_000;
/** Every session is looked after within POLL_MS * POLL_TURNS, whatever signals say. */
const POLL_MS = 500;
const POLL_TURNS = 8;
/** Tokens and figures are looked at this often: what is revoked is closed within two seconds. */
const LOOK_MS = 1_000;
const CLOSE_GRACE_MS = 2_000;
const MAX_MESSAGE_BYTES = 4_096;

/** Websockets at `/subscribe`: lets them in, watches over them, and tells the pump when there is something to read. */
@Injectable()
export class RealtimeGateway implements OnModuleDestroy {
  private readonly subscribers = new Subscribers();
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false, clientTracking: false });
  private readonly pump: FeedPump;
  private readonly logger: Logger;
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly figuresDue = new Set<number>();
  private opening = 0;
  private pollTurn = 0;
  private looking = false;
  private stopping = false;

  constructor(
    private readonly config: AppConfig,
    private readonly authenticator: Authenticator,
    private readonly tickets: SubscribeTickets,
    private readonly feed: Feed,
    private readonly storage: StorageRepository,
    private readonly wire: EventWire,
    private readonly signals: Signals,
    private readonly clock: Clock,
    private readonly upgrades: UpgradeEntries,
    metrics: RealtimeMetrics,
    logger: Logger,
  ) {
    this.logger = logger.with({ part: 'realtime' });
    const onPushed = (accountId: number) => void this.figuresDue.add(accountId);
    this.pump = new FeedPump({ feed, wire, subscribers: this.subscribers, metrics, clock, logger: this.logger, onPushed });
    metrics.watchSockets(() => this.subscribers.size);
  }

  /** Takes the upgrades of the server from now on. */
  async attach(server: Server): Promise<void> {
    const all = () => this.wakeAll();
    await this.signals.subscribe(CHANGES_CHANNEL, { signal: (scopeId) => this.pump.changed(scopeId), missed: all });
    await this.signals.subscribe(SOCKET_CHECK_CHANNEL, { signal: (accountId) => this.check(Number(accountId)) });
    await this.signals.subscribe(ANNOUNCEMENTS_CHANNEL, { signal: (noticeId) => this.announce(noticeId) });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy());
      if (!wantsWebsocket(request.headers)) return answerWithoutUpgrade(server, request, socket);
      if (this.upgrades.take(request, socket, head)) return;
      this.upgrade(request, socket, head).catch((error: unknown) => {
        this.logger.error('a websocket could not be opened', { error });
        refuse(socket, 500, 'Internal error.');
      });
    });
    this.timers.push(
      setInterval(() => this.poll(), POLL_MS),
      setInterval(() => void this.look(), LOOK_MS),
      setInterval(() => this.beat(), HEARTBEAT_MS),
    );
  }

  /** Ends all websockets, telling them to come back. */
  async close(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    for (const timer of this.timers) clearInterval(timer);
    for (const session of this.subscribers) session.close(CLOSE.restart, 'the server restarts');
    const endMs = performance.now() + CLOSE_GRACE_MS;
    while (this.subscribers.size > 0 && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const session of this.subscribers) session.terminate();
  }

  onModuleDestroy(): Promise<void> {
    return this.close();
  }

  private async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const wish = readSubscribeRequest(request.url);
    if (wish === null) return refuse(socket, 404, 'There is no websocket here.');
    if (typeof wish === 'string') return refuse(socket, 400, wish);
    const { publicUrl } = this.config.http;
    const { allowedOrigins, maxSockets } = this.config.realtime;
    if (!isAllowedOrigin(request.headers, publicUrl, allowedOrigins)) return refuse(socket, 403, 'This page may not open a websocket here.');
    if (this.stopping || this.subscribers.size + this.opening >= maxSockets) return refuse(socket, 503, 'Too many websockets; try again.');
    this.opening++;
    try {
      const subscriber = await this.subscriberOf(wish, clientOf(request));
      await this.admit(subscriber, async () => {
        const session = await this.sessionOf(subscriber, wish);
        if (this.stopping) return refuse(socket, 503, 'The server stops.');
        this.sockets.handleUpgrade(request, socket, head, (websocket) => this.open(session(websocket), websocket));
      });
    } catch (error) {
      if (!isDomainError(error)) throw error;
      refuse(socket, STATUS[error.code] ?? 503, error.message);
    } finally {
      this.opening--;
    }
  }

  /** Opens a websocket unless the account has enough of them; those that are asked for at the same time count each other. */
  private async admit({ accountId }: Subscriber, open: () => Promise<void>): Promise<void> {
    if (!this.subscribers.expect(accountId, this.config.realtime.maxSocketsPerAccount))
      throw new DomainError('RATE_LIMITED', 'This account has too many websockets open.');
    try {
      await open();
    } finally {
      this.subscribers.arrived(accountId);
    }
  }

  /** From where it reads. */
  private async sessionOf(subscriber: Subscriber, { cursor, sinceMs }: SubscribeRequest): Promise<(socket: WebSocket) => SocketSession> {
    if (cursor) bookmarkOf(cursor);
    await this.feed.prepare(subscriber.accountId);
    if (cursor) return (socket) => new SocketSession(socket, subscriber, cursor, true, null);
    const isPast = sinceMs !== null && sinceMs < this.clock.nowMs();
    const start = isPast ? await this.feed.since(subscriber.accountId, sinceMs) : await this.feed.now();
    return (socket) => new SocketSession(socket, subscriber, start, cursor !== null, isPast ? { sinceMs } : null);
  }

  private async subscriberOf({ token, ticket }: SubscribeRequest, client: Client): Promise<Subscriber> {
    if (ticket !== null) return this.tickets.redeem(ticket, client);
    const { accountId, tokenId } = await this.authenticator.byToken(token ?? '', client);
    if (tokenId === null) throw new DomainError('UNAUTHENTICATED', 'A websocket needs a token.');
    return { accountId, tokenId, client };
  }

  private open(session: SocketSession, socket: WebSocket): void {
    this.subscribers.add(session);
    socket.on('close', () => this.subscribers.remove(session));
    this.figuresDue.add(session.subscriber.accountId);
    this.pump.wake(session);
  }

  private wakeAll(): void {
    for (const session of this.subscribers) this.pump.wake(session);
  }

  /** A signal may be lost: every session is read for now and then, some at each turn. */
  private poll(): void {
    const turn = this.pollTurn++ % POLL_TURNS;
    let index = 0;
    for (const session of this.subscribers) {
      if (index++ % POLL_TURNS !== turn) continue;
      this.figuresDue.add(session.subscriber.accountId);
      this.pump.wake(session);
    }
  }

  private async look(): Promise<void> {
    if (this.looking || this.subscribers.size === 0) return;
    this.looking = true;
    try {
      await this.closeRevoked();
      await this.pushFigures();
    } catch (error) {
      this.logger.warn('websockets could not be looked after', { error });
    } finally {
      this.looking = false;
    }
  }

  private async closeRevoked(): Promise<void> {
    const sessions = [...this.subscribers];
    const alive = await this.authenticator.stillIn(sessions.map(({ subscriber }) => subscriber));
    for (const session of sessions) if (!alive.has(session.subscriber.tokenId)) session.close(CLOSE.policy, 'signed out');
  }

  /** The figures of the beginning, and then whatever changes. */
  private async pushFigures(): Promise<void> {
    const accountIds = [...this.figuresDue].filter((accountId) => this.subscribers.ofAccount(accountId).size > 0);
    this.figuresDue.clear();
    if (accountIds.length === 0) return;
    for (const [accountId, figures] of await this.storage.figures(accountIds)) {
      for (const session of this.subscribers.ofAccount(accountId)) {
        const before = session.storage;
        session.storage = figures;
        if (before?.usedBytes !== figures.usedBytes || before.limitBytes !== figures.limitBytes)
          session.sendNow(this.wire.storage(accountId, figures, this.clock.nowMs()));
      }
    }
  }

  private check(accountId: number): void {
    for (const session of this.subscribers.ofAccount(accountId)) session.sendNow(this.wire.check(accountId, this.clock.nowMs()));
  }

  private announce(noticeId: string): void {
    for (const session of this.subscribers) session.sendNow(this.wire.announcement(session.subscriber.accountId, noticeId, this.clock.nowMs()));
  }

  private beat(): void {
    for (const session of this.subscribers) session.beat();
  }
}

const STATUS: Partial<Record<DomainError['code'], number>> = { UNAUTHENTICATED: 401, INVALID_ARGUMENT: 400, RATE_LIMITED: 429, FORBIDDEN: 403 };

/** Some clients offer HTTP/2 with their first request. Nobody has to take the offer: the request is answered as it is. */
function answerWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex): void {
  // node has given up reading the request, so a body cannot be had
  if ((request.headers['content-length'] ?? '0') !== '0' || request.headers['transfer-encoding'] !== undefined)
    return refuse(socket, 400, 'Send the request without an Upgrade header.');
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]);
  response.on('finish', () => socket.end());
  server.emit('request', request, response);
}
