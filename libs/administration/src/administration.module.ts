import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { NodesModule } from '#libs/nodes';

import { QuotaLimitRepository } from './repositories/quota-limit.repository.js';
import { UserEditor } from './user-editor.service.js';

/** What administrators of the system change about an account and its storage together. */
@Module({
  imports: [DatabaseModule, AccountsModule, NodesModule],
  providers: [QuotaLimitRepository, UserEditor],
  exports: [UserEditor],
})
export class AdministrationModule {}
