import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export interface FeedbackRow {
  readonly id: string;
  /** Null when the account is gone. */
  readonly accountId: number | null;
  readonly text: string;
  readonly name: string;
  readonly email: string;
  readonly createdMs: number;
  /** A log in the store that can be fetched now. */
  readonly logKey: string | null;
}

export interface NewFeedback {
  readonly id: string;
  readonly accountId: number;
  readonly text: string;
  readonly name: string;
  readonly email: string;
  readonly userAgent: string;
  readonly createdAt: Date;
  readonly ticketSha256: Buffer | null;
  readonly ticketExpiresAt: Date | null;
}

export const FEEDBACK_ORDERS = { created: 'f.created_at', email: 'lower(f.email)', accountId: 'coalesce(f.account_id, 0)' } as const;
export type FeedbackOrder = keyof typeof FEEDBACK_ORDERS;

/** What people say about the house, and the logs of their programs. */
@Injectable()
export class FeedbackRepository {
  constructor(private readonly database: Database) {}

  async insert(feedback: NewFeedback): Promise<void> {
    const { id, accountId, text, name, email, userAgent, createdAt, ticketSha256, ticketExpiresAt } = feedback;
    await this.database.run(
      `INSERT INTO feedback (id, account_id, text, name, email, user_agent, created_at, ticket_sha256, ticket_expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [id, accountId, text, name, email, userAgent, createdAt, ticketSha256, ticketExpiresAt],
    );
  }

  /** The feedback whose log may still come by this ticket; null when it never could, came, or is too late. */
  findOpen(ticketSha256: Buffer, now: Date): Promise<{ readonly id: string; readonly accountId: number } | null> {
    return this.database.queryOne(
      `SELECT id, account_id AS "accountId" FROM feedback
        WHERE ticket_sha256 = $1 AND ticket_expires_at > $2 AND log_key IS NULL AND account_id IS NOT NULL`,
      [ticketSha256, now],
    );
  }

  /** False when another log came first. */
  async setLog(id: string, logKey: string): Promise<boolean> {
    return (await this.database.run('UPDATE feedback SET log_key = $2 WHERE id = $1 AND log_key IS NULL', [id, logKey])) > 0;
  }

  /** One page, and how many there are in all. */
  async page(
    page: { readonly orderBy: FeedbackOrder; readonly descending: boolean; readonly offset: number; readonly limit: number },
    now: Date,
  ): Promise<{ rows: FeedbackRow[]; count: number }> {
    const direction = page.descending ? 'DESC' : 'ASC';
    const total = await this.database.queryOne<{ count: number }>('SELECT count(*) AS count FROM feedback');
    const rows = await this.database.query<FeedbackRow & Record<string, unknown>>(
      `SELECT f.id, f.account_id AS "accountId", f.text, f.name, f.email, floor(extract(epoch FROM f.created_at) * 1000)::float8 AS "createdMs",
              d.store_key AS "logKey"
         FROM feedback f LEFT JOIN derived_objects d ON d.store_key = f.log_key AND d.ready AND d.expires_at > $3
        ORDER BY ${FEEDBACK_ORDERS[page.orderBy]} ${direction}, f.id ${direction} LIMIT $1 OFFSET $2`,
      [page.limit, page.offset, now],
    );
    return { rows, count: total!.count };
  }
}
