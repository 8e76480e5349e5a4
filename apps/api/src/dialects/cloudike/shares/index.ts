import { AccountsModule } from '#libs/accounts';
import { FilesModule } from '#libs/files';
import { SharesModule } from '#libs/shares';

import { CompanySharesController } from './company-shares.controller.js';
import { ShareReadsController } from './share-reads.controller.js';
import { SharesController } from './shares.controller.js';

/** Controllers of the share routes, and what they need. */
export const SHARE_CONTROLLERS = [SharesController, CompanySharesController, ShareReadsController];
export const SHARE_MODULES = [SharesModule, FilesModule, AccountsModule];
