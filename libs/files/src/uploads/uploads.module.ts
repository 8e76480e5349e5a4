import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { AccountsModule } from '#libs/accounts';
import { BlobStoreModule, UploadGate } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';
import { TasksModule } from '#libs/tasks';

import { BatchConfirmService } from './batch-confirm.service.js';
import { ConfirmService } from './confirm.service.js';
import { FileIntake } from './file-intake.service.js';
import { FsckService } from './fsck.service.js';
import { MultiConfirmService, MultiConfirmTask } from './multi-confirm.js';
import { OpenUploads } from './open-uploads.js';
import { UploadTicketRepository } from './repositories/upload-ticket.repository.js';
import { SessionUploadGate } from './session-upload-gate.js';
import { StoreJanitor } from './store-janitor.js';
import { CollectBlobsJob, DeleteTombstonesJob, ExpireDerivedJob, ReapUploadsJob } from './store-janitor.jobs.js';
import { UploadIntake } from './upload-intake.js';
import { UploadPlaces } from './upload-places.js';
import { UploadTickets } from './upload-tickets.service.js';
import { UploadWriter } from './upload-writer.js';
import { UploadService } from './upload.service.js';

const PUBLIC = [
  UploadService,
  UploadIntake,
  ConfirmService,
  BatchConfirmService,
  MultiConfirmService,
  UploadPlaces,
  StoreJanitor,
  FsckService,
  FileIntake,
  UploadTickets,
];

/** Uploads: opening, letting bytes in, confirming; and the end of what was abandoned. */
@Module({
  imports: [DatabaseModule, BlobStoreModule, NodesModule, AccountsModule, AccessModule, TasksModule],
  providers: [
    ...PUBLIC,
    OpenUploads,
    UploadWriter,
    UploadTicketRepository,
    { provide: UploadGate, useClass: SessionUploadGate },
    { provide: Clock, useClass: SystemClock },
  ],
  exports: [...PUBLIC, UploadGate],
})
export class UploadsModule {}

/** The jobs and tasks of uploads; for the worker. */
@Module({
  imports: [UploadsModule, NodesModule, AccessModule],
  providers: [MultiConfirmTask, ReapUploadsJob, CollectBlobsJob, DeleteTombstonesJob, ExpireDerivedJob],
})
export class UploadJobsModule {}
