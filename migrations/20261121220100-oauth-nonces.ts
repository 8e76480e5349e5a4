import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What signed requests (OAuth 1.0) have used up. */
export class OauthNonces1795298460000 implements MigrationInterface {
  name = 'OauthNonces1795298460000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE oauth_nonces (
        nonce_sha256 bytea PRIMARY KEY,
        -- from then on the time of the request refuses it
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX ix_oauth_nonces_expiry ON oauth_nonces (expires_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE oauth_nonces');
  }
}
