import { DomainError } from '#libs/kernel';

import { CONSTRAINT_ERRORS } from './constraints.js';

interface PgError {
  readonly code?: string;
  readonly constraint?: string;
}

/** serialization_failure, deadlock_detected: the same transaction may succeed when it is run again. */
export function isRetryable(error: unknown): boolean {
  const code = (error as PgError | null)?.code;
  return code === '40001' || code === '40P01';
}

const UNREACHABLE = /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ETIMEDOUT|57P0[1-3]|08\w{3}|53300)$/;

/** The DomainError that a PostgreSQL error stands for, or the error itself when no user can act on it. */
export function translatePgError(error: unknown): unknown {
  if (error instanceof DomainError || !(error instanceof Error)) return error;
  const { code = '', constraint } = error as PgError;
  if (/^235(05|03|14)$/.test(code) && constraint !== undefined) {
    const known = CONSTRAINT_ERRORS[constraint];
    if (known) return new DomainError(known[0], known[1], {}, { cause: error });
  }
  if (code === '55P03' || code === '57014') return new DomainError('BUSY', 'Another change holds this place; try again.', {}, { cause: error });
  if (UNREACHABLE.test(code) || /Connection terminated|timeout exceeded when trying to connect/.test(error.message)) {
    return new DomainError('BUSY', 'The database cannot be reached at the moment; try again.', {}, { cause: error });
  }
  return error;
}
