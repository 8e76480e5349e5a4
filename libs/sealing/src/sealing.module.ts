import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { BlobStoreModule } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { LimiterModule } from '#libs/limiter';

import { SealRepository } from './repositories/seal.repository.js';
import { Sealing } from './sealing.service.js';

/** Contents that are sealed with a passphrase. */
@Module({ imports: [DatabaseModule, BlobStoreModule, AccountsModule, LimiterModule], providers: [Sealing, SealRepository], exports: [Sealing] })
export class SealingModule {}
