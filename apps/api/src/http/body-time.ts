import type { IncomingMessage, ServerResponse } from 'node:http';

/** Longest time the body of a call may take, in milliseconds. Uploads go to the blob handler, which watches for silence instead. */
const BODY_TIMEOUT_MS = 60_000;
/** A sender that sends nothing for this long is cut off. */
const IDLE_MS = 120_000;

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

/** A body that drips in for longer than the limit ends its connection. */
export function limitBodyTime(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined) return;
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy();
  }, BODY_TIMEOUT_MS);
  timer.unref();
  timers.set(request, timer);
  response.once('close', () => clearTimeout(timer));
}

/** For the few calls whose body is a file: it may take as long as it keeps coming. */
export function limitBodySilence(request: IncomingMessage): void {
  clearTimeout(timers.get(request));
  request.setTimeout(IDLE_MS, () => {
    if (!request.complete) request.destroy(new Error('the sender was silent for too long'));
  });
}
