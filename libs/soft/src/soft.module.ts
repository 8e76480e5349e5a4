import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';

import { SoftRepository } from './repositories/soft.repository.js';
import { SoftService } from './soft.service.js';

@Module({
  imports: [DatabaseModule, AccountsModule],
  providers: [{ provide: Clock, useClass: SystemClock }, SoftRepository, SoftService],
  exports: [SoftService],
})
export class SoftModule {}
