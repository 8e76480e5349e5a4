import { ServiceKeysModule } from '#libs/service-keys';

import { ServiceKeysController } from './service-keys.controller.js';

/** Controllers of credentials for programs, and what they need. */
export const KEY_CONTROLLERS = [ServiceKeysController];
export const KEY_MODULES = [ServiceKeysModule];
