import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import type { ClientKind } from '#libs/kernel';

/** An account was active on a day (`YYYY-MM-DD`, UTC) by a kind of program. */
export interface AccountDay {
  readonly day: string;
  readonly accountId: number;
  readonly client: ClientKind;
}

/** Who was active when: what the figures of active users are counted from. */
@Injectable()
export class AccountDayRepository {
  constructor(private readonly database: Database) {}

  /** Notes days, in one statement; those that are noted already stay as they are. */
  async add(days: readonly AccountDay[]): Promise<void> {
    await this.database.run(
      `INSERT INTO account_days (day, account_id, client) SELECT * FROM unnest($1::date[], $2::bigint[], $3::text[]) AS d (day, account_id, client)
        ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING`,
      [days.map(({ day }) => day), days.map(({ accountId }) => accountId), days.map(({ client }) => client)],
    );
  }
}
