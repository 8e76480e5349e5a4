export {
  isJobName,
  JOB_NAMES,
  type JobName,
  type JobPayload,
  type JobPayloads,
  JOBS,
  QUEUE_NAMES,
  type QueueName,
  queueOf,
  type ScheduledJobName,
  TASK_KINDS,
  type TaskKind,
} from './catalogue.js';
export { FinalJobError, HandlesJob, type JobContext, type JobHandler, JobTimeoutError, PostponeJob, WorkerStoppingError } from './handler.js';
export { Outbox } from './outbox.js';
export { QueueModule } from './queue.module.js';
export { assertOneEach, discover } from './worker/handler-registry.js';
export { JobQueues } from './worker/job-queues.js';
export { OutboxRelay } from './worker/outbox-relay.js';
export { QueueWorkerModule } from './worker/queue-worker.module.js';
export type { Schedule } from './worker/schedules.js';
export { WorkerRuntime } from './worker/worker-runtime.js';
