import type { ErrorTable } from '../../../http/dialect/dialect.js';
import { PLAIN_ERRORS } from '../../../http/dialect/plain-errors.js';

/** How FileAgo says each refusal: its clients read the status, people the text (contract 4.1). */
export const FILEAGO_ERRORS: ErrorTable = {
  ...PLAIN_ERRORS,
  NODE_NOT_FOUND: { status: 404, code: 'node_not_found' },
  PARENT_NOT_FOUND: { status: 404, code: 'node_not_found' },
  VERSION_CONFLICT: { status: 409, code: 'revision_conflict' },
  VERSION_INVALID: { status: 400, code: 'revision_invalid' },
  VERSION_NOT_FOUND: { status: 404, code: 'revision_not_found' },
  UPLOAD_NOT_FOUND: { status: 404, code: 'upload_token_unknown' },
  PASSPHRASE_WRONG: { status: 403, code: 'passphrase_wrong' },
  DIFF_BASE_GONE: { status: 410, code: 'revision_gone' },
  QUOTA_EXCEEDED: { status: 507, code: 'quota_exceeded' },
};
