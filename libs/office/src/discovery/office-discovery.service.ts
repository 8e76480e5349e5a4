import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { Clock, DomainError } from '#libs/kernel';
import { Logger } from '#libs/observability';

import { type Discovery, parseDiscovery } from './discovery-xml.js';

const FRESH_MS = 3_600_000;
/** Between two tries to read it again. */
const PAUSE_MS = 30_000;
const TIMEOUT_MS = 5_000;
const MAX_BYTES = 8 * 1024 * 1024;

/** What the configured office server says of itself: read when first needed, kept for an hour, and kept longer when it cannot be read again. */
@Injectable()
export class OfficeDiscovery {
  private readonly logger: Logger;
  private known: { readonly discovery: Discovery; readonly readMs: number } | undefined;
  private lastTryMs = -Infinity;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly config: AppConfig,
    private readonly clock: Clock,
    logger: Logger,
  ) {
    this.logger = logger.with({ part: 'office' });
  }

  get isConfigured(): boolean {
    return this.config.office.discoveryUrl !== undefined;
  }

  /** The document; null when no office server is configured. BUSY when it has never been read and cannot be. Not within a transaction. */
  async current(): Promise<Discovery | null> {
    if (!this.isConfigured) return null;
    if (!this.known || this.clock.nowMs() - this.known.readMs >= FRESH_MS) await this.read();
    if (!this.known) throw new DomainError('BUSY', 'The office server cannot be reached at the moment; try again.', { retryAfterMs: PAUSE_MS });
    return this.known.discovery;
  }

  /** The document as it is now, for when it seems to have changed; the known one when it was tried a moment ago or cannot be read. */
  async refreshed(): Promise<Discovery | null> {
    if (this.isConfigured) await this.read();
    return this.known?.discovery ?? null;
  }

  /** Callers that come together share one try. */
  private async read(): Promise<void> {
    if (!this.reading && this.clock.nowMs() - this.lastTryMs >= (this.known ? PAUSE_MS : 1_000)) {
      this.lastTryMs = this.clock.nowMs();
      this.reading = this.fetch().finally(() => (this.reading = undefined));
    }
    await this.reading;
  }

  private async fetch(): Promise<void> {
    try {
      const response = await fetch(this.config.office.discoveryUrl!, {
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: { Accept: 'text/xml, */*' },
      });
      if (!response.ok || response.body === null) throw new Error(`the office server answered ${response.status}`);
      const discovery = parseDiscovery(await textOf(response.body));
      if (discovery === null) throw new Error('what the office server answered is no discovery document');
      this.known = { discovery, readMs: this.clock.nowMs() };
    } catch (error) {
      this.logger.warn('the discovery document of the office server could not be read', { error });
    }
  }
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`the discovery document is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
