export type { TrashOutcome } from './outcome.js';
export type { TrashNodes } from './remover.js';
export { type RestoreNode, RestoreService } from './restore.service.js';
export { ClearTask, ExpireTrashJob, PurgeSpaceJob, PurgeTask, type RestoreResult, RestoreTask } from './trash.jobs.js';
export { TrashJobsModule, TrashModule } from './trash.module.js';
export { type ListTrash, type PurgeStatus, type StartRestore, type TrashListing, TrashService } from './trash.service.js';
export { UndeleteService } from './undelete.service.js';
