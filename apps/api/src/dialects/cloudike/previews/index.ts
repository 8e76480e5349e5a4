import { LinksModule } from '#libs/links';
import { PreviewsModule } from '#libs/previews';
import { SharesModule } from '#libs/shares';

import { KukudocsController } from './kukudocs.controller.js';
import { PreviewSender } from './preview-sender.js';
import { PreviewsController } from './previews.controller.js';

/** Controllers of previews and of the pages that show documents. */
export const PREVIEW_CONTROLLERS = [PreviewsController, KukudocsController];
export const PREVIEW_PROVIDERS = [PreviewSender];
/** What they need. */
export const PREVIEW_MODULES = [PreviewsModule, LinksModule, SharesModule];
