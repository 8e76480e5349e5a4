import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { LimiterModule } from '#libs/limiter';

import { ServiceKeyRepository } from './repositories/service-key.repository.js';
import { ServiceKeys } from './service-keys.service.js';

/** Keys that people make for programs of theirs. */
@Module({
  imports: [DatabaseModule, AccountsModule, LimiterModule],
  providers: [{ provide: Clock, useClass: SystemClock }, ServiceKeyRepository, ServiceKeys],
  exports: [ServiceKeys],
})
export class ServiceKeysModule {}
