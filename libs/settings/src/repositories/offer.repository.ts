import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Who accepted which text of the offer. */
@Injectable()
export class OfferRepository {
  constructor(private readonly database: Database) {}

  async accept(accountId: number, offerSha256: Buffer, now: Date): Promise<void> {
    await this.database.run(
      `INSERT INTO offer_acceptances (account_id, offer_sha256, accepted_at) VALUES ($1, $2, $3)
       ON CONFLICT (account_id) DO UPDATE SET offer_sha256 = excluded.offer_sha256, accepted_at = excluded.accepted_at`,
      [accountId, offerSha256, now],
    );
  }

  async decline(accountId: number): Promise<void> {
    await this.database.run('DELETE FROM offer_acceptances WHERE account_id = $1', [accountId]);
  }

  /** The text that was accepted, as its SHA-256; null when none was. */
  async accepted(accountId: number): Promise<Buffer | null> {
    const row = await this.database.queryOne<{ sha256: Buffer }>('SELECT offer_sha256 AS sha256 FROM offer_acceptances WHERE account_id = $1', [
      accountId,
    ]);
    return row?.sha256 ?? null;
  }
}
