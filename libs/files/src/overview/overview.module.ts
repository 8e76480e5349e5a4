import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';

import { AccountOverview } from './account-overview.service.js';
import { OverviewRepository } from './repositories/overview.repository.js';
import { RosterRepository } from './repositories/roster.repository.js';

@Module({
  imports: [DatabaseModule, AccountsModule, NodesModule],
  providers: [{ provide: Clock, useClass: SystemClock }, OverviewRepository, RosterRepository, AccountOverview],
  exports: [AccountOverview],
})
export class OverviewModule {}
