import type { Readable } from 'node:stream';

import { DomainError } from '#libs/kernel';

import type { StreamStatus } from './repositories/archive-stream.repository.js';

/** Also the longest time that the stream of an account goes on after the account was disabled. */
const LOOK_MS = 1_000;

export interface StreamWatch {
  /** How far the stream is now, 0 to 100. */
  readonly percent: () => number;
  /** The stream ends where the archive ends. */
  readonly reachesEnd: boolean;
  /** False: the stream may not go on. */
  readonly save: (status: StreamStatus, percent: number) => Promise<boolean>;
}

/** Notes the progress of a stream once a second and its outcome at the end; destroys it when it may not go on. A note that fails harms nothing. */
export function watchStream(body: Readable, { percent, reachesEnd, save }: StreamWatch): void {
  let last: Promise<unknown> = Promise.resolve();
  let busy = false;
  let ended = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    last = save('in_progress', percent())
      .then((mayGoOn) => {
        if (!mayGoOn) body.destroy(new DomainError('FORBIDDEN', 'This account may not download any more.'));
      })
      .catch(() => undefined)
      .finally(() => (busy = false));
  }, LOOK_MS);
  timer.unref();
  body.once('end', () => (ended = true));
  body.once('close', () => {
    clearInterval(timer);
    const status = !ended ? 'error' : reachesEnd ? 'completed' : 'in_progress';
    void last.then(() => save(status, status === 'completed' ? 100 : percent())).catch(() => undefined);
  });
}
