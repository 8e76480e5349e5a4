import { Module } from '@nestjs/common';

import { DatabaseModule } from '#libs/database';
import { QueueModule } from '#libs/queue';

import { TaskRepository } from './repositories/task.repository.js';
import { TaskService } from './task.service.js';

/** Starting and polling of tasks, for every lib and both apps. The worker adds `TaskRunnerModule`. */
@Module({ imports: [DatabaseModule, QueueModule], providers: [TaskRepository, TaskService], exports: [TaskService, TaskRepository] })
export class TasksModule {}
