import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** The identity provider of a company, as it is stored. */
export interface IdentityProviderRecord {
  readonly issuer: string;
  readonly clientId: string;
  /** Empty = a public client. */
  readonly sealedSecret: string;
  readonly domains: readonly string[];
  readonly autoCreate: boolean;
}

/** Identity providers of companies, one for each. */
@Injectable()
export class IdentityProviderRepository {
  constructor(private readonly database: Database) {}

  find(companyId: number): Promise<IdentityProviderRecord | null> {
    return this.database.queryOne<IdentityProviderRecord & Record<string, unknown>>(
      `SELECT issuer, client_id AS "clientId", sealed_secret AS "sealedSecret", domains, auto_create AS "autoCreate"
         FROM identity_providers WHERE company_id = $1`,
      [companyId],
    );
  }

  async put(companyId: number, { issuer, clientId, sealedSecret, domains, autoCreate }: IdentityProviderRecord, now: Date): Promise<void> {
    await this.database.run(
      `INSERT INTO identity_providers (company_id, issuer, client_id, sealed_secret, domains, auto_create, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (company_id) DO UPDATE SET issuer = excluded.issuer, client_id = excluded.client_id, sealed_secret = excluded.sealed_secret,
              domains = excluded.domains, auto_create = excluded.auto_create, changed_at = excluded.changed_at`,
      [companyId, issuer, clientId, sealedSecret, domains, autoCreate, now],
    );
  }

  /** False when there was none. */
  async remove(companyId: number): Promise<boolean> {
    return (await this.database.run('DELETE FROM identity_providers WHERE company_id = $1', [companyId])) > 0;
  }
}
