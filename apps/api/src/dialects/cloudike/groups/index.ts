import { OverviewModule } from '#libs/files';
import { GroupsModule } from '#libs/groups';

import { GroupsController } from './groups.controller.js';

/** Controllers of the group routes, and what they need. */
export const GROUP_CONTROLLERS = [GroupsController];
export const GROUP_MODULES = [GroupsModule, OverviewModule];
