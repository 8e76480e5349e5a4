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
