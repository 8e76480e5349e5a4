import { Module } from '@nestjs/common';

import { DatabaseModule } from '#libs/database';
import { QueueModule, QueueWorkerModule } from '#libs/queue';

import { TaskRunner } from './task-runner.js';
import { TaskSweepJob } from './task-sweep.job.js';
import { TasksModule } from './tasks.module.js';

/** Runs tasks; imported by the worker app only. */
@Module({ imports: [DatabaseModule, QueueModule, QueueWorkerModule, TasksModule], providers: [TaskRunner, TaskSweepJob] })
export class TaskRunnerModule {}
