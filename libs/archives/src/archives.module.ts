import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { BlobStoreModule } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';
import { TasksModule } from '#libs/tasks';

import { ArchiveBuildTask } from './archive-build.task.js';
import { ArchiveContents } from './archive-contents.js';
import { ArchiveService } from './archive.service.js';
import { ArchiveStreamRepository } from './repositories/archive-stream.repository.js';
import { ArchiveTreeRepository } from './repositories/archive-tree.repository.js';

/** Archives of files and folders. */
@Module({
  imports: [DatabaseModule, BlobStoreModule, NodesModule, AccessModule, TasksModule],
  providers: [ArchiveService, ArchiveContents, ArchiveStreamRepository, ArchiveTreeRepository, { provide: Clock, useClass: SystemClock }],
  exports: [ArchiveService, ArchiveContents, ArchiveStreamRepository],
})
export class ArchivesModule {}

/** The task of archives; for the worker. */
@Module({
  imports: [ArchivesModule, DatabaseModule, BlobStoreModule, NodesModule],
  providers: [ArchiveBuildTask, { provide: Clock, useClass: SystemClock }],
})
export class ArchiveJobsModule {}
