import { dialectController } from '../../../http/dialect/route.js';
import { MediasaurAuthGuard } from '../auth/auth.guard.js';
import { MEDIASAUR } from './dialect.js';

/** A controller of the Mediasaur dialect. `tag` groups it in the documentation. */
export const MediasaurController = dialectController(MEDIASAUR, MediasaurAuthGuard);
