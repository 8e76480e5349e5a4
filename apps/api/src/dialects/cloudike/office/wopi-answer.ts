import type { Request, Response } from 'express';

import { type DomainErrorCode, isDomainError } from '#libs/kernel';
import { encodeUtf7 } from '#libs/office';

import { answer } from '../../../blobs/http-answer.js';

/** Status of each refusal in the protocol; what is not here is 500. What may not be done looks like what is not there. */
const STATUS: Partial<Record<DomainErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  NODE_NOT_FOUND: 404,
  PARENT_NOT_FOUND: 404,
  VERSION_NOT_FOUND: 404,
  NOT_A_FILE: 404,
  FORBIDDEN: 404,
  ROOT_IMMUTABLE: 404,
  INVALID_ARGUMENT: 400,
  SIZE_MISMATCH: 400,
  NAME_ILLEGAL: 400,
  NAME_TAKEN: 409,
  LOCK_MISMATCH: 409,
  VERSION_CONFLICT: 409,
  TOO_LARGE: 413,
  QUOTA_EXCEEDED: 413,
};

/** A document that its editor has not read: what office servers based on LibreOffice call 1010. */
const CHANGED_MEANWHILE = JSON.stringify({ COOLStatusCode: 1010, LOOLStatusCode: 1010 });

/** Answers a call that went well. */
export function answerWopi(request: Request, response: Response, body?: object, headers: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  send(request, response, 200, body === undefined ? '' : JSON.stringify(body));
}

/** Answers a refusal as the protocol has it: a status, and headers that say more. Returns the status. */
export function refuseWopi(request: Request, response: Response, error: unknown): number {
  if (response.headersSent) {
    response.destroy();
    return 500;
  }
  const status = (isDomainError(error) && STATUS[error.code]) || 500;
  if (isDomainError(error)) {
    const { lock, suggestion } = error.details;
    const failure = headerText(error.message);
    if (typeof lock === 'string') response.setHeader('X-WOPI-Lock', lock).setHeader('X-WOPI-LockFailureReason', failure);
    if (typeof suggestion === 'string') response.setHeader('X-WOPI-ValidRelativeTarget', encodeUtf7(suggestion));
    if (error.code === 'NAME_ILLEGAL') response.setHeader('X-WOPI-InvalidFileNameError', failure);
    if (status === 500) response.setHeader('X-WOPI-ServerError', error.code === 'INTERNAL' ? 'internal error' : failure);
  }
  send(request, response, status, isDomainError(error, 'VERSION_CONFLICT') ? CHANGED_MEANWHILE : '');
  return status;
}

/** A refused body is read for a moment, so that its sender sees the answer. */
function send(request: Request, response: Response, status: number, body: string): void {
  answer({ req: request, res: response, continuePending: false }, status, body, body === '' ? undefined : 'application/json; charset=utf-8');
}

function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, '?').slice(0, 500);
}
