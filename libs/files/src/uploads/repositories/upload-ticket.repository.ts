import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export interface UploadTicketRow {
  readonly accountId: number;
  readonly tokenId: string | null;
  readonly nodeId: string;
}

/** How many ended tickets go with each new one, so that no job has to sweep them. */
const SWEPT = 20;

/** Rows of `upload_tickets`. */
@Injectable()
export class UploadTicketRepository {
  constructor(private readonly database: Database) {}

  async insert(secretSha256: Buffer, { accountId, tokenId, nodeId }: UploadTicketRow, now: Date, expiresAt: Date): Promise<void> {
    await this.database.run(
      `WITH ended AS (
         DELETE FROM upload_tickets WHERE secret_sha256 IN (
           SELECT secret_sha256 FROM upload_tickets WHERE expires_at < $5 ORDER BY expires_at LIMIT ${SWEPT} FOR UPDATE SKIP LOCKED)
       )
       INSERT INTO upload_tickets (secret_sha256, account_id, token_id, node_id, expires_at) VALUES ($1, $2, $3, $4, $6)`,
      [secretSha256, accountId, tokenId, nodeId, now, expiresAt],
    );
  }

  /** Takes a ticket that is good at `at`, so that nobody else can; null for one that is unknown, ended or taken. */
  take(secretSha256: Buffer, at: Date): Promise<UploadTicketRow | null> {
    return this.database.queryOne<UploadTicketRow & Record<string, unknown>>(
      `DELETE FROM upload_tickets WHERE secret_sha256 = $1 AND expires_at >= $2
       RETURNING account_id AS "accountId", token_id AS "tokenId", node_id AS "nodeId"`,
      [secretSha256, at],
    );
  }
}
