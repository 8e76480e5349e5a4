import { Module } from '@nestjs/common';

import { ArchivesModule } from '#libs/archives';
import { FilesModule } from '#libs/files';
import { LinksModule } from '#libs/links';

import { FormIntake } from './form-intake.js';
import { PublicLinkPages } from './public-link-pages.js';

/** What a browser shows of public links. */
@Module({
  imports: [LinksModule, FilesModule, ArchivesModule],
  providers: [PublicLinkPages, FormIntake],
  exports: [PublicLinkPages],
})
export class PublicLinksModule {}
