import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { NotFoundException } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DOMAIN_ERROR_CODES, DomainError } from '#libs/kernel';

import { CLOUDIKE_ERRORS, sendError, toDomainError, wireError } from './errors.js';

describe('the error table', () => {
  it('gives every code a status of an error and an identifier', () => {
    for (const code of DOMAIN_ERROR_CODES) {
      expect(CLOUDIKE_ERRORS[code].status, code).toBeGreaterThanOrEqual(400);
      expect(CLOUDIKE_ERRORS[code].code, code).toMatch(/^[A-Z][A-Za-z]+$/);
    }
  });

  it.each([
    ['UNAUTHENTICATED', 401, 'Unauthorized'],
    ['LAST_ATTEMPT', 401, 'LastAttempt'],
    ['LOGIN_LOCKED', 403, 'UserTemporarilyLocked'],
    ['INVALID_ARGUMENT', 400, 'InvalidParameters'],
    ['NODE_NOT_FOUND', 404, 'NotFound'],
    ['NOT_A_FOLDER', 405, 'NotAFolder'],
    ['SAME_FOLDER', 409, 'SameFolder'],
    ['MOVE_INTO_DESCENDANT', 424, 'MoveIntoDescendant'],
    ['QUOTA_EXCEEDED', 402, 'QuotaExceeded'],
    ['TASK_RUNNING', 404, 'TaskRunning'],
    ['TASK_FAILED', 400, 'TaskFailed'],
  ] as const)('says %s as %i %s', (code, status, name) => {
    expect(wireError(code)).toEqual({ status, code: name });
  });

  it('lets a route say its own number', () => {
    expect(wireError('NAME_TAKEN', { errors: { NAME_TAKEN: [409, 'AlreadyExists'] } })).toEqual({ status: 409, code: 'AlreadyExists' });
  });
});

describe('toDomainError', () => {
  it('keeps refusals, and hides everything else behind INTERNAL', () => {
    const refusal = new DomainError('NAME_TAKEN', 'x');
    expect(toDomainError(refusal)).toBe(refusal);
    const cause = new TypeError('inner');
    expect(toDomainError(cause)).toMatchObject({ code: 'INTERNAL', cause });
    expect(toDomainError('text').message).not.toContain('text');
    expect(toDomainError(new NotFoundException()).code).toBe('ROUTE_NOT_FOUND');
  });
});

describe('sendError', () => {
  let server: Server;
  let next: DomainError;

  beforeAll(async () => {
    server = createServer((_request, response) => {
      response.setHeader('X-Request-Id', 'r-1');
      sendError(response, next);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterAll(() => server.close());

  const answerTo = async (error: DomainError) => {
    next = error;
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return { status: response.status, headers: response.headers, body: await response.json() };
  };

  it('answers code and description, and of the details only what clients read', async () => {
    expect(await answerTo(new DomainError('NAME_ILLEGAL', 'No slash.', { reason: 'slash', nodeId: 'secret' }))).toMatchObject({
      status: 400,
      body: { code: 'InvalidParameters', description: 'No slash.', reason: 'slash' },
    });
  });

  it('tells of an internal error only the request id', async () => {
    const { body } = await answerTo(new DomainError('INTERNAL', 'table nodes is gone'));
    expect(body).toEqual({ code: 'InternalError', description: 'Something went wrong on the server (request r-1).' });
  });

  it('says when to come back', async () => {
    const { status, headers } = await answerTo(new DomainError('RATE_LIMITED', 'Slow down.', { retryAfterMs: 1500 }));
    expect([status, headers.get('retry-after')]).toEqual([429, '2']);
  });
});
