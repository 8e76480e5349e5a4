import { BucketsModule } from '#libs/buckets';
import { ServiceKeysModule } from '#libs/service-keys';

import { BucketsController } from './buckets.controller.js';
import { ServiceKeysController } from './service-keys.controller.js';

/** Controllers of credentials for programs, and what they need. */
export const KEY_CONTROLLERS = [ServiceKeysController, BucketsController];
export const KEY_MODULES = [ServiceKeysModule, BucketsModule];
