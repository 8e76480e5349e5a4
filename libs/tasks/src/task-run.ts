import { DomainError, type GuestActor } from '#libs/kernel';

import { type JsonValue, TaskCancelledError, type TaskContext, TaskSupersededError } from './handler.js';
import { type RunReply, TaskRepository, type TaskRow } from './repositories/task.repository.js';

export const HEARTBEAT_MS = 2_000;
/** A run that was silent for so long is taken for dead. */
export const LEASE_MS = 8_000;
const CANCEL_LOOK_MS = 500;

/** One run of a task: its context for the handler, and its sign of life. */
export class TaskRun implements TaskContext {
  readonly taskId: string;
  readonly accountId: number | null;
  readonly guest: GuestActor | null;
  readonly signal: AbortSignal;
  checkpoint: JsonValue;
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private lastLook = performance.now();
  private cancelRequested: boolean;

  constructor(
    private readonly tasks: TaskRepository,
    row: TaskRow,
    readonly runNo: number,
    jobSignal: AbortSignal,
  ) {
    this.taskId = row.id;
    this.accountId = row.accountId;
    this.guest = row.guest;
    this.checkpoint = row.checkpoint;
    this.cancelRequested = row.cancelRequested;
    this.signal = AbortSignal.any([jobSignal, this.controller.signal]);
  }

  startHeartbeat(): void {
    this.timer = setInterval(() => {
      this.tasks.heartbeat(this.taskId, this.runNo).then(
        (reply) => this.take(reply),
        () => undefined, // the database is away: the next beat, or the batch itself, tells
      );
    }, HEARTBEAT_MS);
  }

  stopHeartbeat(): void {
    clearInterval(this.timer);
  }

  async saveProgress(percent: number, checkpoint?: object): Promise<void> {
    if (!Number.isFinite(percent)) throw new DomainError('INTERNAL', 'The progress of an operation must be a number.');
    const bounded = Math.min(100, Math.max(0, percent));
    this.take(await this.tasks.saveProgress(this.taskId, this.runNo, bounded, checkpoint));
    if (this.controller.signal.reason instanceof TaskSupersededError) throw this.controller.signal.reason;
    if (checkpoint !== undefined) this.checkpoint = checkpoint as JsonValue;
  }

  async throwIfCancelled(): Promise<void> {
    if (performance.now() - this.lastLook >= CANCEL_LOOK_MS) this.take(await this.tasks.heartbeat(this.taskId, this.runNo));
    if (this.cancelRequested) throw new TaskCancelledError('The operation was cancelled.');
    this.signal.throwIfAborted();
  }

  private take(reply: RunReply | null): void {
    this.lastLook = performance.now();
    if (reply === null) this.controller.abort(new TaskSupersededError('Another run owns the operation.'));
    else if (reply.cancelRequested) this.cancelRequested = true;
  }
}
