import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { TreeModule } from '#libs/files';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';
import { TasksModule } from '#libs/tasks';
import { TrashModule } from '#libs/trash';

import { HandoverService } from './handover.service.js';
import { HandoverTask } from './handover.task.js';
import { HomeHandover } from './home-handover.js';
import { MigrationService } from './migration.service.js';
import { MigrationTask } from './migration.task.js';
import { OwnerCrossing } from './owner-crossing.js';
import { HandoverRepository } from './repositories/handover.repository.js';
import { MigrationRepository } from './repositories/migration.repository.js';

/** Folders and files that go from one person to another: handed over by their owner, or copied with the consent of the receiver. */
@Module({
  imports: [DatabaseModule, AccountsModule, NodesModule, AccessModule, TasksModule],
  providers: [{ provide: Clock, useClass: SystemClock }, HandoverRepository, MigrationRepository, OwnerCrossing, HandoverService, MigrationService],
  exports: [HandoverService, MigrationService, HandoverRepository, MigrationRepository, OwnerCrossing],
})
export class HandoverModule {}

/** The giving of whole homes, for whoever ends an account. */
@Module({
  imports: [HandoverModule, DatabaseModule, AccountsModule, NodesModule, AccessModule, TreeModule],
  providers: [HomeHandover],
  exports: [HomeHandover],
})
export class HomeHandoverModule {}

/** Its tasks, for the worker. */
@Module({
  imports: [HandoverModule, DatabaseModule, AccountsModule, NodesModule, AccessModule, TreeModule, TrashModule],
  providers: [{ provide: Clock, useClass: SystemClock }, HandoverTask, MigrationTask],
})
export class HandoverJobsModule {}
