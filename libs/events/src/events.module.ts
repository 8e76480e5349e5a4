import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { BlobStoreModule } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';
import { SignalsModule } from '#libs/signals';
import { TasksModule } from '#libs/tasks';

import { EventLogService, EventLogTask } from './event-log.js';
import { Feed } from './feed.js';
import { NoticeService } from './notice.service.js';
import { FeedRepository } from './repositories/feed.repository.js';
import { NoticeRepository } from './repositories/notice.repository.js';
import { StorageRepository } from './repositories/storage.repository.js';
import { TicketRepository } from './repositories/ticket.repository.js';
import { ExpireEventsJob } from './retention.job.js';
import { SocketCheck } from './socket-check.js';
import { SubscribeTickets } from './subscribe-tickets.js';

const SERVICES = [Feed, EventLogService, NoticeService, SubscribeTickets, SocketCheck, StorageRepository];
const REPOSITORIES = [FeedRepository, NoticeRepository, TicketRepository];

/** What happened, for those who may know: feeds, notices, and what opens a websocket. */
@Module({
  imports: [DatabaseModule, AccountsModule, NodesModule, TasksModule, SignalsModule],
  providers: [...SERVICES, ...REPOSITORIES, { provide: Clock, useClass: SystemClock }],
  exports: SERVICES,
})
export class EventsModule {}

/** The task and the job of events, for the worker. */
@Module({
  imports: [EventsModule, DatabaseModule, NodesModule, BlobStoreModule],
  providers: [EventLogTask, ExpireEventsJob, ...REPOSITORIES, { provide: Clock, useClass: SystemClock }],
})
export class EventsJobsModule {}
