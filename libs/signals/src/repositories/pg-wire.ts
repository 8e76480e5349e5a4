import pg from 'pg';

import type { SignalWire, WireListener } from '../signal-wire.js';

const CHANNEL = 'stowage_signals';
const RECONNECT_MS = 1_000;

/**
 * LISTEN/NOTIFY on one connection of its own, outside of any transaction: PostgreSQL serialises commits that carry a notification. A signal
 * need not survive a crash, so nothing waits for the disk.
 */
export class PgWire implements SignalWire {
  private client: Promise<pg.Client> | undefined;
  private listener: WireListener | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly onError: (error: unknown) => void,
  ) {}

  async send(frames: readonly string[]): Promise<void> {
    const client = await this.connection();
    await client.query({ name: 'signal', text: `SELECT pg_notify('${CHANNEL}', f) FROM unnest($1::text[]) f`, values: [frames] });
  }

  async listen(listener: WireListener): Promise<void> {
    this.listener = listener;
    // one that has been opened to send only is replaced by one that listens as well
    await this.drop(this.client);
    await this.connection().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.drop(this.client);
  }

  private connection(): Promise<pg.Client> {
    if (this.client) return this.client;
    if (this.closed) return Promise.reject(new Error('signals are closed'));
    const opening = this.open();
    this.client = opening;
    opening.catch((error: unknown) => {
      this.onError(error);
      this.lost(opening);
    });
    return opening;
  }

  private async open(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'stowage-signals',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      // one statement, which is planned once
      options: '-c synchronous_commit=off -c plan_cache_mode=force_generic_plan',
    });
    const lost = () => {
      if (this.client) void this.client.then((current) => current === client && this.lost(this.client)).catch(() => undefined);
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', ({ payload }) => this.listener?.frame(payload ?? ''));
    await client.connect();
    if (this.listener) {
      await client.query(`LISTEN ${CHANNEL}`);
      this.listener.connected();
    }
    return client;
  }

  private lost(which: Promise<pg.Client> | undefined): void {
    if (this.client !== which) return;
    void this.drop(which);
    if (!this.listener || this.closed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.connection().catch(() => undefined), RECONNECT_MS);
  }

  private async drop(which: Promise<pg.Client> | undefined): Promise<void> {
    if (!which) return;
    if (this.client === which) this.client = undefined;
    await which.then((client) => client.end()).catch(() => undefined);
  }
}
