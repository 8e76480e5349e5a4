import { Module } from '@nestjs/common';

import { DatabaseModule } from '#libs/database';

import { Outbox } from './outbox.js';
import { OutboxRepository } from './repositories/outbox.repository.js';

/** The writing end, for every lib that leaves jobs. It opens no connection to the queue. */
@Module({ imports: [DatabaseModule], providers: [OutboxRepository, Outbox], exports: [Outbox] })
export class QueueModule {}
