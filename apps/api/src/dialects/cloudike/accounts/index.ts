import { AccountsModule } from '#libs/accounts';
import { CompaniesModule } from '#libs/companies';
import { OverviewModule } from '#libs/files';
import { SignInModule } from '#libs/sign-in';

import { ProfileController } from './profile.controller.js';
import { RegistrationController } from './registration.controller.js';
import { SessionController } from './session.controller.js';

/** Controllers of the account routes. */
export const ACCOUNT_CONTROLLERS = [SessionController, RegistrationController, ProfileController];
/** What they need. */
export const ACCOUNT_MODULES = [AccountsModule, CompaniesModule, OverviewModule, SignInModule];
