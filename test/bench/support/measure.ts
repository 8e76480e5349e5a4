import { performance } from 'node:perf_hooks';

/** Latencies of one load run, in ms, and the rate over its whole time. */
export interface LoadResult {
  readonly perSecond: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly count: number;
}

/** The value below which `share` (0..1) of the sorted `values` lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** `clients` lanes call `work` one after another until `count` calls have been made. */
export async function load(count: number, clients: number, work: (index: number) => Promise<void>): Promise<LoadResult> {
  const latencies: number[] = [];
  let next = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (let index = next++; index < count; index = next++) {
        const began = performance.now();
        await work(index);
        latencies.push(performance.now() - began);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  return { perSecond: count / seconds, medianMs: quantile(latencies, 0.5), p95Ms: quantile(latencies, 0.95), count };
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
