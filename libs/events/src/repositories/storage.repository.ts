import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** What an account uses and may use, in bytes; 0 = not limited. */
export interface StorageFigures {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** Figures of many accounts for those who watch them. */
@Injectable()
export class StorageRepository {
  constructor(private readonly database: Database) {}

  /** One statement. Accounts that have not used their storage yet are absent. */
  async figures(accountIds: readonly number[]): Promise<Map<number, StorageFigures>> {
    const rows = await this.database.query<{ id: number; used: number; limit: number }>(
      `SELECT owner_id AS id, used_bytes AS used, coalesce(limit_bytes, 0) AS "limit" FROM quotas WHERE owner_kind = 'account' AND owner_id = ANY($1::bigint[])`,
      [accountIds],
    );
    return new Map(rows.map(({ id, used, limit }) => [id, { usedBytes: used, limitBytes: limit }]));
  }
}
