import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { BlobStoreModule } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';

import { UploadsModule } from '../uploads/uploads.module.js';
import { DiffService } from './diff.service.js';

@Module({
  imports: [DatabaseModule, BlobStoreModule, NodesModule, AccessModule, UploadsModule],
  providers: [DiffService, { provide: Clock, useClass: SystemClock }],
  exports: [DiffService],
})
export class DiffsModule {}
