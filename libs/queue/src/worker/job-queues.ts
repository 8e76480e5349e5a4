import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { KeepJobs } from 'bullmq';

import { AppConfig } from '#libs/config';
import { HealthService, Logger, Metrics } from '#libs/observability';

import { JOB_NAMES, type JobDefinition, JOBS, type JobName, type JobPayload, QUEUE_NAMES, type QueueName, queueOf } from '../catalogue.js';
import { OutboxRepository, type OutboxRow } from '../repositories/outbox.repository.js';
import { BullConnections, type JobProcessor, type JobQueue, type JobWorker } from './bull-connections.js';
import { within } from './pause.js';

const HOUR_S = 3_600;
/** Ended jobs stay for a while: their ids absorb a row that the relay sends twice. */
const KEEP_COMPLETED = { age: HOUR_S, count: 2_000 };
const FORGET = { count: 0 };
const KEEP_FAILED = { age: 7 * 24 * HOUR_S, count: 5_000 };
const ANSWER_MS = 10_000;

/** The queues of the worker process. */
@Injectable()
export class JobQueues implements OnModuleInit {
  private readonly connections: BullConnections;
  private readonly queues = new Map<QueueName, JobQueue>();

  constructor(
    config: AppConfig,
    logger: Logger,
    private readonly outbox: OutboxRepository,
    private readonly metrics: Metrics,
    private readonly health: HealthService,
  ) {
    this.connections = new BullConnections(config, logger.with({ part: 'queue' }));
  }

  onModuleInit(): void {
    this.metrics.gauge('stowage_queue_depth', 'Jobs that are due and not started; outbox: not yet on a queue.', 'queue', async () => ({
      outbox: await this.outbox.count(),
      ...(await this.perQueue(async (queue) => (await this.counts(queue)).due)),
    }));
    this.metrics.gauge('stowage_queue_failed_jobs', 'Jobs whose last attempt failed, of the last 7 days.', 'queue', () =>
      this.perQueue(async (queue) => (await this.counts(queue)).failed),
    );
    this.health.register('queue', () => this.counts('fast'));
  }

  /** Opens the queues; resolves when the store behind them answers and its schema is ready. */
  async open(): Promise<void> {
    for (const name of QUEUE_NAMES) this.queues.set(name, this.connections.queue(name));
    await Promise.all([...this.queues.values()].map((queue) => queue.waitUntilReady()));
  }

  /** A worker of the queue `name`, not yet running. */
  worker(name: QueueName, processor: JobProcessor, concurrency: number): JobWorker {
    return this.connections.worker(name, processor, concurrency);
  }

  /** The open queue `name`. */
  get(name: QueueName): JobQueue {
    const queue = this.queues.get(name);
    if (!queue) throw new Error('The job queues are not open.');
    return queue;
  }

  /** Puts outbox rows on their queues; a row that is already there changes nothing. */
  async send(rows: readonly OutboxRow[]): Promise<void> {
    const batches = new Map<QueueName, Parameters<JobQueue['addBulk']>[0]>();
    for (const row of rows) {
      const name = row.job as JobName;
      const queue = queueOf(name, row.payload as JobPayload<JobName>);
      const job = {
        name,
        data: { payload: row.payload, correlationId: row.correlationId },
        // the time makes the id unlike that of another database that used the same Redis before
        opts: { ...jobOptions(name), jobId: `outbox-${row.id}-${row.createdMs}`, delay: row.delayMs },
      };
      batches.set(queue, [...(batches.get(queue) ?? []), job]);
    }
    await Promise.all([...batches].map(([queue, jobs]) => within(ANSWER_MS, 'the job queue', this.get(queue).addBulk(jobs))));
  }

  /** How many jobs of a queue are due and how many are being run. */
  async counts(name: QueueName): Promise<{ due: number; active: number; failed: number }> {
    const counts = await within(ANSWER_MS, 'the job queue', this.get(name).getJobCounts('wait', 'prioritized', 'active', 'failed'));
    return {
      due: (counts['wait'] ?? counts['waiting'] ?? 0) + (counts['prioritized'] ?? 0),
      active: counts['active'] ?? 0,
      failed: counts['failed'] ?? 0,
    };
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.queues.values()].map((queue) => queue.close()));
    this.queues.clear();
    this.connections.close();
  }

  private async perQueue(read: (name: QueueName) => Promise<number>): Promise<Record<string, number>> {
    return Object.fromEntries(await Promise.all(QUEUE_NAMES.map(async (name) => [name, await read(name)] as const)));
  }
}

/** BullMQ's options of a job, from the catalogue. */
export function jobOptions(name: JobName): {
  attempts: number;
  backoff: { type: 'exponential'; delay: number; jitter: number };
  removeOnComplete: KeepJobs;
  removeOnFail: KeepJobs;
} {
  const { attempts, backoffMs, forgetWhenDone = false }: Pick<JobDefinition<never>, 'attempts' | 'backoffMs' | 'forgetWhenDone'> = JOBS[name];
  const removeOnComplete = forgetWhenDone ? FORGET : KEEP_COMPLETED;
  return { attempts, backoff: { type: 'exponential', delay: backoffMs, jitter: 0.3 }, removeOnComplete, removeOnFail: KEEP_FAILED };
}

export const KNOWN_JOBS: readonly string[] = JOB_NAMES;
