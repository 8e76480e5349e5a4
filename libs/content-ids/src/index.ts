export { MakeContentIdsJob } from './content-ids.job.js';
export { type ContentId, contentIdOf, type ContentLink } from './content-id.js';
export { ContentIds } from './content-ids.service.js';
export { ContentIdJobsModule, ContentIdsModule } from './content-ids.module.js';
export type { ContentTap } from './content-tap.js';
