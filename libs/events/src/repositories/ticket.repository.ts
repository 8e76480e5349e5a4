import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Rows of `subscribe_tickets`. Only hashes are kept. */
@Injectable()
export class TicketRepository {
  constructor(private readonly database: Database) {}

  async insert(secretSha256: Buffer, accountId: number, tokenId: string, expiresAt: Date): Promise<void> {
    await this.database.run('INSERT INTO subscribe_tickets (secret_sha256, account_id, token_id, expires_at) VALUES ($1, $2, $3, $4)', [
      secretSha256,
      accountId,
      tokenId,
      expiresAt,
    ]);
  }

  /** Takes the ticket away, so that it is good once; null when there is none or it has ended. */
  async take(secretSha256: Buffer, now: Date): Promise<{ accountId: number; tokenId: string } | null> {
    const row = await this.database.queryOne<{ accountId: number; tokenId: string; alive: boolean }>(
      `DELETE FROM subscribe_tickets WHERE secret_sha256 = $1 RETURNING account_id AS "accountId", token_id AS "tokenId", expires_at > $2 AS alive`,
      [secretSha256, now],
    );
    return row?.alive ? { accountId: row.accountId, tokenId: row.tokenId } : null;
  }

  async removeExpired(now: Date): Promise<void> {
    await this.database.run('DELETE FROM subscribe_tickets WHERE expires_at <= $1', [now]);
  }
}
