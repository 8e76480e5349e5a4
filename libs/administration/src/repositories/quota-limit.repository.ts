import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export interface QuotaLimits {
  /** In bytes; null = not limited. */
  readonly limitBytes: number | null;
  readonly softLimitBytes: number | null;
}

/** Limits of what an account may store. */
@Injectable()
export class QuotaLimitRepository {
  constructor(private readonly database: Database) {}

  /** Held until the transaction ends; the row must be there. */
  async lock(accountId: number): Promise<QuotaLimits> {
    const row = await this.database.queryOne<QuotaLimits & Record<string, unknown>>(
      `SELECT limit_bytes AS "limitBytes", soft_limit_bytes AS "softLimitBytes" FROM quotas WHERE owner_kind = 'account' AND owner_id = $1 FOR UPDATE`,
      [accountId],
    );
    return row!;
  }

  async set(accountId: number, { limitBytes, softLimitBytes }: QuotaLimits): Promise<void> {
    await this.database.run(`UPDATE quotas SET limit_bytes = $2, soft_limit_bytes = $3 WHERE owner_kind = 'account' AND owner_id = $1`, [
      accountId,
      limitBytes,
      softLimitBytes,
    ]);
  }
}
