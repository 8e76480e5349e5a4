import { dialectController } from '../../../http/dialect/route.js';
import { KoneksiAuthGuard } from '../auth/auth.guard.js';
import { KONEKSI } from './dialect.js';

/** A controller of the Koneksi dialect. `tag` groups it in the documentation. */
export const KoneksiController = dialectController(KONEKSI, KoneksiAuthGuard);
