import { describe, expect, it } from 'vitest';

import { DOMAIN_ERROR_CODES, DomainError } from '#libs/kernel';

import { wireError } from '../../../http/dialect/send-error.js';
import { QUICKSYNC } from './dialect.js';
import { QUICKSYNC_ERRORS } from './errors.js';

describe('the error table', () => {
  it('gives every code a status of an error and a word', () => {
    for (const code of DOMAIN_ERROR_CODES) {
      expect(QUICKSYNC_ERRORS[code].status, code).toBeGreaterThanOrEqual(400);
      expect(QUICKSYNC_ERRORS[code].code, code).toMatch(/^[a-z][a-z_]+$/);
    }
  });

  it.each([
    ['UNAUTHENTICATED', 401],
    ['INVALID_CREDENTIALS', 401],
    ['FORBIDDEN', 403],
    ['NODE_NOT_FOUND', 404],
    ['UPLOAD_NOT_FOUND', 404],
    ['INVALID_ARGUMENT', 400],
    ['UPLOAD_INCOMPLETE', 400],
    ['UPLOAD_CLOSED', 409],
    ['WRONG_STATE', 409],
    ['TOO_LARGE', 413],
    ['QUOTA_EXCEEDED', 413],
    ['RATE_LIMITED', 429],
  ] as const)('says %s as %i, as problem details', (code, status) => {
    const error = new DomainError(code, 'why');
    const wire = wireError(QUICKSYNC, error);
    const title = `${wire.code.charAt(0).toUpperCase()}${wire.code.slice(1).replaceAll('_', ' ')}`;
    expect(QUICKSYNC.errorBody(wire, error.message, error)).toEqual({ type: 'about:blank', title, status, detail: 'why', code: wire.code });
  });
});
