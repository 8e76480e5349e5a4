import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { AccountsModule } from '#libs/accounts';
import { CompaniesModule } from '#libs/companies';
import { DatabaseModule } from '#libs/database';
import { HomeHandoverModule } from '#libs/handover';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';
import { TasksModule } from '#libs/tasks';

import { AccountDeletion } from './account-deletion.service.js';
import { AccountEraser } from './account-eraser.js';
import { EraseAccountTask } from './erase-account.task.js';
import { EraseDueJob } from './erase-due.job.js';
import { MemberRemoval } from './member-removal.service.js';
import { ErasingRepository } from './repositories/erasing.repository.js';
import { PersonalDataRepository } from './repositories/personal-data.repository.js';

/** The end of accounts, as administrators decide it. */
@Module({
  imports: [DatabaseModule, AccountsModule, CompaniesModule, HomeHandoverModule, TasksModule],
  providers: [{ provide: Clock, useClass: SystemClock }, ErasingRepository, AccountDeletion, MemberRemoval],
  exports: [AccountDeletion, MemberRemoval, ErasingRepository],
})
export class ErasingModule {}

/** What it takes in the background, for the worker. */
@Module({
  imports: [DatabaseModule, AccountsModule, NodesModule, AccessModule, HomeHandoverModule, TasksModule],
  providers: [{ provide: Clock, useClass: SystemClock }, ErasingRepository, PersonalDataRepository, AccountEraser, EraseAccountTask, EraseDueJob],
})
export class ErasingJobsModule {}
