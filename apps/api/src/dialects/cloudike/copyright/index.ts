import { LinksModule } from '#libs/links';

import { CopyrightController } from './copyright.controller.js';

/** Controllers of the routes of complaints. */
export const COPYRIGHT_CONTROLLERS = [CopyrightController];
/** What they need. */
export const COPYRIGHT_MODULES = [LinksModule];
