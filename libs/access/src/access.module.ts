import { Module } from '@nestjs/common';

import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';

import { AccessService } from './access.service.js';
import { PassRepository } from './repositories/pass.repository.js';
import { RightRepository } from './repositories/right.repository.js';

@Module({
  imports: [DatabaseModule],
  providers: [{ provide: Clock, useClass: SystemClock }, RightRepository, PassRepository, AccessService],
  exports: [AccessService],
})
export class AccessModule {}
