import { SoftModule } from '#libs/soft';

import { SoftController } from './soft.controller.js';

/** Controllers of the routes of client programs, and what they need. */
export const SOFT_CONTROLLERS = [SoftController];
export const SOFT_MODULES = [SoftModule];
