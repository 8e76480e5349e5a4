import type { ServerResponse } from 'node:http';

import { HttpException } from '@nestjs/common';

import { DomainError, isDomainError } from '#libs/kernel';

import type { Dialect, DialectRoute, WireError } from './dialect.js';

/** Status and code of a refusal on a route. */
export function wireError(dialect: Dialect, error: DomainError, route?: Pick<DialectRoute, 'errors'>): WireError {
  const own = route?.errors?.[error.code];
  return own ? { status: own[0], code: own[1] } : dialect.errors[error.code];
}

/** Any thrown value as a DomainError: what is none becomes INTERNAL, with the cause inside for the log. */
export function toDomainError(error: unknown): DomainError {
  if (isDomainError(error)) return error;
  if (error instanceof HttpException && error.getStatus() === 404) return routeNotFound();
  return new DomainError('INTERNAL', 'Something went wrong on the server.', {}, { cause: error });
}

export function routeNotFound(): DomainError {
  return new DomainError('ROUTE_NOT_FOUND', 'There is no such route.');
}

/** Answers a refusal in the form of the dialect; of an internal error only the request id leaves the house. */
export function sendDialectError(response: ServerResponse, dialect: Dialect, error: DomainError, route?: Pick<DialectRoute, 'errors'>): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const wire = wireError(dialect, error, route);
  const requestId = response.getHeader('X-Request-Id');
  const message = error.code === 'INTERNAL' ? `Something went wrong on the server (request ${String(requestId ?? 'unknown')}).` : error.message;
  const retryAfterMs = error.details['retryAfterMs'];
  if (typeof retryAfterMs === 'number') response.setHeader('Retry-After', Math.max(1, Math.ceil(retryAfterMs / 1000)));
  // what is left of a body nobody will read must not be taken for the next request
  if (!response.req.complete) response.setHeader('Connection', 'close');
  sendJson(response, wire.status, dialect.errorBody(wire, message, error), dialect.errorType);
}

/** A whole JSON answer, without the blanks that nobody reads. */
export function sendJson(response: ServerResponse, status: number, body: unknown, contentType = 'application/json'): void {
  const text = JSON.stringify(body);
  response.statusCode = status;
  response.setHeader('Content-Type', contentType);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}
