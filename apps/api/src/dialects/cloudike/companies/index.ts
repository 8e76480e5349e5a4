import { CompaniesModule } from '#libs/companies';
import { OverviewModule } from '#libs/files';

import { CompaniesController } from './companies.controller.js';

/** Controllers of the company routes, and what they need. */
export const COMPANY_CONTROLLERS = [CompaniesController];
export const COMPANY_MODULES = [CompaniesModule, OverviewModule];
