import { HandoverModule } from '#libs/handover';

import { HandoverController } from './handover.controller.js';

/** Controllers of the routes by which files change hands, and what they need. */
export const HANDOVER_CONTROLLERS = [HandoverController];
export const HANDOVER_MODULES = [HandoverModule];
