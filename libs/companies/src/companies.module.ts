import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { BlobStoreModule } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { UploadsModule } from '#libs/files';
import { Clock, SystemClock } from '#libs/kernel';
import { MailModule } from '#libs/mail';
import { NodesModule } from '#libs/nodes';
import { PicturesModule } from '#libs/previews';
import { SettingsModule } from '#libs/settings';
import { TasksModule } from '#libs/tasks';

import { Billing } from './billing/billing.service.js';
import { NoPayment, PaymentProviders } from './billing/payment-provider.js';
import { CompanySearch } from './company-search.service.js';
import { CompanyStates } from './company-states.service.js';
import { CompanyEntity } from './entities/companies.entity.js';
import { CompanyLogo } from './logo/company-logo.service.js';
import { CompanyMembers } from './members/company-members.service.js';
import { MemberDoor } from './members/member-door.service.js';
import { MemberRules } from './members/member-rules.service.js';
import { CompanyQuotas } from './quotas/company-quotas.service.js';
import { CompanyQuotaRepository } from './repositories/company-quota.repository.js';
import { CompanySearchRepository } from './repositories/company-search.repository.js';
import { CompanyRepository } from './repositories/company.repository.js';
import { LogoRepository } from './repositories/logo.repository.js';
import { MemberRepository } from './repositories/member.repository.js';
import { RemoveCompanyTask } from './remove-company.task.js';
import { CompanyService } from './settings/company.service.js';
import { SignUpService } from './sign-up.service.js';

const SERVICES = [
  SignUpService,
  CompanyService,
  CompanyStates,
  CompanySearch,
  CompanyMembers,
  MemberDoor,
  MemberRules,
  CompanyQuotas,
  CompanyLogo,
  Billing,
];

/** Companies: how they come into being, what they decide, who belongs to them, what they may store. */
@Module({
  imports: [
    DatabaseModule.forEntities([CompanyEntity]),
    AccountsModule,
    SettingsModule,
    NodesModule,
    MailModule,
    BlobStoreModule,
    UploadsModule,
    PicturesModule,
    TasksModule,
  ],
  providers: [
    { provide: Clock, useClass: SystemClock },
    { provide: PaymentProviders, useFactory: () => new PaymentProviders([new NoPayment()]) },
    CompanyRepository,
    CompanySearchRepository,
    CompanyQuotaRepository,
    MemberRepository,
    LogoRepository,
    ...SERVICES,
  ],
  exports: SERVICES,
})
export class CompaniesModule {}

/** Their tasks, for the worker. */
@Module({ imports: [DatabaseModule], providers: [CompanyRepository, RemoveCompanyTask] })
export class CompanyJobsModule {}
