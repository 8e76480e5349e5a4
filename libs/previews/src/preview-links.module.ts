import { Module } from '@nestjs/common';

import { Clock, SystemClock } from '#libs/kernel';

import { PreviewLinks } from './preview-links.js';

/** URLs of previews, without what makes them. */
@Module({ providers: [PreviewLinks, { provide: Clock, useClass: SystemClock }], exports: [PreviewLinks] })
export class PreviewLinksModule {}
