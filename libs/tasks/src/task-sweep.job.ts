import { UnitOfWork } from '#libs/database';
import { Logger } from '#libs/observability';
import { HandlesJob, JobQueues, type JobContext, type JobPayload, Outbox, QUEUE_NAMES, type QueueName, TASK_KINDS, type TaskKind } from '#libs/queue';

import { TaskRepository } from './repositories/task.repository.js';

const RUNNING_SILENCE_MS = 60_000;
/** With nothing due or active on its queue, a waiting task has lost its job. */
const LOST_SILENCE_MS = 30_000;
/** Behind a long queue a task may wait; a second job for it does no harm. */
const WAITING_SILENCE_MS = 15 * 60_000;
const KEEP_FINISHED_MS = 7 * 24 * 3_600_000;
const BATCH = 500;

/** Puts tasks again whose job was lost (the queue's store was emptied, a worker died oddly), and removes old finished ones. */
@HandlesJob('tasks.sweep')
export class TaskSweepJob {
  private readonly logger: Logger;

  constructor(
    private readonly tasks: TaskRepository,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
    private readonly queues: JobQueues,
    logger: Logger,
  ) {
    this.logger = logger.with({ part: 'tasks' });
  }

  async handle(_payload: JobPayload<'tasks.sweep'>, context: JobContext): Promise<void> {
    for (const queue of QUEUE_NAMES) {
      const kinds = kindsOn(queue);
      if (kinds.length === 0) continue;
      const { due, active } = await this.queues.counts(queue);
      await this.putAgain(kinds, 'running', RUNNING_SILENCE_MS, context);
      await this.putAgain(kinds, 'waiting', due + active === 0 ? LOST_SILENCE_MS : WAITING_SILENCE_MS, context);
    }
    while ((await this.tasks.removeFinished(KEEP_FINISHED_MS, BATCH)) === BATCH) context.signal.throwIfAborted();
  }

  private async putAgain(kinds: readonly TaskKind[], state: 'waiting' | 'running', silentMs: number, context: JobContext): Promise<void> {
    for (let count = BATCH; count === BATCH; context.signal.throwIfAborted()) {
      count = await this.unitOfWork.run(async () => {
        const silent = await this.tasks.claimSilent(kinds, state, silentMs, BATCH);
        for (const { id, kind } of silent) await this.outbox.add('tasks.run', { taskId: id, kind });
        return silent.length;
      });
      if (count > 0) this.logger.warn('tasks without a sign of life were put on their queue again', { state, count });
    }
  }
}

function kindsOn(queue: QueueName): TaskKind[] {
  return (Object.keys(TASK_KINDS) as TaskKind[]).filter((kind) => TASK_KINDS[kind].queue === queue);
}
