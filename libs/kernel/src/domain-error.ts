/**
 * Every way a use case can refuse. No HTTP here: each dialect maps the whole list in an exhaustive table, so a new code does not
 * compile until every dialect has decided how to say it.
 */
export const DOMAIN_ERROR_CODES = [
  // who is asking
  'UNAUTHENTICATED',
  'INVALID_CREDENTIALS',
  'LAST_ATTEMPT',
  'LOGIN_LOCKED',
  'SECOND_FACTOR_REQUIRED',
  'SECOND_FACTOR_WRONG',
  'ACCOUNT_DISABLED',
  'ACCOUNT_NOT_CONFIRMED',
  'FORBIDDEN',
  'RATE_LIMITED',
  // what was asked
  'INVALID_ARGUMENT',
  'TOO_LARGE',
  'ROUTE_NOT_FOUND',
  // nodes
  'NODE_NOT_FOUND',
  'PARENT_NOT_FOUND',
  'NAME_TAKEN',
  'NAME_ILLEGAL',
  'NOT_A_FOLDER',
  'NOT_A_FILE',
  'SAME_FOLDER',
  'MOVE_INTO_DESCENDANT',
  'TREE_TOO_DEEP',
  'FOLDER_NOT_EMPTY',
  'ROOT_IMMUTABLE',
  'NOT_IN_TRASH',
  'INSIDE_TRASHED_FOLDER',
  // sharing: groups, grants, mounts, links
  'MOUNT_INTO_SHARE',
  'MOUNT_IN_THE_WAY',
  'MOUNT_IMMUTABLE',
  'CONTAINS_SHARE',
  'NOT_SHARED',
  'OWN_SHARE',
  'INVITATION_NOT_FOUND',
  'INVITATION_ANSWERED',
  'REQUEST_PENDING',
  'FOLDER_LIMIT_TOO_SMALL',
  'LINK_NOT_FOUND',
  'LINK_BLOCKED',
  'LINK_PASSWORD_WRONG',
  'GROUP_NOT_FOUND',
  'GROUP_EXISTS',
  'COMMENT_NOT_FOUND',
  'COMPLAINT_NOT_FOUND',
  'MIGRATION_NOT_FOUND',
  'NO_PREVIEW',
  'LOCK_MISMATCH',
  // versions and uploads
  'VERSION_CONFLICT',
  'VERSION_INVALID',
  'VERSION_NOT_FOUND',
  'UPLOAD_NOT_FOUND',
  'UPLOAD_INCOMPLETE',
  'UPLOAD_CLOSED',
  'SIZE_MISMATCH',
  'CHECKSUM_MISMATCH',
  'PASSPHRASE_WRONG',
  'DIFF_BASE_GONE',
  'QUOTA_EXCEEDED',
  // accounts
  'ACCOUNT_NOT_FOUND',
  'LOGIN_TAKEN',
  'LOGIN_NOT_FOUND',
  'LAST_LOGIN',
  'ALREADY_CONFIRMED',
  'WRONG_STATE',
  'TOKEN_NOT_FOUND',
  'COMPANY_NOT_FOUND',
  // figures
  'METRIC_NOT_FOUND',
  // long operations
  'TASK_NOT_FOUND',
  'TASK_RUNNING',
  'TASK_FAILED',
  // the house itself
  'STORAGE_UNAVAILABLE',
  'STORAGE_FULL',
  'PROVIDER_UNAVAILABLE',
  'BUSY',
  'INTERNAL',
] as const;

export type DomainErrorCode = (typeof DOMAIN_ERROR_CODES)[number];

/** A refusal a user can read. `details` holds machine-readable facts (ids, numbers) and never a secret. */
export class DomainError extends Error {
  constructor(
    readonly code: DomainErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'DomainError';
  }
}

/** True when `error` is a DomainError, and of the given code when one is named. */
export function isDomainError(error: unknown, code?: DomainErrorCode): error is DomainError {
  return error instanceof DomainError && (code === undefined || error.code === code);
}
