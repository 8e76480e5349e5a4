import { ArchivesModule } from '#libs/archives';
import { LinksModule } from '#libs/links';

import { LinkAdditionsController } from './link-additions.controller.js';
import { LinkArchivesController } from './link-archives.controller.js';
import { LinkHolder } from './link-holder.js';
import { LinkInfo } from './link-info.js';
import { LinkReadsController } from './link-reads.controller.js';
import { LinkUploadsController } from './link-uploads.controller.js';
import { OwnLinksController } from './own-links.controller.js';

/** Controllers of the routes of links. */
export const LINK_CONTROLLERS = [OwnLinksController, LinkReadsController, LinkArchivesController, LinkAdditionsController, LinkUploadsController];
export const LINK_PROVIDERS = [LinkHolder, LinkInfo];
/** What they need. */
export const LINK_MODULES = [LinksModule, ArchivesModule];
