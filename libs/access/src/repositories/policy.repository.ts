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
}
