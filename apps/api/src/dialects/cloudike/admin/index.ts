import { AccountsModule } from '#libs/accounts';
import { AdministrationModule } from '#libs/administration';
import { ErasingModule } from '#libs/erasing';
import { OverviewModule } from '#libs/files';

import { ModeratorsController } from './moderators.controller.js';
import { AdminUsersController } from './users.controller.js';

/** Controllers of the routes of administrators of the system, and what they need. */
export const ADMIN_CONTROLLERS = [AdminUsersController, ModeratorsController];
export const ADMIN_MODULES = [AccountsModule, AdministrationModule, ErasingModule, OverviewModule];
