import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { AccountsModule } from '#libs/accounts';
import { BlobStoreModule } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { TreeModule } from '#libs/files';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';
import { QueueModule } from '#libs/queue';

import { Pictures } from './making/pictures.js';
import { MakePreviewsJob, ScanPreviewsJob } from './preview.jobs.js';
import { PreviewLinksModule } from './preview-links.module.js';
import { PreviewMaker } from './preview-maker.js';
import { PreviewScan } from './preview-scan.js';
import { Previews } from './previews.service.js';
import { PreviewRepository } from './repositories/preview.repository.js';
import { RenditionRepository } from './repositories/rendition.repository.js';

const CLOCK = { provide: Clock, useClass: SystemClock };
const REPOSITORIES = [PreviewRepository, RenditionRepository];

/** Previews for those who look at them. */
@Module({
  imports: [DatabaseModule, BlobStoreModule, NodesModule, AccessModule, AccountsModule, TreeModule, QueueModule, PreviewLinksModule],
  providers: [Previews, ...REPOSITORIES, CLOCK],
  exports: [Previews, PreviewLinksModule],
})
export class PreviewsModule {}

/** What makes them; for the worker. */
@Module({
  imports: [DatabaseModule, BlobStoreModule, NodesModule, QueueModule],
  providers: [PreviewMaker, PreviewScan, MakePreviewsJob, ScanPreviewsJob, ...REPOSITORIES, CLOCK],
  exports: [PreviewMaker, PreviewScan],
})
export class PreviewJobsModule {}

/** Pictures made anew, without all that previews of files need. */
@Module({ providers: [Pictures], exports: [Pictures] })
export class PicturesModule {}
