import { DomainError } from '#libs/kernel';

const KEY = /^[a-z0-9_-][a-z0-9/_-]{0,198}[a-z0-9_-]$|^[a-z0-9_-]$/;

/** Returns `key`; throws INVALID_ARGUMENT unless it is an opaque key: `[a-z0-9/_-]`, 1 to 200 characters, no slash at either end or doubled. */
export function assertKey(key: string): string {
  if (!KEY.test(key) || key.includes('//')) throw new DomainError('INVALID_ARGUMENT', 'Malformed object key');
  return key;
}

/** Throws INVALID_ARGUMENT unless `partNumber` is one that S3 would take. */
export function assertPartNumber(partNumber: number): void {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > 10_000) {
    throw new DomainError('INVALID_ARGUMENT', 'A part number is a whole number from 1 to 10000', { partNumber });
  }
}
