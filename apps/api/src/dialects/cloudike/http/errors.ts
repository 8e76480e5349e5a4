import type { ServerResponse } from 'node:http';

import { HttpException } from '@nestjs/common';

import { DomainError, type DomainErrorCode, isDomainError } from '#libs/kernel';

import type { RouteMetadata } from './route-metadata.js';

export interface WireError {
  readonly status: number;
  readonly code: string;
}

/** How the Cloudike dialect says each refusal (contract 1.4). A route that documents another number declares it in `@Route(..., {errors})`. */
export const CLOUDIKE_ERRORS: Readonly<Record<DomainErrorCode, WireError>> = {
  UNAUTHENTICATED: { status: 401, code: 'Unauthorized' },
  INVALID_CREDENTIALS: { status: 401, code: 'Unauthorized' },
  LAST_ATTEMPT: { status: 401, code: 'LastAttempt' },
  LOGIN_LOCKED: { status: 403, code: 'UserTemporarilyLocked' },
  SECOND_FACTOR_REQUIRED: { status: 401, code: 'SecondFactorRequired' },
  SECOND_FACTOR_WRONG: { status: 401, code: 'SecondFactorWrong' },
  ACCOUNT_DISABLED: { status: 403, code: 'UserDisabled' },
  ACCOUNT_NOT_CONFIRMED: { status: 403, code: 'UserNotApproved' },
  FORBIDDEN: { status: 403, code: 'Forbidden' },
  RATE_LIMITED: { status: 429, code: 'TooManyRequests' },
  INVALID_ARGUMENT: { status: 400, code: 'InvalidParameters' },
  TOO_LARGE: { status: 413, code: 'TooLarge' },
  ROUTE_NOT_FOUND: { status: 404, code: 'RouteNotFound' },
  NODE_NOT_FOUND: { status: 404, code: 'NotFound' },
  PARENT_NOT_FOUND: { status: 404, code: 'NotFound' },
  NAME_TAKEN: { status: 403, code: 'AlreadyExists' },
  NAME_ILLEGAL: { status: 400, code: 'InvalidParameters' },
  NOT_A_FOLDER: { status: 405, code: 'NotAFolder' },
  NOT_A_FILE: { status: 404, code: 'FileNotFound' },
  SAME_FOLDER: { status: 409, code: 'SameFolder' },
  MOVE_INTO_DESCENDANT: { status: 424, code: 'MoveIntoDescendant' },
  TREE_TOO_DEEP: { status: 400, code: 'InvalidParameters' },
  FOLDER_NOT_EMPTY: { status: 403, code: 'FolderNotEmpty' },
  ROOT_IMMUTABLE: { status: 403, code: 'Forbidden' },
  NOT_IN_TRASH: { status: 403, code: 'NotDeleted' },
  INSIDE_TRASHED_FOLDER: { status: 403, code: 'ParentDeleted' },
  MOUNT_INTO_SHARE: { status: 412, code: 'FileOrFolderMoveMountPointToAnother' },
  MOUNT_IN_THE_WAY: { status: 412, code: 'FileOrFolderOverwriteMountPointToAnother' },
  MOUNT_IMMUTABLE: { status: 412, code: 'MountPoint' },
  CONTAINS_SHARE: { status: 424, code: 'ContainsShare' },
  NOT_SHARED: { status: 403, code: 'NotShared' },
  OWN_SHARE: { status: 409, code: 'OwnFolder' },
  INVITATION_NOT_FOUND: { status: 403, code: 'InvitationNotFound' },
  INVITATION_ANSWERED: { status: 403, code: 'InvitationAnswered' },
  REQUEST_PENDING: { status: 409, code: 'AlreadyRequested' },
  FOLDER_LIMIT_TOO_SMALL: { status: 400, code: 'InvalidParameters' },
  LINK_NOT_FOUND: { status: 404, code: 'NotFound' },
  LINK_BLOCKED: { status: 403, code: 'LinkBlocked' },
  LINK_PASSWORD_WRONG: { status: 403, code: 'WrongPassword' },
  GROUP_NOT_FOUND: { status: 404, code: 'GroupNotFound' },
  GROUP_EXISTS: { status: 403, code: 'GroupAlreadyExists' },
  COMMENT_NOT_FOUND: { status: 404, code: 'NotFound' },
  COMPLAINT_NOT_FOUND: { status: 404, code: 'NotFound' },
  MIGRATION_NOT_FOUND: { status: 404, code: 'NotFound' },
  NO_PREVIEW: { status: 404, code: 'NoPreview' },
  LOCK_MISMATCH: { status: 409, code: 'LockMismatch' },
  VERSION_CONFLICT: { status: 403, code: 'VersionConflict' },
  VERSION_INVALID: { status: 400, code: 'InvalidVersion' },
  VERSION_NOT_FOUND: { status: 404, code: 'NotFound' },
  UPLOAD_NOT_FOUND: { status: 404, code: 'FileNotFound' },
  UPLOAD_INCOMPLETE: { status: 404, code: 'FileNotFound' },
  UPLOAD_CLOSED: { status: 409, code: 'UploadClosed' },
  SIZE_MISMATCH: { status: 400, code: 'SizeMismatch' },
  CHECKSUM_MISMATCH: { status: 400, code: 'ChecksumMismatch' },
  PASSPHRASE_WRONG: { status: 403, code: 'WrongPassphrase' },
  DIFF_BASE_GONE: { status: 410, code: 'DiffBaseGone' },
  QUOTA_EXCEEDED: { status: 402, code: 'QuotaExceeded' },
  ACCOUNT_NOT_FOUND: { status: 404, code: 'UserNotFound' },
  LOGIN_TAKEN: { status: 403, code: 'AlreadyExists' },
  LOGIN_NOT_FOUND: { status: 404, code: 'UserNotFound' },
  LAST_LOGIN: { status: 400, code: 'LastLogin' },
  ALREADY_CONFIRMED: { status: 403, code: 'AlreadyApproved' },
  WRONG_STATE: { status: 412, code: 'WrongStatus' },
  TOKEN_NOT_FOUND: { status: 404, code: 'TokenNotFound' },
  COMPANY_NOT_FOUND: { status: 404, code: 'CompanyNotFound' },
  METRIC_NOT_FOUND: { status: 404, code: 'NotFound' },
  TASK_NOT_FOUND: { status: 404, code: 'TaskNotFound' },
  TASK_RUNNING: { status: 404, code: 'TaskRunning' },
  TASK_FAILED: { status: 400, code: 'TaskFailed' },
  STORAGE_UNAVAILABLE: { status: 503, code: 'StorageUnavailable' },
  STORAGE_FULL: { status: 507, code: 'StorageFull' },
  PROVIDER_UNAVAILABLE: { status: 503, code: 'ProviderUnavailable' },
  BUSY: { status: 503, code: 'Busy' },
  INTERNAL: { status: 500, code: 'InternalError' },
};

/** Status and code of a refusal on a route. */
export function wireError(code: DomainErrorCode, route?: Pick<RouteMetadata, 'errors'>): WireError {
  const own = route?.errors?.[code];
  return own ? { status: own[0], code: own[1] } : CLOUDIKE_ERRORS[code];
}

/** Any thrown value as a DomainError: what is none becomes INTERNAL, with the cause inside for the log. */
export function toDomainError(error: unknown): DomainError {
  if (isDomainError(error)) return error;
  if (error instanceof HttpException && error.getStatus() === 404) return new DomainError('ROUTE_NOT_FOUND', 'There is no such route.');
  return new DomainError('INTERNAL', 'Something went wrong on the server.', {}, { cause: error });
}

/** Facts of a refusal that clients read beside `code` and `description`. */
const SHOWN_DETAILS = ['progress', 'reason'] as const;

/** Answers a refusal as `{code, description}`; of an internal error only the request id leaves the house. */
export function sendError(response: ServerResponse, error: DomainError, route?: Pick<RouteMetadata, 'errors'>): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, code } = wireError(error.code, route);
  const requestId = response.getHeader('X-Request-Id');
  const body: Record<string, unknown> = {
    code,
    description: error.code === 'INTERNAL' ? `Something went wrong on the server (request ${String(requestId ?? 'unknown')}).` : error.message,
  };
  for (const name of SHOWN_DETAILS) if (error.details[name] !== undefined) body[name] = error.details[name];
  const retryAfterMs = error.details['retryAfterMs'];
  if (typeof retryAfterMs === 'number') response.setHeader('Retry-After', Math.max(1, Math.ceil(retryAfterMs / 1000)));
  const text = JSON.stringify(body);
  // what is left of a body nobody will read must not be taken for the next request
  if (!response.req.complete) response.setHeader('Connection', 'close');
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}
