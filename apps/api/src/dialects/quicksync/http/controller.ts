import { dialectController } from '../../../http/dialect/route.js';
import { QuicksyncAuthGuard } from '../auth/auth.guard.js';
import { QUICKSYNC } from './dialect.js';

/** A controller of the Quick Sync dialect. `tag` groups it in the documentation. */
export const QuicksyncController = dialectController(QUICKSYNC, QuicksyncAuthGuard);
