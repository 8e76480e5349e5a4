import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { BlobStoreModule } from '#libs/blob-store';
import { NodesModule } from '#libs/nodes';

import { DownloadService } from './download.service.js';

@Module({ imports: [BlobStoreModule, NodesModule, AccessModule], providers: [DownloadService], exports: [DownloadService] })
export class DownloadsModule {}
