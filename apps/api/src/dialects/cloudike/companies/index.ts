import { CompaniesModule } from '#libs/companies';
import { ErasingModule } from '#libs/erasing';
import { OverviewModule } from '#libs/files';

import { CompaniesController } from './companies.controller.js';
import { CompanyAdminController } from './company-admin.controller.js';
import { CompanyController } from './company.controller.js';
import { DevicesController } from './devices.controller.js';
import { LogoSender } from './logo-sender.js';
import { MemberRemovalController } from './member-removal.controller.js';
import { MembersController } from './members.controller.js';

/** Controllers of the company routes, and what they need. */
export const COMPANY_CONTROLLERS = [
  CompaniesController,
  CompanyController,
  CompanyAdminController,
  MembersController,
  MemberRemovalController,
  DevicesController,
];
export const COMPANY_PROVIDERS = [LogoSender];
export const COMPANY_MODULES = [CompaniesModule, ErasingModule, OverviewModule];
