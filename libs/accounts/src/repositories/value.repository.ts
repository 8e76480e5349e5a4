import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { AccountValueEntity } from '../entities/account-values.entity.js';

/** Values that clients keep for themselves. */
@Injectable()
export class ValueRepository {
  constructor(private readonly database: Database) {}

  /** Writes a value unless the account would get more than `limit` keys. What happened. */
  async put(accountId: number, key: string, json: string, limit: number, now: Date): Promise<'written' | 'updated' | 'full'> {
    const row = await this.database.queryOne<{ inserted: boolean }>(
      `INSERT INTO account_values (account_id, key, value, updated_at)
       SELECT $1, $2, $3::jsonb, $5
        WHERE EXISTS (SELECT 1 FROM account_values WHERE account_id = $1 AND key = $2)
           OR (SELECT count(*) FROM account_values WHERE account_id = $1) < $4::int
       ON CONFLICT (account_id, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
       RETURNING xmax = 0 AS inserted`,
      [accountId, key, json, limit, now],
    );
    if (row === null) return 'full';
    return row.inserted ? 'written' : 'updated';
  }

  /** The value of `key` as JSON, undefined when there is none. */
  async find(accountId: number, key: string): Promise<unknown> {
    return (await this.database.entities((manager) => manager.findOneBy(AccountValueEntity, { accountId, key })))?.value;
  }

  list(accountId: number): Promise<{ key: string; value: unknown }[]> {
    return this.database.entities((manager) => manager.find(AccountValueEntity, { where: { accountId }, order: { key: 'ASC' } }));
  }
}
