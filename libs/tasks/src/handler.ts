import { Injectable } from '@nestjs/common';

import type { GuestActor } from '#libs/kernel';
import type { TaskKind } from '#libs/queue';

const HANDLED_TASK = Symbol('stowage.handled-task');

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The run of one task, as its handler sees it. */
export interface TaskContext {
  readonly taskId: string;
  /** Who started it; null for the house itself and for a guest. */
  readonly accountId: number | null;
  /** Who started it without an account. */
  readonly guest: GuestActor | null;
  /** What the last `saveProgress` with a checkpoint stored, or null on the first run. */
  readonly checkpoint: JsonValue;
  /** Aborted when the worker ends or the run takes too long: pass it on to whatever waits long. */
  readonly signal: AbortSignal;
  /**
   * Stores progress (0 to 100) and, when given, the checkpoint. Call it inside the transaction of a batch and both commit together. It throws
   * when another run has taken the task over, which rolls the batch back.
   */
  saveProgress(percent: number, checkpoint?: object): Promise<void>;
  /** Throws when the client asked to cancel, or when the run has to end for another reason. Call it between batches, outside of a transaction. */
  throwIfCancelled(): Promise<void>;
}

/**
 * Does the work of one kind of task. It can be killed at any point and run again from its checkpoint with the same end state. The result is
 * what the client polls, as JSON. Throw a DomainError or FinalJobError: failed for good; anything else: again, later.
 */
export interface TaskHandler<Input = JsonValue> {
  run(input: Input, context: TaskContext): Promise<unknown>;
}

type Constructor<T> = new (...args: never[]) => T;

/** Makes a provider class the handler of the task `kind`. Each kind has exactly one, or the worker does not boot. */
export function HandlesTask(kind: TaskKind): (target: Constructor<{ run(input: never, context: TaskContext): Promise<unknown> }>) => void {
  return (target) => {
    Injectable()(target);
    Reflect.defineMetadata(HANDLED_TASK, kind, target);
  };
}

/** The kind of task that a class handles, or undefined. */
export function handledTask(target: object): string | undefined {
  return Reflect.getOwnMetadata(HANDLED_TASK, target) as string | undefined;
}

/** Ends a run whose client asked to cancel. Let it pass. */
export class TaskCancelledError extends Error {
  override readonly name = 'TaskCancelledError';
}

/** Ends a run that another one has replaced. Let it pass. */
export class TaskSupersededError extends Error {
  override readonly name = 'TaskSupersededError';
}
