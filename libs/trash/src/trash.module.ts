import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';
import { QueueModule } from '#libs/queue';
import { TasksModule } from '#libs/tasks';

import { Remover } from './remover.js';
import { SharedTrashRepository } from './repositories/shared-trash.repository.js';
import { RestoreService } from './restore.service.js';
import { SharingEnds } from './sharing-ends.js';
import { TrashEmptier } from './trash-emptier.js';
import { ClearTask, ExpireTrashJob, PurgeSpaceJob, PurgeTask, RestoreTask } from './trash.jobs.js';
import { TrashService } from './trash.service.js';
import { UndeleteService } from './undelete.service.js';

/** Removing, restoring and erasing. */
@Module({
  imports: [DatabaseModule, NodesModule, AccessModule, QueueModule, TasksModule],
  providers: [
    TrashService,
    RestoreService,
    UndeleteService,
    Remover,
    SharingEnds,
    SharedTrashRepository,
    TrashEmptier,
    { provide: Clock, useClass: SystemClock },
  ],
  exports: [TrashService, RestoreService, UndeleteService, TrashEmptier],
})
export class TrashModule {}

/** The jobs and tasks of the trash, for the worker. */
@Module({
  imports: [TrashModule, NodesModule, DatabaseModule, QueueModule],
  providers: [RestoreTask, ClearTask, PurgeTask, PurgeSpaceJob, ExpireTrashJob, { provide: Clock, useClass: SystemClock }],
})
export class TrashJobsModule {}
