import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type Actor, DomainError, type DomainErrorCode, type GuestActor, newId, randomHex } from '#libs/kernel';
import { Outbox, type TaskKind } from '#libs/queue';

import type { JsonValue } from './handler.js';
import { TaskRepository, type TaskRow, type TaskState } from './repositories/task.repository.js';

const PUBLIC_ID_BYTES = 64;
const PUBLIC_ID = /^[0-9a-f]{128}$/;

/** A task as its starter sees it. */
export interface TaskView {
  readonly publicId: string;
  readonly kind: TaskKind;
  /** Who started it without an account: judge him before giving out what it made. */
  readonly guest: GuestActor | null;
  readonly state: TaskState;
  /** 0 to 100. */
  readonly progress: number;
  /** What the handler returned; null before the end. */
  readonly result: JsonValue;
  /** Why it failed, in words for its user. */
  readonly error: { readonly code: DomainErrorCode; readonly message: string } | null;
  readonly createdMs: number;
  readonly finishedMs: number | null;
}

/**
 * Operations that a client starts, polls, cancels and starts again. Only the starter and the house itself can see a task; one that a guest
 * has started is seen by whoever knows its id: of a guest nothing more is known than that.
 */
@Injectable()
export class TaskService {
  constructor(
    private readonly tasks: TaskRepository,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Starts a task in the surrounding transaction, if there is one. `input` is stored as JSON. */
  async start(actor: Actor, kind: TaskKind, input: object): Promise<{ publicId: string }> {
    const guest = actor.kind === 'guest' ? actor : null;
    const task = { id: newId(), publicId: randomHex(PUBLIC_ID_BYTES), accountId: accountOf(actor), guest, kind, input };
    await this.unitOfWork.run(async () => {
      await this.tasks.insert(task);
      await this.outbox.add('tasks.run', { taskId: task.id, kind });
    });
    return { publicId: task.publicId };
  }

  /** The task with this id; null is somebody without an account. Throws TASK_NOT_FOUND, also for a task of someone else. */
  async get(actor: Actor | null, publicId: string): Promise<TaskView> {
    return view(owned(actor, PUBLIC_ID.test(publicId) ? await this.tasks.byPublicId(publicId) : null));
  }

  /** By which id the starter knows a task: for its handler. */
  async publicIdOf(taskId: string): Promise<string> {
    return this.tasks.publicIdOf(taskId);
  }

  /** The task of this kind, and of this `input` when it is given, that the actor started last, or null. */
  async latest(actor: Actor, kind: TaskKind, input?: object): Promise<TaskView | null> {
    const row = actor.kind === 'guest' ? null : await this.tasks.latest(accountOf(actor), kind, input ?? null);
    return row && view(row);
  }

  /** Cancels a waiting task at once and a running one at its next batch; one that has ended stays as it is. */
  async cancel(actor: Actor, publicId: string): Promise<TaskView> {
    return this.change(actor, publicId, async (row) => {
      if (row.state === 'waiting') await this.tasks.close(row.id, 'cancelled', null, null);
      else if (row.state === 'running') await this.tasks.requestCancel(row.id);
    });
  }

  /** Runs a failed or cancelled task again, from its checkpoint. Throws TASK_RUNNING before its end, INVALID_ARGUMENT after success. */
  async retry(actor: Actor, publicId: string): Promise<TaskView> {
    return this.change(actor, publicId, async (row) => {
      if (row.state === 'waiting' || row.state === 'running') throw new DomainError('TASK_RUNNING', 'The operation has not ended yet.');
      if (row.state === 'succeeded') throw new DomainError('INVALID_ARGUMENT', 'The operation has succeeded; there is nothing to run again.');
      await this.tasks.reopen(row.id);
      await this.outbox.add('tasks.run', { taskId: row.id, kind: row.kind });
    });
  }

  /** Lets a task that has ended be forgotten by its starter; one that has not, or is not there, stays as it is. */
  async forget(actor: Actor, publicId: string): Promise<void> {
    if (PUBLIC_ID.test(publicId) && actor.kind !== 'guest') await this.tasks.deleteFinished(publicId, accountOf(actor));
  }

  private change(actor: Actor, publicId: string, work: (row: TaskRow) => Promise<void>): Promise<TaskView> {
    return this.unitOfWork.run(async () => {
      await work(owned(actor, PUBLIC_ID.test(publicId) ? await this.tasks.lockByPublicId(publicId) : null));
      return view(owned(actor, await this.tasks.byPublicId(publicId)));
    });
  }
}

function accountOf(actor: Actor): number | null {
  return actor.kind === 'account' ? actor.accountId : null;
}

function owned(actor: Actor | null, row: TaskRow | null): TaskRow {
  const mine = actor?.kind === 'account' && row?.accountId === actor.accountId;
  if (row && (mine || row.guest !== null || actor?.kind === 'system')) return row;
  throw new DomainError('TASK_NOT_FOUND', 'There is no operation with this id.');
}

function view(row: TaskRow): TaskView {
  return {
    publicId: row.publicId,
    kind: row.kind,
    guest: row.guest,
    state: row.state,
    progress: row.progress,
    result: row.result,
    error: row.state === 'failed' ? { code: row.errorCode ?? 'TASK_FAILED', message: row.errorMessage ?? 'The operation failed.' } : null,
    createdMs: row.createdMs,
    finishedMs: row.finishedMs,
  };
}
