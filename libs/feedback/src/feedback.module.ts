import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { BlobStoreModule } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { LimiterModule } from '#libs/limiter';
import { NodesModule } from '#libs/nodes';
import { SettingsModule } from '#libs/settings';

import { FeedbackService } from './feedback.service.js';
import { FeedbackRepository } from './repositories/feedback.repository.js';

@Module({
  imports: [DatabaseModule, AccountsModule, BlobStoreModule, LimiterModule, NodesModule, SettingsModule],
  providers: [{ provide: Clock, useClass: SystemClock }, FeedbackRepository, FeedbackService],
  exports: [FeedbackService],
})
export class FeedbackModule {}
