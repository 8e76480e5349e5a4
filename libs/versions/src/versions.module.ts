import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';

import { VersionService } from './version.service.js';

@Module({
  imports: [DatabaseModule, NodesModule, AccessModule],
  providers: [VersionService, { provide: Clock, useClass: SystemClock }],
  exports: [VersionService],
})
export class VersionsModule {}
