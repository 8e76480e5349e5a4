import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { BlobStoreModule } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';
import { QueueModule } from '#libs/queue';
import { TasksModule } from '#libs/tasks';

import { BrowseService } from './browse.service.js';
import { CopyService } from './copy.service.js';
import { FolderService } from './folder.service.js';
import { FolderSizeService, FolderSizeTask } from './folder-size.js';
import { FullListingService, FullListingTask } from './full-listing.js';
import { MoveManyService } from './move-many.service.js';
import { MoveService } from './move.service.js';

const SERVICES = [FolderService, BrowseService, MoveService, MoveManyService, CopyService, FullListingService, FolderSizeService];

/** Use cases on the tree: making folders, reading, moving, copying. */
@Module({
  imports: [DatabaseModule, NodesModule, AccessModule, QueueModule, TasksModule],
  providers: [...SERVICES, { provide: Clock, useClass: SystemClock }],
  exports: SERVICES,
})
export class TreeModule {}

/** The tasks of the tree, for the worker. */
@Module({
  imports: [TreeModule, NodesModule, BlobStoreModule, TasksModule],
  providers: [FullListingTask, FolderSizeTask, { provide: Clock, useClass: SystemClock }],
})
export class TreeJobsModule {}
