export { AccountDeletion, type DeleteAccount, type Ending } from './account-deletion.service.js';
export { EraseAccountTask } from './erase-account.task.js';
export { EraseDueJob } from './erase-due.job.js';
export { ErasingJobsModule, ErasingModule } from './erasing.module.js';
export { MemberRemoval, type RemoveMember } from './member-removal.service.js';
