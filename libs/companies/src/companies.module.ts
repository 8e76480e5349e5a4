import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { SettingsModule } from '#libs/settings';

import { CompanyEntity } from './entities/companies.entity.js';
import { CompanyRepository } from './repositories/company.repository.js';
import { SignUpService } from './sign-up.service.js';

@Module({
  imports: [DatabaseModule.forEntities([CompanyEntity]), AccountsModule, SettingsModule],
  providers: [{ provide: Clock, useClass: SystemClock }, CompanyRepository, SignUpService],
  exports: [SignUpService],
})
export class CompaniesModule {}
