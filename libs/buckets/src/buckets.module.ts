import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { FilesModule } from '#libs/files';
import { Clock, SystemClock } from '#libs/kernel';
import { LedgerModule, NodesModule } from '#libs/nodes';
import { QueueModule } from '#libs/queue';
import { ServiceKeysModule } from '#libs/service-keys';
import { TrashModule } from '#libs/trash';

import { BucketDownloads } from './bucket-downloads.service.js';
import { BucketTokens } from './bucket-tokens.service.js';
import { BucketFiles } from './bucket-files.service.js';
import { SweepBucketsJob } from './bucket-sweep.job.js';
import { Buckets } from './buckets.service.js';
import { BucketFileRepository } from './repositories/bucket-file.repository.js';
import { BucketRepository } from './repositories/bucket.repository.js';

/** Spaces in which programs keep files by path. */
@Module({
  imports: [DatabaseModule, AccountsModule, ServiceKeysModule, NodesModule, LedgerModule, AccessModule, FilesModule, TrashModule, QueueModule],
  providers: [{ provide: Clock, useClass: SystemClock }, BucketRepository, BucketFileRepository, Buckets, BucketFiles, BucketDownloads, BucketTokens],
  exports: [Buckets, BucketFiles, BucketDownloads, BucketTokens, BucketRepository],
})
export class BucketsModule {}

/** Their job, for the worker. */
@Module({
  imports: [BucketsModule, DatabaseModule, NodesModule, QueueModule],
  providers: [{ provide: Clock, useClass: SystemClock }, SweepBucketsJob],
})
export class BucketJobsModule {}
