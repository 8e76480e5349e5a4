import { describe, expect, it } from 'vitest';

import { DOMAIN_ERROR_CODES, DomainError } from '#libs/kernel';

import { wireError } from '../../../http/dialect/send-error.js';
import { FILEAGO } from './dialect.js';
import { FILEAGO_ERRORS } from './errors.js';

describe('the error table', () => {
  it('gives every code a status of an error and a word', () => {
    for (const code of DOMAIN_ERROR_CODES) {
      expect(FILEAGO_ERRORS[code].status, code).toBeGreaterThanOrEqual(400);
      expect(FILEAGO_ERRORS[code].code, code).toMatch(/^[a-z][a-z_]+$/);
    }
  });

  it.each([
    ['UNAUTHENTICATED', 401],
    ['INVALID_CREDENTIALS', 401],
    ['FORBIDDEN', 403],
    ['NODE_NOT_FOUND', 404],
    ['INVALID_ARGUMENT', 400],
    ['NAME_TAKEN', 409],
    ['MOVE_INTO_DESCENDANT', 400],
    ['QUOTA_EXCEEDED', 507],
  ] as const)('says %s as %i', (code, status) => {
    const error = new DomainError(code, 'why');
    const wire = wireError(FILEAGO, error);
    expect(wire.status).toBe(status);
    expect(FILEAGO.errorBody(wire, error.message, error)).toEqual({ status: 'error', msg: 'why', code: wire.code });
  });
});
