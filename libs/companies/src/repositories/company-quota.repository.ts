import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Limits of one account in bytes; null = not limited. */
export interface AccountLimit {
  readonly accountId: number;
  readonly limitBytes: number | null;
  readonly softLimitBytes: number | null;
}

/** Limits of companies and their members, and requests for more. */
@Injectable()
export class CompanyQuotaRepository {
  constructor(private readonly database: Database) {}

  /** What the members of a company are allowed to store, one entry for each; accounts without a row of their own get `defaultBytes` (null = not limited). */
  limitsOf(companyId: number, defaultBytes: number | null): Promise<{ accountId: number; limitBytes: number | null }[]> {
    return this.database.query(
      `SELECT a.id AS "accountId", CASE WHEN q.owner_id IS NULL THEN $2::bigint ELSE q.limit_bytes END AS "limitBytes"
         FROM accounts a LEFT JOIN quotas q ON q.owner_kind = 'account' AND q.owner_id = a.id WHERE a.company_id = $1 AND a.state <> 'deleted'`,
      [companyId, defaultBytes],
    );
  }

  /** Sets the limits of accounts, and makes rows where they are missing. */
  async setLimits(limits: readonly AccountLimit[]): Promise<void> {
    const ordered = [...limits].sort((a, b) => a.accountId - b.accountId);
    await this.database.run(
      `INSERT INTO quotas (owner_kind, owner_id, limit_bytes, soft_limit_bytes)
       SELECT 'account', l.id, l.hard, l.soft FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS l (id, hard, soft)
       ON CONFLICT (owner_kind, owner_id) DO UPDATE SET limit_bytes = excluded.limit_bytes, soft_limit_bytes = excluded.soft_limit_bytes`,
      [ordered.map((l) => l.accountId), ordered.map((l) => l.limitBytes), ordered.map((l) => l.softLimitBytes)],
    );
  }

  /** Notes that a member wants more space; false when an earlier request waits already, which takes the newer comment. */
  async request(id: string, companyId: number, accountId: number, comment: string, now: Date): Promise<boolean> {
    const row = await this.database.queryOne<{ isNew: boolean }>(
      `INSERT INTO quota_requests (id, company_id, account_id, comment, created_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (account_id, company_id) WHERE viewed_at IS NULL DO UPDATE SET comment = excluded.comment
       RETURNING id = $1 AS "isNew"`,
      [id, companyId, accountId, comment, now],
    );
    return row!.isNew;
  }

  /** Marks the open request of a member as seen. */
  async markViewed(companyId: number, accountId: number, now: Date): Promise<void> {
    await this.database.run('UPDATE quota_requests SET viewed_at = $3 WHERE company_id = $1 AND account_id = $2 AND viewed_at IS NULL', [
      companyId,
      accountId,
      now,
    ]);
  }
}
