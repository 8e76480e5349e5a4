import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { type AccountRole, newId } from '#libs/kernel';

/** A login that is locked after too many failures. Times are ms since the epoch. */
export interface BlockedLogin {
  /** `kind:value`. */
  readonly login: string;
  /** Null when nobody has the login. */
  readonly accountId: number | null;
  readonly attempts: number;
  readonly untilMs: number;
}

/** What administrators do to accounts. */
@Injectable()
export class AdminRepository {
  constructor(private readonly database: Database) {}

  /** Waits until no other change of who administrates the system is under way; until the end of the transaction. */
  lockAdmins(): Promise<void> {
    return this.database.lock('accounts:admins');
  }

  /** True when an administrator of the system other than `accountId` can sign in. */
  async hasOtherAdmin(accountId: number, now: Date): Promise<boolean> {
    const row = await this.database.queryOne(
      `SELECT 1 FROM accounts WHERE role = 'admin' AND state = 'active' AND id <> $1 AND coalesce(expires_at > $2, true) LIMIT 1`,
      [accountId, now],
    );
    return row !== null;
  }

  /** Switches an account off; the time of an earlier block stays. */
  async block(id: number, reason: string, now: Date): Promise<void> {
    await this.database.run(
      `UPDATE accounts SET state = 'disabled', block_reason = $2, blocked_at = CASE WHEN state = 'disabled' THEN coalesce(blocked_at, $3) ELSE $3 END
        WHERE id = $1 AND state <> 'deleted'`,
      [id, reason, now],
    );
  }

  /** Switches an account on again: one that was never confirmed waits for its mail as before, one that is being removed from its company stays out. */
  async unblock(id: number): Promise<void> {
    await this.database.run(
      `UPDATE accounts SET state = CASE WHEN confirmed_at IS NULL THEN 'pending' ELSE 'active' END, blocked_at = NULL, block_reason = ''
        WHERE id = $1 AND state = 'disabled' AND removing_since IS NULL`,
      [id],
    );
  }

  /** Brings a deleted account back as it was. False when there is none that could be. */
  async restore(id: number): Promise<boolean> {
    const changed = await this.database.run(
      `UPDATE accounts SET state = state_before_deletion, state_before_deletion = NULL, deleted_at = NULL
        WHERE id = $1 AND state = 'deleted' AND erase_started_at IS NULL AND state_before_deletion IS NOT NULL`,
      [id],
    );
    return changed > 0;
  }

  async setRole(id: number, role: AccountRole): Promise<void> {
    await this.database.run('UPDATE accounts SET role = $2 WHERE id = $1', [id, role]);
  }

  async setRegion(id: number, region: string): Promise<void> {
    await this.database.run('UPDATE accounts SET region = $2 WHERE id = $1', [id, region]);
  }

  /** Tries at the account's password that were counted so far count no more. */
  async countUnlock(id: number): Promise<void> {
    await this.database.run('UPDATE accounts SET unlocks = unlocks + 1 WHERE id = $1', [id]);
  }

  /** Accounts of a role that are not deleted, oldest first. */
  async listOfRole(role: AccountRole, limit: number): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>(`SELECT id FROM accounts WHERE role = $1 AND state <> 'deleted' ORDER BY id LIMIT $2`, [
      role,
      limit,
    ]);
    return rows.map((row) => row.id);
  }

  /** Logins that are locked at `now`, the longest lock first. */
  blockedLogins(now: Date, limit: number): Promise<BlockedLogin[]> {
    return this.database.query<BlockedLogin & Record<string, unknown>>(
      `SELECT coalesce(l.kind || ':' || l.value, g.login_key) AS login, l.account_id AS "accountId", g.failures AS attempts,
              floor(extract(epoch FROM g.locked_until) * 1000)::float8 AS "untilMs"
         FROM login_guards g
         LEFT JOIN logins l ON l.kind = split_part(g.login_key, ':', 1) AND l.value_key = substr(g.login_key, strpos(g.login_key, ':') + 1)
        WHERE g.locked_until > $1 ORDER BY g.locked_until DESC, g.login_key LIMIT $2`,
      [now, limit],
    );
  }

  /** Notes who acts as whom by a token from now on; null = as himself again. What the token did before ends here. */
  async noteActing(acting: { readonly tokenId: string; readonly adminId: number; readonly accountId: number | null }, now: Date): Promise<void> {
    await this.database.run('UPDATE impersonations SET ended_at = $2 WHERE token_id = $1 AND ended_at IS NULL', [acting.tokenId, now]);
    if (acting.accountId === null) return;
    await this.database.run('INSERT INTO impersonations (id, admin_id, account_id, token_id, started_at) VALUES ($1, $2, $3, $4, $5)', [
      newId(now.getTime()),
      acting.adminId,
      acting.accountId,
      acting.tokenId,
      now,
    ]);
  }
}
