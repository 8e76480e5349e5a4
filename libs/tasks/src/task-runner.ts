import type { OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

import { UnitOfWork } from '#libs/database';
import { DomainError, isDomainError } from '#libs/kernel';
import { Logger } from '#libs/observability';
import {
  assertOneEach,
  discover,
  FinalJobError,
  HandlesJob,
  type JobContext,
  type JobPayload,
  PostponeJob,
  TASK_KINDS,
  type TaskKind,
  WorkerStoppingError,
} from '#libs/queue';

import { handledTask, type TaskHandler, TaskCancelledError, TaskSupersededError } from './handler.js';
import { type TaskOutcome, TaskRepository, type TaskRow } from './repositories/task.repository.js';
import { LEASE_MS, TaskRun } from './task-run.js';

/** Runs in a row that ended without a saved progress and without an error of their own: the task itself kills its worker. */
const MAX_FRUITLESS_RUNS = 30;
const GENERIC_FAILURE = 'The operation failed because of an internal error. It can be started again.';
const POISONED = 'The operation was interrupted too many times and was given up. It can be started again.';

/** The one job behind all tasks: brings a task from its row to its end. */
@HandlesJob('tasks.run')
export class TaskRunner implements OnApplicationBootstrap {
  private readonly handlers = new Map<string, TaskHandler>();
  private readonly logger: Logger;

  constructor(
    private readonly tasks: TaskRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly discovery: DiscoveryService,
    logger: Logger,
  ) {
    this.logger = logger.with({ part: 'tasks' });
  }

  onApplicationBootstrap(): void {
    const found = discover<TaskHandler>(this.discovery, handledTask);
    assertOneEach('task', Object.keys(TASK_KINDS), found);
    for (const [kind, [handler]] of found) this.handlers.set(kind, handler!);
  }

  async handle({ taskId }: JobPayload<'tasks.run'>, context: JobContext): Promise<void> {
    const begun = await this.begin(taskId);
    if (!begun) return;
    const run = new TaskRun(this.tasks, begun.row, begun.runNo, context.signal);
    run.startHeartbeat();
    let outcome: TaskOutcome | undefined;
    try {
      await run.throwIfCancelled();
      outcome = { state: 'succeeded', result: await this.handlerOf(begun.row.kind).run(begun.row.input, run) };
    } catch (error) {
      outcome = await this.outcomeOf(error, begun.row, run, context);
    } finally {
      run.stopHeartbeat();
    }
    if (outcome && !(await this.tasks.finishRun(taskId, run.runNo, outcome)))
      this.logger.warn('a run ended after another had taken its task over', { taskId });
  }

  /** The last attempt could not even be recorded: the row says so as soon as the database takes it. */
  async failed({ taskId }: JobPayload<'tasks.run'>): Promise<void> {
    await this.unitOfWork.run(async () => {
      const row = await this.tasks.lockById(taskId);
      if (row?.state === 'waiting') await this.tasks.close(taskId, 'failed', 'TASK_FAILED', GENERIC_FAILURE);
    });
  }

  /** Takes the task over, or returns null when there is nothing left to do. */
  private begin(taskId: string): Promise<{ row: TaskRow; runNo: number } | null> {
    return this.unitOfWork.run(async () => {
      const row = await this.tasks.lockById(taskId);
      if (!row || (row.state !== 'waiting' && row.state !== 'running')) return null;
      // a second job for the same task waits until the first one has ended or died
      if (row.state === 'running' && row.silentMs < LEASE_MS) throw new PostponeJob(LEASE_MS / 4);
      if (row.cancelRequested) {
        await this.tasks.close(taskId, 'cancelled', null, null);
        return null;
      }
      if (row.attempts >= MAX_FRUITLESS_RUNS) {
        this.logger.error('a task was interrupted too many times without any progress', { taskId, kind: row.kind, runs: row.attempts });
        await this.tasks.close(taskId, 'failed', 'TASK_FAILED', POISONED);
        return null;
      }
      return { row, runNo: await this.tasks.beginRun(taskId) };
    });
  }

  /** What an error makes of the task; undefined when another run decides. Rethrows what a later attempt may heal. */
  private async outcomeOf(error: unknown, row: TaskRow, run: TaskRun, context: JobContext): Promise<TaskOutcome | undefined> {
    if (error instanceof TaskSupersededError || run.signal.reason instanceof TaskSupersededError) return undefined;
    if (error instanceof TaskCancelledError) return { state: 'cancelled' };
    const refusal = isDomainError(error) && !isTransient(error);
    const final = refusal || error instanceof FinalJobError || (context.isLastAttempt && !(context.signal.reason instanceof WorkerStoppingError));
    if (!final) {
      await this.tasks.releaseRun(row.id, run.runNo);
      throw error;
    }
    this.logger[refusal ? 'info' : 'error']('a task failed', { taskId: row.id, kind: row.kind, error });
    return isDomainError(error) && error.code !== 'INTERNAL'
      ? { state: 'failed', errorCode: error.code, errorMessage: error.message }
      : { state: 'failed', errorCode: 'TASK_FAILED', errorMessage: GENERIC_FAILURE };
  }

  private handlerOf(kind: TaskKind): TaskHandler {
    const handler = this.handlers.get(kind);
    if (!handler) throw new FinalJobError(`no handler for the task ${kind}`);
    return handler;
  }
}

/** Refusals that pass by themselves: they are tried again before they count. */
function isTransient(error: DomainError): boolean {
  return error.code === 'BUSY' || error.code === 'STORAGE_UNAVAILABLE' || error.code === 'INTERNAL';
}
