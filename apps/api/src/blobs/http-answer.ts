import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DomainErrorCode, isDomainError } from '#libs/kernel';

/** A request with what the server still owes it: `100 Continue` not sent yet. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  continuePending: boolean;
}

const LINGER_MS = 5000;

const STATUS: Partial<Record<DomainErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  ACCOUNT_DISABLED: 403,
  RATE_LIMITED: 429,
  INVALID_ARGUMENT: 400,
  SIZE_MISMATCH: 400,
  CHECKSUM_MISMATCH: 400,
  TOO_LARGE: 413,
  NODE_NOT_FOUND: 404,
  NOT_A_FILE: 404,
  VERSION_NOT_FOUND: 404,
  NO_PREVIEW: 404,
  UPLOAD_NOT_FOUND: 404,
  UPLOAD_CLOSED: 409,
  UPLOAD_INCOMPLETE: 409,
  VERSION_CONFLICT: 409,
  QUOTA_EXCEEDED: 402,
  STORAGE_FULL: 507,
  STORAGE_UNAVAILABLE: 503,
  BUSY: 503,
};

const CORS: readonly (readonly [string, string])[] = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Credentials', 'true'],
  ['Access-Control-Allow-Methods', 'GET,HEAD,PUT,POST,OPTIONS'],
  [
    'Access-Control-Allow-Headers',
    'DNT,X-Mx-ReqToken,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Mountbit-Auth,' +
      'Web-frontend,Mountbit-User-Agent,Mountbit-Request-Id,Authorization,If-None-Match,If-Range,Range',
  ],
  ['Access-Control-Expose-Headers', 'ETag,Content-Range,Content-Length,Accept-Ranges,Content-Disposition'],
];

/** Sets the CORS headers that every answer of a blob URL carries. */
export function setCors(res: ServerResponse): void {
  for (const [name, value] of CORS) res.setHeader(name, value);
}

/** Status of an error; what is not a DomainError, or has no place here, is 500. */
export function statusOf(error: unknown): number {
  return (isDomainError(error) && STATUS[error.code]) || 500;
}

/** Answers an error as `{code, description}` with the code in CamelCase. The text of a 500 stays inside. */
export function answerError(exchange: Exchange, error: unknown): void {
  const { res } = exchange;
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const status = statusOf(error);
  const known = status !== 500 && isDomainError(error);
  const code = known ? error.code.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase()) : 'InternalError';
  const body = JSON.stringify({ code, description: known ? error.message : 'Something went wrong on the server' });
  answer(exchange, status, body, 'application/json; charset=utf-8');
}

/**
 * Sends a whole answer, even when the request body was not read to its end: then the connection is closed, but only after the sender
 * stopped or a few seconds passed. Closing at once would reset the connection and the sender might never see the answer.
 */
export function answer({ req, res, continuePending }: Exchange, status: number, body = '', contentType?: string): void {
  res.statusCode = status;
  if (contentType !== undefined) res.setHeader('Content-Type', contentType);
  res.setHeader('Content-Length', Buffer.byteLength(body));
  const unread = !req.complete && (continuePending || Number(req.headers['content-length'] ?? 0) > 0 || 'transfer-encoding' in req.headers);
  if (!unread) {
    res.end(body);
    return;
  }
  res.setHeader('Connection', 'close');
  if (continuePending) {
    res.end(body);
    return;
  }
  res.flushHeaders();
  if (body !== '') res.write(body);
  const finish = (): void => {
    clearTimeout(timer);
    if (!res.writableEnded) res.end();
  };
  const timer = setTimeout(finish, LINGER_MS).unref();
  req.once('end', finish).once('error', finish).once('close', finish).resume();
}
