import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** What decides whom somebody administrates, as it is now. */
export interface AdminStanding {
  readonly companyId: number | null;
  readonly isSystemAdmin: boolean;
  /** Of `companyId`. */
  readonly isCompanyAdmin: boolean;
}

/** Who administrates what. */
@Injectable()
export class AdminRightsRepository {
  constructor(private readonly database: Database) {}

  /** Of an active account; null for any other. */
  standing(accountId: number): Promise<AdminStanding | null> {
    return this.database.queryOne<AdminStanding & Record<string, unknown>>(
      `SELECT a.company_id AS "companyId", a.role = 'admin' AS "isSystemAdmin",
              a.company_id IS NOT NULL AND (a.is_company_admin OR c.owner_id IS NOT DISTINCT FROM a.id) AS "isCompanyAdmin"
         FROM accounts a LEFT JOIN companies c ON c.id = a.company_id WHERE a.id = $1 AND a.state = 'active'`,
      [accountId],
    );
  }

  /** True for an administrator of the system and for the owner of a company, whatever the state of the account. */
  async isHigh(accountId: number): Promise<boolean> {
    const row = await this.database.queryOne(
      `SELECT 1 FROM accounts a LEFT JOIN companies c ON c.id = a.company_id WHERE a.id = $1 AND (a.role = 'admin' OR c.owner_id = a.id)`,
      [accountId],
    );
    return row !== null;
  }

  async companyExists(companyId: number): Promise<boolean> {
    return (await this.database.queryOne('SELECT 1 FROM companies WHERE id = $1', [companyId])) !== null;
  }

  /** The company of an account that is not deleted; undefined for an unknown one. */
  async companyOf(accountId: number): Promise<number | null | undefined> {
    const row = await this.database.queryOne<{ companyId: number | null }>(
      `SELECT company_id AS "companyId" FROM accounts WHERE id = $1 AND state <> 'deleted'`,
      [accountId],
    );
    return row?.companyId;
  }
}
