import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Rows of `oauth_nonces`. */
@Injectable()
export class NonceRepository {
  constructor(private readonly database: Database) {}

  /** Uses a nonce up; false when it was used before, or is being used at this moment. */
  async take(nonceSha256: Buffer, expiresAt: Date): Promise<boolean> {
    const sql = 'INSERT INTO oauth_nonces (nonce_sha256, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING';
    return (await this.database.run(sql, [nonceSha256, expiresAt])) > 0;
  }

  /** Removes up to `count` nonces that ended before `now`; how many there were. */
  removeExpired(now: Date, count: number): Promise<number> {
    return this.database.run(
      'DELETE FROM oauth_nonces WHERE nonce_sha256 IN (SELECT nonce_sha256 FROM oauth_nonces WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)',
      [now, count],
    );
  }
}
