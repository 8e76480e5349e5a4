import { Injectable } from '@nestjs/common';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';

import { Correlation, Logger, Metrics, scrubText } from '#libs/observability';

import { isJobName, type JobName, type JobPayload, JOBS, QUEUE_NAMES, type QueueName } from '../catalogue.js';
import { FinalJobError, JobTimeoutError, PostponeJob, WorkerStoppingError } from '../handler.js';
import type { JobEnvelope, JobWorker } from './bull-connections.js';
import { HandlerRegistry } from './handler-registry.js';
import { JobQueues } from './job-queues.js';
import { OutboxRelay } from './outbox-relay.js';
import { pause } from './pause.js';
import { type Schedule, ScheduleKeeper } from './schedules.js';

/** Jobs that one worker process runs at the same time. */
const CONCURRENCY: Readonly<Record<QueueName, number>> = { fast: 4, io: 6, cpu: 2, bulk: 2, mail: 2 };
const LAST_SECOND_MS = 1_000;

type EnvelopeJob = Job<JobEnvelope, void>;

/** Takes jobs from the queues and runs their handlers. */
@Injectable()
export class WorkerRuntime {
  private readonly workers: JobWorker[] = [];
  private readonly running = new Set<AbortController>();
  private readonly logger: Logger;
  private stopping = false;

  constructor(
    private readonly queues: JobQueues,
    private readonly relay: OutboxRelay,
    private readonly schedules: ScheduleKeeper,
    private readonly handlers: HandlerRegistry,
    private readonly metrics: Metrics,
    logger: Logger,
  ) {
    this.logger = logger.with({ part: 'jobs' });
  }

  /** Opens the queues, starts the relay and the schedules; resolves when jobs are being taken. */
  async start(schedules: readonly Schedule[]): Promise<void> {
    await this.queues.open();
    for (const name of QUEUE_NAMES) this.workers.push(this.queues.worker(name, (job, token) => this.process(job, token ?? ''), CONCURRENCY[name]));
    await Promise.all(this.workers.map((worker) => worker.waitUntilReady()));
    for (const worker of this.workers) {
      worker.run().catch((error: unknown) => this.logger.error('a worker ended', { queue: worker.name, error }));
    }
    this.relay.start();
    await this.schedules.start(schedules);
  }

  /** Takes no further jobs, asks the running ones to end, waits for them up to `graceMs`, then leaves: what still runs is run again elsewhere. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    for (const controller of this.running) controller.abort(new WorkerStoppingError());
    const orderly = Promise.allSettled([this.relay.stop(), this.schedules.stop(), ...this.workers.map((worker) => worker.close())]);
    const inTime = await Promise.race([orderly.then(() => true), pause(graceMs).then(() => false)]);
    if (!inTime) {
      this.logger.warn('some jobs did not end in time; they run again elsewhere', { running: this.running.size });
      await Promise.race([Promise.allSettled(this.workers.map((worker) => worker.close(true))), pause(LAST_SECOND_MS)]);
    }
    await Promise.race([this.queues.close(), pause(LAST_SECOND_MS)]);
  }

  private process(job: EnvelopeJob, token: string): Promise<void> {
    return Correlation.run(job.data.correlationId, async () => {
      if (!isJobName(job.name)) {
        this.logger.error('a job is unknown to this build and fails', { job: job.name, jobId: job.id });
        throw new UnrecoverableError(`unknown job ${job.name}`);
      }
      await this.run(job.name, job, token);
    });
  }

  private async run<N extends JobName>(name: N, job: EnvelopeJob, token: string): Promise<void> {
    const payload = job.data.payload as JobPayload<N>;
    const controller = new AbortController();
    const attempt = job.attemptsMade + 1;
    const isLastAttempt = attempt >= (job.opts.attempts ?? 1);
    const started = performance.now();
    const fields = { job: name, jobId: job.id, attempt };
    const seconds = (): number => (performance.now() - started) / 1_000;
    this.metrics.jobWait(name, (Date.now() - job.timestamp - job.delay) / 1_000);
    this.running.add(controller);
    try {
      if (this.stopping) {
        controller.abort(new WorkerStoppingError());
        controller.signal.throwIfAborted();
      }
      await withTimeout(JOBS[name].timeoutMs, name, controller, () =>
        this.handlers.get(name).handle(payload, { jobId: job.id ?? '', attempt, isLastAttempt, signal: controller.signal }),
      );
      this.metrics.jobRun(name, 'completed', seconds());
      this.logger.debug('a job is done', { ...fields, ms: Math.round(seconds() * 1_000) });
    } catch (error) {
      const delayMs = error instanceof PostponeJob ? error.delayMs : controller.signal.reason instanceof WorkerStoppingError ? 0 : undefined;
      if (delayMs !== undefined) {
        this.metrics.jobRun(name, 'returned', seconds());
        await job.moveToDelayed(Date.now() + delayMs, token);
        throw new DelayedError();
      }
      const final = isLastAttempt || error instanceof FinalJobError;
      this.metrics.jobRun(name, final ? 'failed' : 'retried', seconds());
      if (!final) {
        this.logger.warn('a job failed and is tried again', { ...fields, error });
        throw new Error(reason(error));
      }
      this.logger.error('a job failed for good', { ...fields, error });
      await this.tellFailure(name, payload, error);
      throw new UnrecoverableError(reason(error));
    } finally {
      this.running.delete(controller);
    }
  }

  private async tellFailure<N extends JobName>(name: N, payload: JobPayload<N>, error: unknown): Promise<void> {
    try {
      await this.handlers.get(name).failed?.(payload, error);
    } catch (hookError) {
      this.logger.error('the failure hook of a job failed', { job: name, error: hookError });
    }
  }
}

/** What the queue keeps of an error. */
function reason(error: unknown): string {
  return scrubText(error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 500);
}

async function withTimeout(ms: number, name: string, controller: AbortController, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new JobTimeoutError(`${name} took longer than ${ms} ms`);
      controller.abort(error);
      reject(error);
    }, ms);
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
