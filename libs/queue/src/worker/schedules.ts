import { Injectable } from '@nestjs/common';

import { Database, UnitOfWork } from '#libs/database';
import { Logger } from '#libs/observability';

import { QUEUE_NAMES, queueOf, type ScheduledJobName } from '../catalogue.js';
import { jobOptions, JobQueues } from './job-queues.js';

const LOOK_EVERY_MS = 30_000;

/** A job that is run again and again, once in the whole installation however many workers there are. */
export interface Schedule {
  readonly job: ScheduledJobName;
  readonly everyMs: number;
}

/** Keeps BullMQ's job schedulers equal to the declared list, also after the queue's store was emptied. */
@Injectable()
export class ScheduleKeeper {
  private timer: NodeJS.Timeout | undefined;
  private pending: Promise<void> = Promise.resolve();
  private readonly logger: Logger;

  constructor(
    private readonly queues: JobQueues,
    private readonly database: Database,
    private readonly unitOfWork: UnitOfWork,
    logger: Logger,
  ) {
    this.logger = logger.with({ part: 'schedules' });
  }

  /** Brings the schedulers up to date now and then again every 30 s. */
  async start(schedules: readonly Schedule[]): Promise<void> {
    await this.sync(schedules);
    this.timer = setInterval(() => {
      this.pending = this.sync(schedules).catch((error: unknown) => this.logger.warn('the schedules could not be looked at', { error }));
    }, LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.pending;
  }

  /** Replicas take turns, since a scheduler that is written twice would start its job twice. One that is right stays untouched. */
  private async sync(schedules: readonly Schedule[]): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.database.lock('queue:schedules');
      for (const name of QUEUE_NAMES) {
        const queue = this.queues.get(name);
        const wanted = schedules.filter(({ job }) => queueOf(job, {}) === name);
        const present = new Map((await queue.getJobSchedulers()).map((scheduler) => [scheduler.key, scheduler.every]));
        for (const { job, everyMs } of wanted) {
          if (Number(present.get(job)) === everyMs) continue;
          await queue.upsertJobScheduler(job, { every: everyMs }, { name: job, data: { payload: {}, correlationId: null }, opts: jobOptions(job) });
        }
        for (const key of present.keys()) {
          if (!wanted.some(({ job }) => job === key)) await queue.removeJobScheduler(key);
        }
      }
    });
  }
}
