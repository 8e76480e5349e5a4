import { OfficeModule } from '#libs/office';

import { OfficeController } from './office.controller.js';
import { WopiController } from './wopi.controller.js';

/** Controllers of documents in the browser, and what they need. */
export const OFFICE_CONTROLLERS = [OfficeController, WopiController];
export const OFFICE_MODULES = [OfficeModule];
