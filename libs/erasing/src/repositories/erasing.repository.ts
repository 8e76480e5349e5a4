import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** How far an account is on its way out. */
export interface EndingAccount {
  readonly id: number;
  readonly companyId: number | null;
  readonly name: string;
  readonly state: 'pending' | 'active' | 'disabled' | 'deleted';
  readonly isRemoving: boolean;
  readonly removingHeirId: number | null;
  readonly eraseStarted: boolean;
  readonly erased: boolean;
}

const COLUMNS = `a.id, a.company_id AS "companyId", a.name, a.state, a.removing_since IS NOT NULL AS "isRemoving", a.removing_heir_id AS "removingHeirId",
  a.erase_started_at IS NOT NULL AS "eraseStarted", a.erased_at IS NOT NULL AS erased`;

/** States of accounts on their way out, and the rows that are left when all else is gone. */
@Injectable()
export class ErasingRepository {
  constructor(private readonly database: Database) {}

  find(id: number): Promise<EndingAccount | null> {
    return this.database.queryOne<EndingAccount & Record<string, unknown>>(`SELECT ${COLUMNS} FROM accounts a WHERE a.id = $1`, [id]);
  }

  /** The same, kept from other changes until the transaction ends. */
  lock(id: number): Promise<EndingAccount | null> {
    return this.database.queryOne<EndingAccount & Record<string, unknown>>(`SELECT ${COLUMNS} FROM accounts a WHERE a.id = $1 FOR NO KEY UPDATE`, [
      id,
    ]);
  }

  /** Who owns the company of an account; null for nobody. */
  async companyOwnerOf(accountId: number): Promise<number | null> {
    const row = await this.database.queryOne<{ ownerId: number | null }>(
      'SELECT c.owner_id AS "ownerId" FROM accounts a JOIN companies c ON c.id = a.company_id WHERE a.id = $1',
      [accountId],
    );
    return row?.ownerId ?? null;
  }

  /** Keeps a member out until his removing is confirmed or cancelled. */
  async markRemoving(id: number, heirId: number | null, now: Date): Promise<void> {
    await this.database.run(
      `UPDATE accounts SET state_before_removing = coalesce(state_before_removing, state), state = 'disabled', removing_since = coalesce(removing_since, $3),
              removing_heir_id = $2 WHERE id = $1 AND state <> 'deleted'`,
      [id, heirId, now],
    );
  }

  /** Lets a member be what he was before. */
  async unmarkRemoving(id: number): Promise<void> {
    await this.database.run(
      `UPDATE accounts SET state = state_before_removing, state_before_removing = NULL, removing_since = NULL, removing_heir_id = NULL
        WHERE id = $1 AND removing_since IS NOT NULL AND state = 'disabled'`,
      [id],
    );
  }

  /** Marks an account as deleted; one that was being removed would be restored as what it was before that. */
  async markDeleted(id: number, now: Date): Promise<void> {
    await this.database.run(
      `UPDATE accounts SET state_before_deletion = coalesce(state_before_removing, state), state = 'deleted', deleted_at = $2,
              state_before_removing = NULL, removing_since = NULL, removing_heir_id = NULL WHERE id = $1 AND state <> 'deleted'`,
      [id, now],
    );
  }

  /** From now on a deleted account cannot be restored. False when it was restored before. */
  async beginErasing(id: number, now: Date): Promise<boolean> {
    const changed = await this.database.run(
      `UPDATE accounts SET erase_started_at = coalesce(erase_started_at, $2) WHERE id = $1 AND state = 'deleted' AND erased_at IS NULL`,
      [id, now],
    );
    return changed === 1;
  }

  /** Whether a task that ends this account is waiting or running. */
  async hasTask(accountId: number): Promise<boolean> {
    const row = await this.database.queryOne(
      `SELECT 1 FROM tasks WHERE kind = 'accounts.erase' AND state IN ('waiting', 'running') AND (input ->> 'accountId')::bigint = $1 LIMIT 1`,
      [accountId],
    );
    return row !== null;
  }

  /** Accounts deleted at `before` or earlier whose erasing has not begun, longest deleted first. */
  async due(before: Date, limit: number): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>(
      `SELECT id FROM accounts WHERE state = 'deleted' AND erase_started_at IS NULL AND deleted_at <= $1 ORDER BY deleted_at, id LIMIT $2`,
      [before, limit],
    );
    return rows.map((row) => row.id);
  }

  /** Accounts whose erasing has begun and not ended. */
  async unfinished(limit: number): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>(
      'SELECT id FROM accounts WHERE erase_started_at IS NOT NULL AND erased_at IS NULL ORDER BY id LIMIT $1',
      [limit],
    );
    return rows.map((row) => row.id);
  }

  /** The home of an account, when it has one. */
  home(accountId: number): Promise<{ readonly spaceId: string; readonly rootId: string } | null> {
    return this.database.queryOne(`SELECT id AS "spaceId", root_id AS "rootId" FROM spaces WHERE account_id = $1 AND kind = 'account'`, [accountId]);
  }

  /** The spaces of an account beside its home. */
  otherSpaces(accountId: number): Promise<{ readonly spaceId: string; readonly rootId: string }[]> {
    return this.database.query(`SELECT id AS "spaceId", root_id AS "rootId" FROM spaces WHERE account_id = $1 AND kind <> 'account' ORDER BY id`, [
      accountId,
    ]);
  }

  /** Removes the root of an empty space, the space, and the account's quota. False while something is in it or is held for it. */
  async removeHome(accountId: number, spaceId: string): Promise<boolean> {
    const busy = await this.database.queryOne(
      `SELECT 1 WHERE EXISTS (SELECT 1 FROM nodes n JOIN spaces s ON s.id = n.space_id WHERE n.space_id = $1 AND n.id <> s.root_id)
                   OR EXISTS (SELECT 1 FROM upload_sessions WHERE space_id = $1)
                   OR EXISTS (SELECT 1 FROM quotas WHERE owner_kind = 'account' AND owner_id = $2 AND (used_bytes <> 0 OR reserved_bytes <> 0))`,
      [spaceId, accountId],
    );
    if (busy !== null) return false;
    await this.database.run('DELETE FROM nodes WHERE space_id = $1', [spaceId]);
    await this.database.run('DELETE FROM spaces WHERE id = $1', [spaceId]);
    return true;
  }

  /** Leaves of the account's row what says nothing of the person, and takes it out of its company. */
  async anonymize(id: number, now: Date): Promise<void> {
    await this.database.run(`DELETE FROM quotas WHERE owner_kind = 'account' AND owner_id = $1`, [id]);
    await this.database.run(
      `UPDATE companies c SET owner_id = (SELECT a.id FROM accounts a WHERE a.company_id = c.id AND a.is_company_admin AND a.state = 'active' AND a.id <> $1 ORDER BY a.id LIMIT 1)
        WHERE c.owner_id = $1`,
      [id],
    );
    await this.database.run(
      `UPDATE accounts SET name = '', lang = 'en', timezone = 'UTC', region = '', extra_info = '{}', password_hash = NULL, password_changed_at = NULL,
              user_agreement = false, marketing_agreement = false, allowed_ips = '', expires_at = NULL, last_login_at = NULL, last_login_ip = NULL,
              last_activity_at = NULL, confirmed_at = NULL, blocked_at = NULL, block_reason = '', company_id = NULL, is_company_admin = false, role = 'user',
              state_before_deletion = NULL, erased_at = $2
        WHERE id = $1`,
      [id, now],
    );
  }
}
