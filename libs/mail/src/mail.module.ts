import { Module } from '@nestjs/common';

import { BlobStoreModule } from '#libs/blob-store';
import { Clock, SystemClock } from '#libs/kernel';
import { QueueModule } from '#libs/queue';

import { Mailer, SendMailJob } from './mailer.js';

@Module({ imports: [QueueModule, BlobStoreModule], providers: [{ provide: Clock, useClass: SystemClock }, Mailer, SendMailJob], exports: [Mailer] })
export class MailModule {}
