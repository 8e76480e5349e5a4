import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';

import { Correlation, type Logger, type Metrics } from '#libs/observability';

import { limitBodyTime } from './body-time.js';
import { routeOf } from './request-facts.js';

const HEADERS_TIMEOUT_MS = 20_000;
/** Longer than the idle time of usual reverse proxies, so that they and not we close an idle connection. */
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 64 * 1024;

/** Takes a request of its own paths and returns true or a promise; false, at once, for any other. `continuePending`: the sender waits for `100 Continue`. */
export type RawHandler = (request: IncomingMessage, response: ServerResponse, continuePending?: boolean) => boolean | Promise<true>;

export interface ServerParts {
  /** Asked in order before everything else. */
  readonly raw: readonly RawHandler[];
  /** The Express application of Nest. */
  readonly rest: RequestListener;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** True when clients reach us by https: then browsers are told to stay there. */
  readonly secure: boolean;
}

/** The HTTP server of the api: request id, security headers, access log and latency around every request, hot routes before Nest. Not listening yet. */
export function createHttpServer({ raw, rest, logger, metrics, secure }: ServerParts): Server {
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  const take = (request: IncomingMessage, response: ServerResponse, continuePending: boolean): void => {
    const given = request.headers['mountbit-request-id'] ?? request.headers['x-request-id'];
    Correlation.run(Array.isArray(given) ? given[0] : given, () => {
      setHeaders(response, secure);
      watch(request, response, logger, metrics);
      for (const handler of raw) if (handler(request, response, continuePending) !== false) return;
      if (continuePending) response.writeContinue();
      limitBodyTime(request, response);
      rest(request, response);
    });
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => take(request, response, false));
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => take(request, response, true));
  return server;
}

function setHeaders(response: ServerResponse, secure: boolean): void {
  response.setHeader('X-Request-Id', Correlation.current() ?? '');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('Cache-Control', 'no-store');
  if (secure) response.setHeader('Strict-Transport-Security', 'max-age=31536000');
}

/** Measures and logs the request when its answer has left, or when the client went away before (499). */
function watch(request: IncomingMessage, response: ServerResponse, logger: Logger, metrics: Metrics): void {
  const started = performance.now();
  response.once('close', () => {
    const durationMs = performance.now() - started;
    const labels = { method: knownMethod(request.method), route: routeOf(request), status: response.writableFinished ? response.statusCode : 499 };
    metrics.httpRequest(labels, durationMs / 1000);
    logger.info('request', { ...labels, durationMs: Math.round(durationMs * 100) / 100 });
  });
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']);

/** The method as a label: whatever else a client invents is one series. */
function knownMethod(method: string | undefined): string {
  return method !== undefined && METHODS.has(method) ? method : 'other';
}

/** Ends the server: no new connections, idle ones closed, running requests get `graceMs` to finish. */
export async function drain(server: Server, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
