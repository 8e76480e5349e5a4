import type { Type } from '@nestjs/common';

import { CLOUDIKE_CONTROLLERS, CloudikeModule } from './dialects/cloudike/cloudike.module.js';
import { cloudikeDocument } from './dialects/cloudike/http/openapi.js';
import { FILEAGO_CONTROLLERS } from './dialects/fileago/fileago.module.js';
import { FILEAGO } from './dialects/fileago/http/dialect.js';
import { KONEKSI } from './dialects/koneksi/http/dialect.js';
import { KONEKSI_CONTROLLERS } from './dialects/koneksi/koneksi.module.js';
import { MEDIASAUR } from './dialects/mediasaur/http/dialect.js';
import { MEDIASAUR_CONTROLLERS } from './dialects/mediasaur/mediasaur.module.js';
import { QUICKSYNC } from './dialects/quicksync/http/dialect.js';
import { QUICKSYNC_CONTROLLERS } from './dialects/quicksync/quicksync.module.js';
import type { Dialect } from './http/dialect/dialect.js';
import { dialectDocument } from './http/dialect/openapi.js';
import type { DialectDocument } from './http/documentation.js';

/** Every API of the frame of dialects, with what serves it; tests ask here which routes there are. */
export const FRAMED_DIALECTS: readonly { readonly dialect: Dialect; readonly controllers: readonly Type<unknown>[] }[] = [
  { dialect: FILEAGO, controllers: FILEAGO_CONTROLLERS },
  { dialect: KONEKSI, controllers: KONEKSI_CONTROLLERS },
  { dialect: MEDIASAUR, controllers: MEDIASAUR_CONTROLLERS },
  { dialect: QUICKSYNC, controllers: QUICKSYNC_CONTROLLERS },
];

/** The documentation of each dialect. */
export const DOCUMENTS: readonly DialectDocument[] = [
  { name: 'cloudike', build: (app) => cloudikeDocument(app, CloudikeModule, CLOUDIKE_CONTROLLERS) },
  ...FRAMED_DIALECTS.map(({ dialect, controllers }) => ({ name: dialect.name, build: () => dialectDocument(dialect, controllers) })),
];
