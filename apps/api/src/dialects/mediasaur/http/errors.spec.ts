import { describe, expect, it } from 'vitest';

import { DOMAIN_ERROR_CODES, DomainError } from '#libs/kernel';

import { wireError } from '../../../http/dialect/send-error.js';
import { MEDIASAUR } from './dialect.js';
import { MEDIASAUR_ERRORS } from './errors.js';

describe('the error table', () => {
  it('gives every code a status of an error and a word', () => {
    for (const code of DOMAIN_ERROR_CODES) {
      expect(MEDIASAUR_ERRORS[code].status, code).toBeGreaterThanOrEqual(400);
      expect(MEDIASAUR_ERRORS[code].code, code).toMatch(/^[a-z][a-z_]+$/);
    }
  });

  it.each([
    ['UNAUTHENTICATED', 401, 'unauthorized'],
    ['FORBIDDEN', 403, 'forbidden'],
    ['NODE_NOT_FOUND', 404, 'not_found'],
    ['INVALID_ARGUMENT', 400, 'invalid_request'],
    ['NAME_ILLEGAL', 400, 'invalid_request'],
    ['NAME_TAKEN', 409, 'conflict'],
    ['QUOTA_EXCEEDED', 402, 'quota_exceeded'],
    ['RATE_LIMITED', 429, 'rate_limited'],
    ['INTERNAL', 500, 'internal'],
  ] as const)('says %s as %i %s', (code, status, word) => {
    const error = new DomainError(code, 'why');
    const wire = wireError(MEDIASAUR, error);
    expect(wire).toEqual({ status, code: word });
    expect(MEDIASAUR.errorBody(wire, error.message, error)).toEqual({ error: { code: word, message: 'why' } });
  });
});
