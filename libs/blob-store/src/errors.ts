import { DomainError } from '#libs/kernel';

/** The `code` of a system error (`ENOENT`, ...) or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** STORAGE_UNAVAILABLE for an object that should be there and is not. */
export function missingObject(key: string, cause?: unknown): DomainError {
  return new DomainError('STORAGE_UNAVAILABLE', 'The stored object is missing', { key, missing: true }, { cause });
}

/** INVALID_ARGUMENT for a range that starts past the end. */
export function rangeError(sizeBytes: number): DomainError {
  return new DomainError('INVALID_ARGUMENT', 'The range lies outside the object', { sizeBytes });
}

/** What a file system error means to a caller: full disk or quota is STORAGE_FULL, everything else STORAGE_UNAVAILABLE. */
export function fileSystemError(error: unknown): Error {
  if (error instanceof DomainError) return error;
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return new DomainError('STORAGE_FULL', 'The storage is full', { code }, { cause: error });
  return new DomainError('STORAGE_UNAVAILABLE', `The storage does not answer (${code ?? 'unknown reason'})`, { code }, { cause: error });
}

/** UPLOAD_NOT_FOUND for a multipart upload that was never begun, ended or was aborted. */
export function unknownUpload(uploadId: string): DomainError {
  return new DomainError('UPLOAD_NOT_FOUND', 'There is no such upload', { uploadId });
}

/** UPLOAD_INCOMPLETE for a multipart upload without a single part. */
export function noParts(uploadId: string): DomainError {
  return new DomainError('UPLOAD_INCOMPLETE', 'No part of this upload was received', { uploadId });
}
