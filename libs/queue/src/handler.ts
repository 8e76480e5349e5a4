import { Injectable } from '@nestjs/common';

import type { JobName, JobPayload } from './catalogue.js';

const HANDLED_JOB = Symbol('stowage.handled-job');

/** What a handler learns about the run it is in. */
export interface JobContext {
  readonly jobId: string;
  /** 1 for the first run. */
  readonly attempt: number;
  /** True when an error of this run is final. */
  readonly isLastAttempt: boolean;
  /** Aborted when the run took too long or the worker ends. A long handler looks at it between batches and may simply throw `signal.reason`. */
  readonly signal: AbortSignal;
}

/** Runs one kind of job. It can be killed at any point and run again with the same end state; throwing means: again, later. */
export interface JobHandler<N extends JobName> {
  handle(payload: JobPayload<N>, context: JobContext): Promise<void>;
  /** Called once after the last attempt has failed. */
  failed?(payload: JobPayload<N>, error: unknown): Promise<void>;
}

type Constructor<T> = new (...args: never[]) => T;

/** Makes a provider class the handler of the job `name`. Each job has exactly one, or the worker does not boot. */
export function HandlesJob<N extends JobName>(name: N): (target: Constructor<JobHandler<N>>) => void {
  return (target) => {
    Injectable()(target);
    Reflect.defineMetadata(HANDLED_JOB, name, target);
  };
}

/** The job that a class handles, or undefined. */
export function handledJob(target: object): string | undefined {
  return Reflect.getOwnMetadata(HANDLED_JOB, target) as string | undefined;
}

/** Thrown by a handler: no further attempt helps. The message is for the log. */
export class FinalJobError extends Error {
  override readonly name = 'FinalJobError';
}

/** Thrown by a handler: not now. The job returns to the queue for `delayMs` and the run does not count as an attempt. */
export class PostponeJob extends Error {
  override readonly name = 'PostponeJob';

  constructor(readonly delayMs: number) {
    super(`postponed by ${delayMs} ms`);
  }
}

/** Reason of an aborted run: the worker ends. The job goes back to the queue without a lost attempt. */
export class WorkerStoppingError extends Error {
  override readonly name = 'WorkerStoppingError';

  constructor() {
    super('The worker is stopping; the job runs again.');
  }
}

/** Reason of an aborted run: it took longer than the catalogue allows. */
export class JobTimeoutError extends Error {
  override readonly name = 'JobTimeoutError';
}
