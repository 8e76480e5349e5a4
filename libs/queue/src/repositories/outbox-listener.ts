import pg from 'pg';

import type { Logger } from '#libs/observability';

import { OUTBOX_CHANNEL } from './outbox.repository.js';

const RECONNECT_MS = 1_000;

/** Hears `NOTIFY stowage_outbox` on a connection of its own, which it opens again whenever it is lost. */
export class OutboxListener {
  private client: pg.Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly url: string,
    private readonly logger: Logger,
    private readonly wake: () => void,
  ) {}

  /** Starts to listen; never rejects, since the relay polls anyway. */
  async start(): Promise<void> {
    const client = new pg.Client({ connectionString: this.url, application_name: 'stowage-outbox', keepAlive: true, connectionTimeoutMillis: 5_000 });
    this.client = client;
    client.on('error', () => this.lost(client));
    client.on('end', () => this.lost(client));
    client.on('notification', this.wake);
    try {
      await client.connect();
      await client.query(`LISTEN ${OUTBOX_CHANNEL}`);
      this.wake();
    } catch (error) {
      this.logger.debug('the outbox cannot be listened to; polling', { error });
      this.lost(client);
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.client?.end().catch(() => undefined);
  }

  private lost(client: pg.Client): void {
    if (this.stopped || this.client !== client) return;
    this.client = undefined;
    client.end().catch(() => undefined);
    this.timer = setTimeout(() => void this.start(), RECONNECT_MS);
  }
}
