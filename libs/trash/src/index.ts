export type { TrashOutcome } from './outcome.js';
export { RestoreService } from './restore.service.js';
export { ClearTask, ExpireTrashJob, PurgeSpaceJob, PurgeTask, type RestoreResult, RestoreTask } from './trash.jobs.js';
export { TrashJobsModule, TrashModule } from './trash.module.js';
export { type ListTrash, type PurgeStatus, type TrashListing, type TrashNodes, TrashService } from './trash.service.js';
