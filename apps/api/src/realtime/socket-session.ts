import type { WebSocket } from 'ws';

import type { StorageFigures, Subscriber } from '#libs/events';

/** Close codes of RFC 6455 and its registry. */
export const CLOSE = { policy: 1008, tooSlow: 1013, restart: 1012 } as const;

const SLOW_MS = 15_000;
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Clients have nothing to say; more than this in one heartbeat is no client of ours. */
const MAX_MESSAGES = 120;

/** One open websocket and how far it has read. */
export class SocketSession {
  scopeIds: readonly string[] = [];
  /** There may be something to read. */
  dirty = false;
  /** A read or a push is under way. */
  busy = false;
  greeted = false;
  storage: StorageFigures | undefined;
  private alive = true;
  private messages = 0;
  private sendingSinceMs: number | null = null;

  constructor(
    private readonly socket: WebSocket,
    readonly subscriber: Subscriber,
    public cursor: string,
    /** Wants the cursor told at the beginning. */
    readonly wantsCursor: boolean,
    /** Until all of the past has been read: of that, what is older is left out. */
    public past: { readonly sinceMs: number } | null,
  ) {
    socket.on('pong', () => (this.alive = true));
    socket.on('message', () => {
      if (++this.messages > MAX_MESSAGES) this.close(CLOSE.policy, 'too many messages');
    });
    // a broken connection closes; there is nothing else to do about it
    socket.on('error', () => socket.terminate());
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Sends what a read gave; `done` is called when it has left, and not when the socket has closed meanwhile. */
  send(objects: readonly object[], done: () => void): void {
    this.sendingSinceMs = performance.now();
    this.socket.send(JSON.stringify(objects), (error) => {
      this.sendingSinceMs = null;
      if (error) this.socket.terminate();
      else if (this.isOpen) done();
    });
  }

  /** Sends something out of turn, unless the client takes nothing at the moment. */
  sendNow(object: object): void {
    if (this.isOpen && this.socket.bufferedAmount < MAX_BUFFERED_BYTES) this.socket.send(JSON.stringify([object]));
  }

  /** Once in a heartbeat: ends what is dead or takes nothing; both can come back with their cursor. */
  beat(): void {
    if (!this.alive) return this.socket.terminate();
    if (this.sendingSinceMs !== null && performance.now() - this.sendingSinceMs > SLOW_MS) {
      this.close(CLOSE.tooSlow, 'too slow');
      return this.socket.terminate();
    }
    this.alive = false;
    this.messages = 0;
    if (this.isOpen) this.socket.ping();
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  terminate(): void {
    this.socket.terminate();
  }
}
