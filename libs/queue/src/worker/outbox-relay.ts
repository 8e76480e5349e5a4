import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { HealthService, Logger } from '#libs/observability';

import { OutboxListener } from '../repositories/outbox-listener.js';
import { OutboxRepository } from '../repositories/outbox.repository.js';
import { JobQueues, KNOWN_JOBS } from './job-queues.js';
import { pause, rateLimited } from './pause.js';

const BATCH = 200;
const POLL_MS = 1_000;
const RETRY_MS = 1_000;
const SILENCE_LIMIT_MS = 15_000;
const STRANGERS_EVERY_MS = 60_000;

/**
 * Carries outbox rows to the queue. A row is deleted after its job was added, in one transaction that keeps it from other relays; a crash
 * in between sends it again under the same job id, which the queue absorbs.
 */
@Injectable()
export class OutboxRelay {
  private readonly stopping = new AbortController();
  private readonly logger: Logger;
  private wakeUp = new AbortController();
  private loop: Promise<void> | undefined;
  private listener: OutboxListener | undefined;
  private lastPass = performance.now();
  private lastStrangers = -Infinity;

  constructor(
    private readonly config: AppConfig,
    private readonly outbox: OutboxRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly queues: JobQueues,
    private readonly health: HealthService,
    logger: Logger,
  ) {
    this.logger = logger.with({ part: 'relay' });
  }

  start(): void {
    this.listener = new OutboxListener(this.config.database.url, this.logger, () => this.wakeUp.abort());
    void this.listener.start();
    this.lastPass = performance.now();
    this.health.register('relay', () =>
      performance.now() - this.lastPass < SILENCE_LIMIT_MS ? Promise.resolve() : Promise.reject(new Error('no outbox pass has succeeded lately')),
    );
    this.loop = this.run();
  }

  /** Ends after the pass that is under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wakeUp.abort();
    await this.listener?.stop();
    await this.loop;
  }

  /** One pass: up to 200 rows. Returns how many were sent. */
  async pass(): Promise<number> {
    return this.unitOfWork.run(async () => {
      const rows = await this.outbox.claim(KNOWN_JOBS, BATCH);
      if (rows.length === 0) return 0;
      await this.queues.send(rows);
      await this.outbox.remove(rows.map((row) => row.id));
      return rows.length;
    });
  }

  private async run(): Promise<void> {
    const report = rateLimited(10_000, (_, error, swallowed) =>
      this.logger.warn('jobs wait in the outbox: the queue or the database is away', { error, swallowed }),
    );
    while (!this.stopping.signal.aborted) {
      this.wakeUp = new AbortController();
      try {
        const sent = await this.pass();
        this.lastPass = performance.now();
        if (sent === BATCH) continue;
        await this.reportStrangers();
        await pause(POLL_MS, this.wakeUp.signal);
      } catch (error) {
        report('relay', error);
        await pause(RETRY_MS, this.stopping.signal);
      }
    }
  }

  /** Jobs of a newer or older build stay for a worker that knows them; somebody should know that they wait. */
  private async reportStrangers(): Promise<void> {
    if (performance.now() - this.lastStrangers < STRANGERS_EVERY_MS) return;
    this.lastStrangers = performance.now();
    const jobs = await this.outbox.strangers(KNOWN_JOBS);
    if (jobs.length > 0) this.logger.error('the outbox holds jobs that this build does not know', { jobs });
  }
}
