import { dialectController } from '../../../http/dialect/route.js';
import { FileagoAuthGuard } from '../auth/auth.guard.js';
import { FILEAGO } from './dialect.js';

/** A controller of the FileAgo dialect. `tag` groups it in the documentation. */
export const FileagoController = dialectController(FILEAGO, FileagoAuthGuard);
