import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { BlobStoreModule } from '#libs/blob-store';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';

import { DerivedLinkService } from './derived-link.service.js';
import { TreeModule } from '../tree/tree.module.js';
import { DownloadService } from './download.service.js';

@Module({
  imports: [BlobStoreModule, NodesModule, AccessModule, TreeModule],
  providers: [DownloadService, DerivedLinkService, { provide: Clock, useClass: SystemClock }],
  exports: [DownloadService, DerivedLinkService],
})
export class DownloadsModule {}
