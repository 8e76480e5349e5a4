import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { AccountsModule } from '#libs/accounts';
import { BlobStoreModule, DownloadGate } from '#libs/blob-store';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';

import { DerivedLinkService } from './derived-link.service.js';
import { TreeModule } from '../tree/tree.module.js';
import { DownloadService } from './download.service.js';
import { ViewerDownloadGate } from './viewer-download-gate.js';

@Module({
  imports: [AccountsModule, BlobStoreModule, NodesModule, AccessModule, TreeModule],
  providers: [
    DownloadService,
    DerivedLinkService,
    { provide: DownloadGate, useClass: ViewerDownloadGate },
    { provide: Clock, useClass: SystemClock },
  ],
  exports: [DownloadService, DerivedLinkService, DownloadGate],
})
export class DownloadsModule {}
