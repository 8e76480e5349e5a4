import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** What an account has accepted, and the agreement that its company has in place of the offer of the house. */
export interface OfferStanding {
  /** SHA-256 of the text; null when none was accepted. */
  readonly accepted: Buffer | null;
  /** Empty when the company, or the account's lack of one, leaves it at the offer of the house. */
  readonly companyText: string;
}

/** Who accepted which text. */
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

  /** One statement. */
  async standing(accountId: number): Promise<OfferStanding> {
    const row = await this.database.queryOne<OfferStanding & Record<string, unknown>>(
      `SELECT o.offer_sha256 AS accepted,
              CASE WHEN (c.settings ->> 'useCustomAgreement')::boolean THEN coalesce(c.settings ->> 'customAgreement', '') ELSE '' END AS "companyText"
         FROM accounts a LEFT JOIN companies c ON c.id = a.company_id LEFT JOIN offer_acceptances o ON o.account_id = a.id WHERE a.id = $1`,
      [accountId],
    );
    return row ?? { accepted: null, companyText: '' };
  }
}
