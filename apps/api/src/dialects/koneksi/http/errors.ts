import type { DomainError } from '#libs/kernel';

import type { ErrorTable, WireError } from '../../../http/dialect/dialect.js';

/** In place of a text in the table: the message of the error itself says it best. */
const AS_THROWN = 'see message';

/** How Koneksi says each refusal: its clients read the status and the text. */
export const KONEKSI_ERRORS: ErrorTable = {
  UNAUTHENTICATED: { status: 401, code: AS_THROWN },
  INVALID_CREDENTIALS: { status: 401, code: 'invalid credentials' },
  LAST_ATTEMPT: { status: 401, code: 'invalid credentials' },
  SECOND_FACTOR_REQUIRED: { status: 401, code: 'a second factor is required' },
  SECOND_FACTOR_WRONG: { status: 401, code: 'invalid credentials' },
  LOGIN_LOCKED: { status: 403, code: 'account is locked' },
  ACCOUNT_DISABLED: { status: 403, code: 'account is disabled' },
  ACCOUNT_NOT_CONFIRMED: { status: 403, code: 'account is not verified' },
  FORBIDDEN: { status: 403, code: AS_THROWN },
  RATE_LIMITED: { status: 429, code: 'too many requests' },
  INVALID_ARGUMENT: { status: 400, code: AS_THROWN },
  TOO_LARGE: { status: 413, code: 'request is too large' },
  ROUTE_NOT_FOUND: { status: 404, code: 'route not found' },
  NODE_NOT_FOUND: { status: 404, code: 'not found' },
  PARENT_NOT_FOUND: { status: 404, code: 'directory not found' },
  NAME_TAKEN: { status: 409, code: 'name is taken' },
  NAME_ILLEGAL: { status: 400, code: AS_THROWN },
  NOT_A_FOLDER: { status: 404, code: 'directory not found' },
  NOT_A_FILE: { status: 404, code: 'file not found' },
  SAME_FOLDER: { status: 400, code: 'already in this directory' },
  MOVE_INTO_DESCENDANT: { status: 400, code: 'cannot move a directory into itself or a directory below it' },
  TREE_TOO_DEEP: { status: 400, code: 'directories are nested too deep' },
  FOLDER_NOT_EMPTY: { status: 409, code: 'directory is not empty' },
  ROOT_IMMUTABLE: { status: 400, code: 'cannot update root directory' },
  NOT_IN_TRASH: { status: 404, code: 'not found' },
  INSIDE_TRASHED_FOLDER: { status: 404, code: 'not found' },
  MOUNT_INTO_SHARE: { status: 409, code: AS_THROWN },
  MOUNT_IN_THE_WAY: { status: 409, code: AS_THROWN },
  MOUNT_IMMUTABLE: { status: 409, code: AS_THROWN },
  CONTAINS_SHARE: { status: 409, code: AS_THROWN },
  NOT_SHARED: { status: 409, code: 'file is not shared' },
  OWN_SHARE: { status: 409, code: AS_THROWN },
  INVITATION_NOT_FOUND: { status: 404, code: 'invitation not found' },
  INVITATION_ANSWERED: { status: 409, code: AS_THROWN },
  REQUEST_PENDING: { status: 409, code: AS_THROWN },
  FOLDER_LIMIT_TOO_SMALL: { status: 400, code: AS_THROWN },
  LINK_NOT_FOUND: { status: 404, code: 'file not found' },
  LINK_BLOCKED: { status: 403, code: AS_THROWN },
  LINK_PASSWORD_WRONG: { status: 400, code: AS_THROWN },
  GROUP_NOT_FOUND: { status: 404, code: 'group not found' },
  GROUP_EXISTS: { status: 409, code: AS_THROWN },
  COMMENT_NOT_FOUND: { status: 404, code: 'comment not found' },
  COMPLAINT_NOT_FOUND: { status: 404, code: 'complaint not found' },
  MIGRATION_NOT_FOUND: { status: 404, code: 'not found' },
  METRIC_NOT_FOUND: { status: 404, code: 'metric not found' },
  WRONG_STATE: { status: 409, code: AS_THROWN },
  NO_PREVIEW: { status: 404, code: 'no preview' },
  LOCK_MISMATCH: { status: 409, code: 'file is locked' },
  VERSION_CONFLICT: { status: 409, code: 'file has changed' },
  VERSION_INVALID: { status: 400, code: AS_THROWN },
  VERSION_NOT_FOUND: { status: 404, code: 'file not found' },
  UPLOAD_NOT_FOUND: { status: 404, code: 'upload not found' },
  UPLOAD_INCOMPLETE: { status: 400, code: 'failed to get uploaded file' },
  UPLOAD_CLOSED: { status: 409, code: AS_THROWN },
  SIZE_MISMATCH: { status: 400, code: 'failed to get uploaded file' },
  CHECKSUM_MISMATCH: { status: 400, code: 'failed to get uploaded file' },
  PASSPHRASE_WRONG: { status: 403, code: 'failed to decrypt file' },
  DIFF_BASE_GONE: { status: 409, code: AS_THROWN },
  QUOTA_EXCEEDED: { status: 403, code: 'upload limit reached' },
  ACCOUNT_NOT_FOUND: { status: 404, code: 'user not found' },
  LOGIN_TAKEN: { status: 409, code: AS_THROWN },
  LOGIN_NOT_FOUND: { status: 404, code: 'user not found' },
  LAST_LOGIN: { status: 400, code: AS_THROWN },
  ALREADY_CONFIRMED: { status: 409, code: AS_THROWN },
  TOKEN_NOT_FOUND: { status: 404, code: 'not found' },
  COMPANY_NOT_FOUND: { status: 404, code: 'not found' },
  TASK_NOT_FOUND: { status: 404, code: 'not found' },
  TASK_RUNNING: { status: 409, code: AS_THROWN },
  TASK_FAILED: { status: 500, code: 'internal server error' },
  STORAGE_UNAVAILABLE: { status: 503, code: 'storage is unavailable' },
  STORAGE_FULL: { status: 507, code: 'storage is full' },
  PROVIDER_UNAVAILABLE: { status: 503, code: 'service is unavailable' },
  BUSY: { status: 503, code: 'service is busy' },
  INTERNAL: { status: 500, code: 'internal server error' },
};

/** Texts of the document for what is said of a member of the request. */
const OF_FIELDS: Readonly<Record<string, string>> = { passphrase: 'invalid passphrase format', password: 'invalid password format' };
const OF_REASONS: Readonly<Record<string, string>> = {
  PasswordRequired: 'password is required for password-protected access',
  WrongPassword: 'invalid password',
};

/** The text of a refusal as clients know it (contract 1.2 and 1.3). */
export function messageOf({ code }: WireError, message: string, { code: domainCode, details }: DomainError): string {
  if (code === 'MethodNotAllowed') return 'method not allowed';
  if (code !== AS_THROWN) return code;
  const known = domainCode === 'LINK_PASSWORD_WRONG' ? OF_REASONS[String(details['reason'])] : OF_FIELDS[String(details['field'])];
  return known ?? message;
}
