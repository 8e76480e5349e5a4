import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Rows of `token_keys`. */
@Injectable()
export class TokenKeyRepository {
  constructor(private readonly database: Database) {}

  /** The key of a token; a new one takes the place of an older one. */
  async put(tokenId: string, secretSha256: Buffer): Promise<void> {
    await this.database.run(
      `INSERT INTO token_keys (token_id, secret_sha256) VALUES ($1, $2) ON CONFLICT (token_id) DO UPDATE SET secret_sha256 = excluded.secret_sha256`,
      [tokenId, secretSha256],
    );
  }

  /** The token that a key belongs to, and whom that stands for; null for an unknown key. Whether the token lets in is not asked here. */
  holder(secretSha256: Buffer): Promise<{ tokenId: string; accountId: number } | null> {
    return this.database.queryOne(
      `SELECT t.id AS "tokenId", coalesce(t.effective_account_id, t.account_id) AS "accountId"
         FROM token_keys k JOIN auth_tokens t ON t.id = k.token_id WHERE k.secret_sha256 = $1`,
      [secretSha256],
    );
  }
}
