/** Resolves after `ms`, or at once when `signal` is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

/** The value of `work`, or a rejection that names `what` when it takes longer than `ms`. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A function that passes on one call per `ms` and key, with the number of calls it swallowed since. */
export function rateLimited(ms: number, report: (key: string, error: unknown, swallowed: number) => void): (key: string, error: unknown) => void {
  const last = new Map<string, { at: number; swallowed: number }>();
  return (key, error) => {
    const now = performance.now();
    const entry = last.get(key);
    if (entry && now - entry.at < ms) {
      entry.swallowed++;
      return;
    }
    last.set(key, { at: now, swallowed: 0 });
    report(key, error, entry?.swallowed ?? 0);
  };
}
