import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { CLOSED_POLICY, type Policy } from '#libs/kernel';

/** What is allowed to accounts. */
@Injectable()
export class PolicyRepository {
  constructor(private readonly database: Database) {}

  /** The account's policy as it is now; nothing is allowed to one that is not there. */
  async ofAccount(accountId: number): Promise<Policy> {
    const row = await this.database.queryOne<{ policy: Policy }>('SELECT policy FROM effective_policies WHERE account_id = $1', [accountId]);
    return row?.policy ?? CLOSED_POLICY;
  }

  /** Whether an account may share with another one: of its own company, or of any when its company allows that. */
  async reaches(accountId: number, otherId: number): Promise<boolean> {
    const row = await this.database.queryOne<{ reaches: boolean }>(
      `SELECT p.share_outside OR coalesce(a.company_id = o.company_id, false) AS reaches
         FROM accounts a JOIN effective_policies p ON p.account_id = a.id, accounts o WHERE a.id = $1 AND o.id = $2`,
      [accountId, otherId],
    );
    return row?.reaches ?? false;
  }
}
