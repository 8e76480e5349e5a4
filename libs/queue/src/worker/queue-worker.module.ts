import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { DatabaseModule } from '#libs/database';

import { OutboxRepository } from '../repositories/outbox.repository.js';
import { HandlerRegistry } from './handler-registry.js';
import { JobQueues } from './job-queues.js';
import { OutboxRelay } from './outbox-relay.js';
import { ScheduleKeeper } from './schedules.js';
import { WorkerRuntime } from './worker-runtime.js';

/** The reading end of the queue; imported by the worker app only, so that no other process runs jobs. */
@Module({
  imports: [DatabaseModule, DiscoveryModule],
  providers: [OutboxRepository, HandlerRegistry, JobQueues, OutboxRelay, ScheduleKeeper, WorkerRuntime],
  exports: [WorkerRuntime, JobQueues, OutboxRelay, DiscoveryModule],
})
export class QueueWorkerModule {}
