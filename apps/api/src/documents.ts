import { CLOUDIKE_CONTROLLERS, CloudikeModule } from './dialects/cloudike/cloudike.module.js';
import { cloudikeDocument } from './dialects/cloudike/http/openapi.js';
import { FILEAGO_CONTROLLERS } from './dialects/fileago/fileago.module.js';
import { FILEAGO } from './dialects/fileago/http/dialect.js';
import { KONEKSI } from './dialects/koneksi/http/dialect.js';
import { KONEKSI_CONTROLLERS } from './dialects/koneksi/koneksi.module.js';
import { dialectDocument } from './http/dialect/openapi.js';
import type { DialectDocument } from './http/documentation.js';

/** The documentation of each dialect. */
export const DOCUMENTS: readonly DialectDocument[] = [
  { name: 'cloudike', build: (app) => cloudikeDocument(app, CloudikeModule, CLOUDIKE_CONTROLLERS) },
  { name: FILEAGO.name, build: () => dialectDocument(FILEAGO, FILEAGO_CONTROLLERS) },
  { name: KONEKSI.name, build: () => dialectDocument(KONEKSI, KONEKSI_CONTROLLERS) },
];
