import { DomainError } from './domain-error.js';

/** An opaque keyset position: the sort values of the last row seen, as URL-safe text. */
export function encodeCursor(values: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** The values behind a cursor of exactly `length` parts. Throws INVALID_ARGUMENT for anything `encodeCursor` did not make. */
export function decodeCursor(cursor: string, length: number): (string | number | null)[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(values) && values.length === length && values.every((v) => v === null || typeof v === 'string' || Number.isSafeInteger(v))) {
      return values as (string | number | null)[];
    }
  } catch {
    // falls through to the one refusal below
  }
  throw new DomainError('INVALID_ARGUMENT', 'The cursor is not valid: use the next_cursor of an earlier answer.');
}
