import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export interface LoginGuard {
  readonly failures: number;
  readonly lastFailedSecret: Buffer | null;
  readonly lastFailedAt: Date | null;
  readonly lockedUntil: Date | null;
}

/** Failed logins, counted for known and unknown logins alike. */
@Injectable()
export class LoginGuardRepository {
  constructor(private readonly database: Database) {}

  find(loginKey: string): Promise<LoginGuard | null> {
    return this.database.queryOne<LoginGuard & Record<string, unknown>>(
      `SELECT failures, last_failed_secret AS "lastFailedSecret", last_failed_at AS "lastFailedAt", locked_until AS "lockedUntil"
         FROM login_guards WHERE login_key = $1`,
      [loginKey],
    );
  }

  /**
   * Counts a failure in advance, before the secret is compared, and returns its number; null when all `limit` are taken. Counting starts anew
   * after a lock has ended and when nothing was tried since `quietSince`. Tries that never ended (their process died) hold the last place no
   * longer than until they are older than `stuckSince`.
   */
  async take(loginKey: string, limit: number, now: Date, quietSince: Date, stuckSince: Date): Promise<number | null> {
    const row = await this.database.queryOne<{ failures: number }>(
      `INSERT INTO login_guards AS g (login_key, failures, last_failed_at) VALUES ($1, 1, $3::timestamptz)
       ON CONFLICT (login_key) DO UPDATE
          SET failures = CASE WHEN g.locked_until IS NOT NULL OR g.last_failed_at < $4::timestamptz THEN 1 ELSE least(g.failures + 1, $2::int) END,
              locked_until = NULL, last_failed_at = $3::timestamptz
        WHERE g.locked_until <= $3::timestamptz OR (g.locked_until IS NULL AND (g.failures < $2::int OR g.last_failed_at < $5::timestamptz))
       RETURNING failures`,
      [loginKey, limit, now, quietSince, stuckSince],
    );
    return row?.failures ?? null;
  }

  /** Turns a place taken in advance into a failure. `lockedUntil` ends further tries. */
  async fail(loginKey: string, secret: Buffer, now: Date, lockedUntil: Date | null): Promise<void> {
    await this.database.run(
      'UPDATE login_guards SET last_failed_secret = $2, last_failed_at = $3, locked_until = coalesce($4, locked_until) WHERE login_key = $1',
      [loginKey, secret, now, lockedUntil],
    );
  }

  /** Gives a place back: nothing was compared. */
  async giveBack(loginKey: string): Promise<void> {
    await this.database.run('UPDATE login_guards SET failures = greatest(failures - 1, 0) WHERE login_key = $1', [loginKey]);
  }

  /** Forgets everything about the given logins. */
  async reset(loginKeys: readonly string[]): Promise<void> {
    await this.database.run('DELETE FROM login_guards WHERE login_key = ANY($1::text[])', [loginKeys]);
  }

  /** Forgets guards that no longer hold anybody back, and hashes of failed secrets that no retry can match any more. */
  async removeIdle(now: Date, quietSince: Date, secretsSince: Date): Promise<number> {
    await this.database.run('UPDATE login_guards SET last_failed_secret = NULL WHERE last_failed_secret IS NOT NULL AND last_failed_at < $1', [
      secretsSince,
    ]);
    return this.database.run('DELETE FROM login_guards WHERE (locked_until IS NULL OR locked_until < $1) AND last_failed_at < $2', [now, quietSince]);
  }
}
