import { describe, expect, it } from 'vitest';

import { DOMAIN_ERROR_CODES, DomainError, type DomainErrorCode } from '#libs/kernel';

import { wireError } from '../../../http/dialect/send-error.js';
import { KONEKSI } from './dialect.js';
import { KONEKSI_ERRORS } from './errors.js';

const bodyOf = (error: DomainError) => KONEKSI.errorBody(wireError(KONEKSI, error), error.message, error);

describe('the error table', () => {
  it('gives every code a status of an error and a text', () => {
    for (const code of DOMAIN_ERROR_CODES) {
      expect(KONEKSI_ERRORS[code].status, code).toBeGreaterThanOrEqual(400);
      expect(bodyOf(new DomainError(code, 'why')), code).toEqual({
        status: 'error',
        message: expect.stringMatching(/^[a-z]/) as string,
        data: null,
        meta: null,
      });
    }
  });

  it.each<[DomainErrorCode, Record<string, unknown>, number, string]>([
    ['UNAUTHENTICATED', {}, 401, 'why'],
    ['FORBIDDEN', {}, 403, 'why'],
    ['NODE_NOT_FOUND', {}, 404, 'not found'],
    ['QUOTA_EXCEEDED', {}, 403, 'upload limit reached'],
    ['PASSPHRASE_WRONG', { reason: 'WrongPassphrase' }, 403, 'failed to decrypt file'],
    ['INVALID_ARGUMENT', { field: 'passphrase' }, 400, 'invalid passphrase format'],
    ['INVALID_ARGUMENT', { field: 'password' }, 400, 'invalid password format'],
    ['LINK_PASSWORD_WRONG', { reason: 'PasswordRequired' }, 400, 'password is required for password-protected access'],
    ['LINK_PASSWORD_WRONG', { reason: 'WrongPassword' }, 400, 'invalid password'],
  ])('says %s %j as %i %s', (code, details, status, message) => {
    const error = new DomainError(code, 'why', details);
    expect([wireError(KONEKSI, error).status, bodyOf(error)['message']]).toEqual([status, message]);
  });
});
