import type { ErrorTable } from '../../../http/dialect/dialect.js';
import { PLAIN_ERRORS } from '../../../http/dialect/plain-errors.js';

/** How Quick Sync says each refusal; `code` is a member of the problem beside those of RFC 9457. */
export const QUICKSYNC_ERRORS: ErrorTable = PLAIN_ERRORS;
