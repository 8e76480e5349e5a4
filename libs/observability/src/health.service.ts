import { Injectable } from '@nestjs/common';

import { scrubText } from './redaction.js';

const CHECK_TIMEOUT_MS = 2_000;

export interface HealthReport {
  /** `degraded`: the process does its work, with something less than it was given. `unavailable`: it cannot do its work. */
  readonly status: 'ok' | 'degraded' | 'unavailable';
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly error?: string }>>;
}

/** What a failing check means: the process cannot do its work, or something else stands in meanwhile. */
type Failure = 'unavailable' | 'degraded';

/** Named checks of what this process needs in order to do its work. */
@Injectable()
export class HealthService {
  private readonly checks = new Map<string, { readonly check: () => Promise<unknown>; readonly onFailure: Failure }>();

  /**
   * Adds a check that rejects, with a reason, while something is wrong. It has 2 s. `onFailure` is what the process as a whole then is.
   * A later check of the same name replaces it.
   */
  register(name: string, check: () => Promise<unknown>, onFailure: Failure = 'unavailable'): void {
    this.checks.set(name, { check, onFailure });
  }

  /** Runs all checks at once and tells each result; the status is that of the gravest failure. */
  async report(): Promise<HealthReport> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, { check, onFailure }]) => ({ name, onFailure, result: await outcome(check) })),
    );
    const failures = results.filter(({ result }) => !result.ok).map(({ onFailure }) => onFailure);
    const status = failures.includes('unavailable') ? 'unavailable' : failures.length > 0 ? 'degraded' : 'ok';
    return { status, checks: Object.fromEntries(results.map(({ name, result }) => [name, result])) };
  }
}

async function outcome(check: () => Promise<unknown>): Promise<{ ok: boolean; error?: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), late]);
    return { ok: true };
  } catch (error) {
    return { ok: false, error: scrubText(error instanceof Error ? error.message || error.name : String(error)) };
  } finally {
    clearTimeout(timer);
  }
}
