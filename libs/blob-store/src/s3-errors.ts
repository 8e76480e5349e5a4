import { S3ServiceException } from '@aws-sdk/client-s3';
import { DomainError } from '#libs/kernel';
import { systemCode } from './errors.js';

const FULL = new Set(['QuotaExceeded', 'InsufficientStorage', 'StorageFull', 'XMinioStorageFull', 'InsufficientCapacity']);
const ABSENT = new Set(['NoSuchKey', 'NotFound']);

/** The S3 error code, or undefined for an error that is not the server's answer. */
export function s3Code(error: unknown): string | undefined {
  return error instanceof S3ServiceException ? error.name : undefined;
}

/** True when the object asked for does not exist (HEAD has no body, so its code is the bare status). */
export function isAbsent(error: unknown): boolean {
  return error instanceof S3ServiceException && ABSENT.has(error.name);
}

/** True when there is no such multipart upload; Ceph says so by NoSuchKey in some calls. */
export function isUnknownUpload(error: unknown): boolean {
  return s3Code(error) === 'NoSuchUpload' || isAbsent(error);
}

/** What a failed S3 request means to a caller. Never holds an address with a signature or a credential. */
export function s3Error(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  const cause = plain(error);
  const code = s3Code(error);
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (status === 507 || (code !== undefined && FULL.has(code))) return new DomainError('STORAGE_FULL', 'The storage is full', { code }, { cause });
  const reason = code ?? systemCode(error) ?? (error instanceof Error ? error.name : 'unknown reason');
  return new DomainError('STORAGE_UNAVAILABLE', `The storage does not answer (${reason})`, { code, status }, { cause });
}

/** Name and text alone: the SDK's error drags the whole exchange along, Authorization header included, and would end up in the log. */
function plain(error: unknown): Error {
  const plainError = new Error(error instanceof Error ? error.message : String(error));
  if (error instanceof Error) plainError.name = error.name;
  return plainError;
}

/** Awaits a request and translates what it throws. */
export async function s3<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw s3Error(error);
  }
}
