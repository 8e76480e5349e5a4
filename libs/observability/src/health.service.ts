import { Injectable } from '@nestjs/common';

import { scrubText } from './redaction.js';

const CHECK_TIMEOUT_MS = 2_000;

export interface HealthReport {
  readonly status: 'ok' | 'unavailable';
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly error?: string }>>;
}

/** Named checks of what this process needs in order to do its work. */
@Injectable()
export class HealthService {
  private readonly checks = new Map<string, () => Promise<unknown>>();

  /** Adds a check that rejects, with a reason, while something is wrong. It has 2 s. A later check of the same name replaces it. */
  register(name: string, check: () => Promise<unknown>): void {
    this.checks.set(name, check);
  }

  /** Runs all checks at once and tells each result; `unavailable` when any fails. */
  async report(): Promise<HealthReport> {
    const results = await Promise.all([...this.checks].map(async ([name, check]) => [name, await outcome(check)] as const));
    return { status: results.every(([, result]) => result.ok) ? 'ok' : 'unavailable', checks: Object.fromEntries(results) };
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
