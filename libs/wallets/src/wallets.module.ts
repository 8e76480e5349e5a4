import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';

import { WalletProofRepository } from './repositories/wallet-proof.repository.js';
import { WalletProofs } from './wallet-proofs.service.js';

/** People who are known by a wallet and have no account. */
@Module({
  imports: [DatabaseModule, AccountsModule],
  providers: [{ provide: Clock, useClass: SystemClock }, WalletProofRepository, WalletProofs],
  exports: [WalletProofs],
})
export class WalletsModule {}
