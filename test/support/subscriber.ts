import { once } from 'node:events';

import { WebSocket } from 'ws';

export interface PushedEvent {
  readonly type: string;
  readonly timestamp: number;
  readonly path: string;
  readonly cursor?: string;
  readonly id?: string;
  readonly user_id: number;
  readonly [field: string]: unknown;
}

/** One websocket of a client: keeps what was pushed. */
export class Subscriber {
  readonly events: PushedEvent[] = [];
  readonly messages: string[] = [];
  private readonly listeners = new Set<() => void>();
  closed: { readonly code: number; readonly reason: string } | undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.messages.push(data.toString());
      this.events.push(...(JSON.parse(data.toString()) as PushedEvent[]));
      this.tell();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.tell();
    });
    socket.on('error', () => undefined);
  }

  /** Opens `/subscribe/` with this query; resolves with the open websocket. Rejects with `refused <status>` when the server does not let it in. */
  static async open(baseUrl: string, query: string, headers: Record<string, string> = {}, path = '/subscribe/'): Promise<Subscriber> {
    const socket = new WebSocket(`${baseUrl.replace(/^http/, 'ws')}${path}?${query}`, { headers });
    const subscriber = new Subscriber(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('unexpected-response', (_request, response) => {
        reject(new Error(`refused ${response.statusCode}`));
        response.resume();
        socket.terminate();
      });
      socket.once('error', reject);
    });
    return subscriber;
  }

  /** The same, and waits for the first word of the server: from then on nothing is missed. */
  static async listening(baseUrl: string, query: string): Promise<Subscriber> {
    const subscriber = await Subscriber.open(baseUrl, query);
    await subscriber.until(() => subscriber.messages.length > 0);
    return subscriber;
  }

  /** Where to continue: the cursor of the last event that has one. */
  get cursor(): string | undefined {
    return this.events.findLast((event) => event.cursor !== undefined)?.cursor;
  }

  /** Resolves when `done` says so after an event or the end; rejects after `timeoutMs`. */
  async until(done: () => boolean, timeoutMs = 10_000): Promise<void> {
    if (done()) return;
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.listeners.delete(look);
        settle();
      };
      const look = () => done() && end(resolve);
      const timer = setTimeout(
        () => end(() => reject(new Error(`nothing more after ${timeoutMs} ms; got ${JSON.stringify(this.events).slice(0, 2000)}`))),
        timeoutMs,
      );
      this.listeners.add(look);
    });
  }

  /** The first event of this type (and path). */
  async event(type: string, path?: string, timeoutMs?: number): Promise<PushedEvent> {
    const find = () => this.events.find((event) => event.type === type && (path === undefined || event.path === path));
    await this.until(() => find() !== undefined, timeoutMs);
    return find()!;
  }

  /** Code and reason with which the server has ended it. */
  async end(timeoutMs?: number): Promise<{ code: number; reason: string }> {
    await this.until(() => this.closed !== undefined, timeoutMs);
    return this.closed!;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.socket.close();
    await once(this.socket, 'close');
  }

  /** Breaks the connection without a word. */
  kill(): void {
    this.socket.terminate();
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
