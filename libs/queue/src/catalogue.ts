/** Queues go by what a job needs: short database work, waiting on disk or network, computing, long batches, mail. */
export const QUEUE_NAMES = ['fast', 'io', 'cpu', 'bulk', 'mail'] as const;
export type QueueName = (typeof QUEUE_NAMES)[number];

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Operations that a client polls, and the queue whose resources each one needs. */
export const TASK_KINDS = {
  'files.multi-confirm': { queue: 'io' },
  'files.purge': { queue: 'bulk' },
  'files.full-listing': { queue: 'io' },
  'files.calculate-size': { queue: 'io' },
  'trash.restore': { queue: 'io' },
  'trash.clear': { queue: 'io' },
  'archives.build': { queue: 'cpu' },
  'events.log-file': { queue: 'io' },
  'links.add-to-storage': { queue: 'bulk' },
  'handover.folder': { queue: 'bulk' },
  'handover.migration': { queue: 'bulk' },
  'analytics.csv-report': { queue: 'io' },
  'accounts.erase': { queue: 'bulk' },
  'companies.remove': { queue: 'bulk' },
} as const satisfies Record<string, { readonly queue: QueueName }>;

export type TaskKind = keyof typeof TASK_KINDS;

/** Every job and its payload: ids and versions, never state that the database knows better. */
export interface JobPayloads {
  'tasks.run': { readonly taskId: string; readonly kind: TaskKind };
  'tasks.sweep': Record<string, never>;
  'mail.send': {
    readonly to: string;
    readonly subject: string;
    readonly text: string;
    readonly html?: string;
    readonly attachment?: { readonly storeKey: string; readonly fileName: string; readonly contentType: string };
  };
  'nodes.purge-space': { readonly spaceId: string };
  'uploads.reap': Record<string, never>;
  'blobs.collect': Record<string, never>;
  'blobs.delete-tombstones': Record<string, never>;
  'derived.expire': Record<string, never>;
  'trash.expire': Record<string, never>;
  'accounts.sweep': Record<string, never>;
  'accounts.erase-due': Record<string, never>;
  'previews.make': Record<string, never>;
  'previews.scan': Record<string, never>;
  'content-ids.make': Record<string, never>;
  'events.expire': Record<string, never>;
  'audit.seal': Record<string, never>;
  'audit.expire': Record<string, never>;
  'analytics.roll-up': Record<string, never>;
  'rooms.sweep': Record<string, never>;
  'buckets.sweep': Record<string, never>;
}

export type JobName = keyof JobPayloads;
export type JobPayload<N extends JobName> = JobPayloads[N];
/** Jobs without payload: those a schedule can start. */
export type ScheduledJobName = { [N in JobName]: JobPayloads[N] extends Record<string, never> ? N : never }[JobName];

export interface JobDefinition<N extends JobName> {
  readonly queue: QueueName | ((payload: JobPayload<N>) => QueueName);
  /** How often the job is run in all before its failure is final. */
  readonly attempts: number;
  /** Wait before the second attempt; doubles with every further one, with jitter. */
  readonly backoffMs: number;
  /** A run that takes longer is told to stop and counts as failed. */
  readonly timeoutMs: number;
  /** True when the payload holds what must not outlive the run. Such a job may run a second time when the relay sends its row twice. */
  readonly forgetWhenDone?: boolean;
}

/** The catalogue: one entry a job. The worker does not boot unless each has exactly one handler. */
export const JOBS: { readonly [N in JobName]: JobDefinition<N> } = {
  'tasks.run': { queue: ({ kind }) => TASK_KINDS[kind].queue, attempts: 5, backoffMs: 2 * SECOND, timeoutMs: 12 * HOUR },
  'tasks.sweep': { queue: 'fast', attempts: 1, backoffMs: SECOND, timeoutMs: MINUTE },
  'mail.send': { queue: 'mail', attempts: 8, backoffMs: 5 * SECOND, timeoutMs: MINUTE, forgetWhenDone: true },
  'nodes.purge-space': { queue: 'bulk', attempts: 10, backoffMs: 2 * SECOND, timeoutMs: 12 * HOUR },
  'uploads.reap': { queue: 'fast', attempts: 1, backoffMs: SECOND, timeoutMs: 10 * MINUTE },
  'blobs.collect': { queue: 'fast', attempts: 1, backoffMs: SECOND, timeoutMs: 10 * MINUTE },
  'blobs.delete-tombstones': { queue: 'bulk', attempts: 1, backoffMs: SECOND, timeoutMs: HOUR },
  'derived.expire': { queue: 'fast', attempts: 1, backoffMs: SECOND, timeoutMs: 10 * MINUTE },
  'trash.expire': { queue: 'bulk', attempts: 1, backoffMs: SECOND, timeoutMs: HOUR },
  'accounts.sweep': { queue: 'fast', attempts: 1, backoffMs: SECOND, timeoutMs: 10 * MINUTE },
  'accounts.erase-due': { queue: 'bulk', attempts: 1, backoffMs: SECOND, timeoutMs: HOUR },
  'previews.make': { queue: 'cpu', attempts: 3, backoffMs: 2 * SECOND, timeoutMs: 10 * MINUTE },
  'previews.scan': { queue: 'fast', attempts: 1, backoffMs: SECOND, timeoutMs: 10 * MINUTE },
  'content-ids.make': { queue: 'io', attempts: 1, backoffMs: SECOND, timeoutMs: 12 * HOUR },
  'events.expire': { queue: 'bulk', attempts: 1, backoffMs: SECOND, timeoutMs: HOUR },
  'audit.seal': { queue: 'fast', attempts: 1, backoffMs: SECOND, timeoutMs: 10 * MINUTE },
  'audit.expire': { queue: 'bulk', attempts: 1, backoffMs: SECOND, timeoutMs: HOUR },
  'analytics.roll-up': { queue: 'bulk', attempts: 1, backoffMs: SECOND, timeoutMs: 6 * HOUR },
  'rooms.sweep': { queue: 'bulk', attempts: 1, backoffMs: SECOND, timeoutMs: HOUR },
  'buckets.sweep': { queue: 'bulk', attempts: 1, backoffMs: SECOND, timeoutMs: HOUR },
};

export const JOB_NAMES = Object.keys(JOBS) as JobName[];

/** True when `name` is in the catalogue of this build. */
export function isJobName(name: string): name is JobName {
  return Object.hasOwn(JOBS, name);
}

/** The queue that carries one job. */
export function queueOf<N extends JobName>(name: N, payload: JobPayload<N>): QueueName {
  const { queue } = JOBS[name];
  return typeof queue === 'string' ? queue : queue(payload);
}
