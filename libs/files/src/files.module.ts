import { Module } from '@nestjs/common';

import { DownloadsModule } from './downloads/downloads.module.js';
import { TreeJobsModule, TreeModule } from './tree/tree.module.js';
import { UploadJobsModule, UploadsModule } from './uploads/uploads.module.js';

/** Every use case on files and folders. */
@Module({ imports: [TreeModule, UploadsModule, DownloadsModule], exports: [TreeModule, UploadsModule, DownloadsModule] })
export class FilesModule {}

/** Their jobs and tasks, for the worker. */
@Module({ imports: [TreeJobsModule, UploadJobsModule] })
export class FilesJobsModule {}
