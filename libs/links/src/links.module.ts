import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { FilesModule } from '#libs/files';
import { Clock, SystemClock } from '#libs/kernel';
import { LimiterModule } from '#libs/limiter';
import { MailModule } from '#libs/mail';
import { NodesModule } from '#libs/nodes';
import { TasksModule } from '#libs/tasks';

import { AddToStorageService, AddToStorageTask } from './add-to-storage.js';
import { ComplaintService } from './complaint.service.js';
import { LinkDoor } from './link-door.js';
import { LinkPasswords } from './link-passwords.js';
import { LinkService } from './link.service.js';
import { LinkUsage } from './link-usage.js';
import { ComplaintRepository } from './repositories/complaint.repository.js';
import { LinkRepository } from './repositories/link.repository.js';

const SERVICES = [LinkService, LinkDoor, LinkUsage, AddToStorageService, ComplaintService];

/** Public links, what comes and goes through them, and complaints about them. */
@Module({
  imports: [DatabaseModule, AccountsModule, NodesModule, AccessModule, FilesModule, TasksModule, LimiterModule, MailModule],
  providers: [...SERVICES, LinkPasswords, LinkRepository, ComplaintRepository, { provide: Clock, useClass: SystemClock }],
  exports: [...SERVICES, LinkRepository],
})
export class LinksModule {}

/** The task of links; for the worker. */
@Module({
  imports: [LinksModule, NodesModule, FilesModule],
  providers: [AddToStorageTask, { provide: Clock, useClass: SystemClock }],
})
export class LinkJobsModule {}
