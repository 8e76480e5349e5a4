import { Module } from '@nestjs/common';

import { BlobStoreModule } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { QueueModule } from '#libs/queue';

import { MakeContentIdsJob } from './content-ids.job.js';
import { ContentIds } from './content-ids.service.js';
import { ContentIdRepository } from './repositories/content-id.repository.js';

/** Names of contents by their bytes. */
@Module({ imports: [DatabaseModule, QueueModule], providers: [ContentIds, ContentIdRepository], exports: [ContentIds] })
export class ContentIdsModule {}

/** What computes those that were not computed when their bytes came; for the worker. */
@Module({
  imports: [DatabaseModule, BlobStoreModule, QueueModule],
  providers: [MakeContentIdsJob, ContentIdRepository, { provide: Clock, useClass: SystemClock }],
})
export class ContentIdJobsModule {}
