import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Who somebody is at an identity provider: `subject` is the provider's own, unchanging name. */
export interface PersonKey {
  /** `company:<id>` of the company whose provider or directory it is, or `google`. */
  readonly scope: string;
  readonly issuer: string;
  readonly subject: string;
}

/** The links between accounts and identity providers. */
@Injectable()
export class PersonLinkRepository {
  constructor(private readonly database: Database) {}

  /** Waits until nobody else signs in for the first time as the same person; until the end of the transaction. */
  lock({ scope, issuer, subject }: PersonKey): Promise<void> {
    return this.database.lock(`identity:${JSON.stringify([scope, issuer, subject])}`);
  }

  async find({ scope, issuer, subject }: PersonKey): Promise<number | null> {
    const row = await this.database.queryOne<{ accountId: number }>(
      'SELECT account_id AS "accountId" FROM account_identities WHERE scope = $1 AND issuer = $2 AND subject = $3',
      [scope, issuer, subject],
    );
    return row?.accountId ?? null;
  }

  async insert({ scope, issuer, subject }: PersonKey, accountId: number, now: Date): Promise<void> {
    await this.database.run('INSERT INTO account_identities (scope, issuer, subject, account_id, created_at) VALUES ($1, $2, $3, $4, $5)', [
      scope,
      issuer,
      subject,
      accountId,
      now,
    ]);
  }

  /** Whether the account owns its company. */
  async ownsCompany(accountId: number): Promise<boolean> {
    return (await this.database.queryOne('SELECT 1 FROM companies WHERE owner_id = $1 LIMIT 1', [accountId])) !== null;
  }
}
