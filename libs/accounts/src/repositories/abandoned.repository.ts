import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { DomainError } from '#libs/kernel';

/** A registration that can no longer be confirmed, before $1 and at $2, and that nothing else needs: no home, no company with other people. */
const ABANDONED = `
  a.state = 'pending' AND a.created_at <= $1
  AND NOT EXISTS (SELECT 1 FROM account_secrets s
                   WHERE s.account_id = a.id AND s.purpose IN ('confirm', 'invite', 'recover') AND s.used_at IS NULL AND s.expires_at > $2)
  AND NOT EXISTS (SELECT 1 FROM spaces s WHERE s.account_id = a.id)
  AND NOT EXISTS (SELECT 1 FROM companies c JOIN accounts other ON other.company_id = c.id AND other.id <> a.id WHERE c.owner_id = a.id)`;

/** What was begun and never confirmed: it would keep addresses from their owners for ever. */
@Injectable()
export class AbandonedRepository {
  constructor(private readonly database: Database) {}

  /**
   * Removes up to `count` registrations made before `madeBefore` for which no link is alive at `now`, with the companies that they founded; how many
   * there were. In a transaction. BUSY when one came back to life meanwhile.
   */
  async removeRegistrations(madeBefore: Date, now: Date, count: number): Promise<number> {
    const rows = await this.database.query<{ id: number }>(
      `SELECT a.id FROM accounts a WHERE ${ABANDONED} ORDER BY a.id LIMIT $3 FOR UPDATE SKIP LOCKED`,
      [madeBefore, now, count],
    );
    if (rows.length === 0) return 0;
    const ids = rows.map((row) => row.id);
    const companies = await this.database.query<{ id: number }>(
      'UPDATE companies SET owner_id = NULL WHERE owner_id = ANY($1::bigint[]) RETURNING id',
      [ids],
    );
    // Asked again now that the rows are held: a link may have been sent between the two statements.
    const removed = await this.database.run(`DELETE FROM accounts a WHERE ${ABANDONED} AND a.id = ANY($3::bigint[])`, [madeBefore, now, ids]);
    if (removed !== ids.length) throw new DomainError('BUSY', 'A registration came back to life while it was removed.');
    await this.database.run('DELETE FROM companies WHERE id = ANY($1::bigint[])', [companies.map((company) => company.id)]);
    return removed;
  }

  /** Removes logins added before `madeBefore` to an account that is confirmed, when no confirmation link of the account is alive at `now`. */
  removeLogins(madeBefore: Date, now: Date): Promise<number> {
    return this.database.run(
      `DELETE FROM logins l USING accounts a
        WHERE a.id = l.account_id AND a.state <> 'pending' AND l.confirmed_at IS NULL AND l.created_at <= $1
          AND NOT EXISTS (SELECT 1 FROM account_secrets s WHERE s.account_id = l.account_id AND s.purpose = 'confirm' AND s.used_at IS NULL AND s.expires_at > $2)`,
      [madeBefore, now],
    );
  }

  /** Ends the links that were sent to a login which is removed. */
  async endLinks(accountId: number, loginId: string): Promise<void> {
    await this.database.run(`DELETE FROM account_secrets WHERE account_id = $1 AND payload ->> 'loginId' = $2`, [accountId, loginId]);
  }
}
