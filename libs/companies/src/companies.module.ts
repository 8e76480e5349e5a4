import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';

import { CompanyRepository } from './repositories/company.repository.js';
import { SignUpService } from './sign-up.service.js';

@Module({
  imports: [DatabaseModule, AccountsModule],
  providers: [{ provide: Clock, useClass: SystemClock }, CompanyRepository, SignUpService],
  exports: [SignUpService],
})
export class CompaniesModule {}
