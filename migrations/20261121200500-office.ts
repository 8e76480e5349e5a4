import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an office server shows us: access to one file for one person, and who is editing. */
export class Office1795291500000 implements MigrationInterface {
  name = 'Office1795291500000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Access tokens say who and which file, never what may be done: that is looked up at each call. They end with the login they came from.
      CREATE TABLE wopi_tokens (
        secret_sha256 bytea PRIMARY KEY,
        node_id uuid NOT NULL CONSTRAINT fk_wopi_tokens_node REFERENCES nodes (id) ON DELETE CASCADE,
        -- an older version, which is only looked at; NULL = the current one
        version_no integer CONSTRAINT ck_wopi_tokens_version CHECK (version_no > 0),
        may_write boolean NOT NULL,
        account_id bigint CONSTRAINT fk_wopi_tokens_account REFERENCES accounts (id) ON DELETE CASCADE,
        -- NULL with an account: made by HTTP Basic
        auth_token_id text CONSTRAINT fk_wopi_tokens_auth_token REFERENCES auth_tokens (id) ON DELETE CASCADE,
        by_pair boolean NOT NULL DEFAULT false,
        -- the pass of a link, when nobody signed in
        guest jsonb,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT ck_wopi_tokens_holder CHECK ((account_id IS NULL) <> (guest IS NULL)),
        CONSTRAINT ck_wopi_tokens_write CHECK (NOT may_write OR (account_id IS NOT NULL AND version_no IS NULL))
      );
      CREATE INDEX ix_wopi_tokens_node ON wopi_tokens (node_id);
      CREATE INDEX ix_wopi_tokens_account ON wopi_tokens (account_id);
      CREATE INDEX ix_wopi_tokens_auth_token ON wopi_tokens (auth_token_id);
      CREATE INDEX ix_wopi_tokens_expiry ON wopi_tokens (expires_at);

      -- one editing session a file
      CREATE TABLE wopi_locks (
        node_id uuid PRIMARY KEY CONSTRAINT fk_wopi_locks_node REFERENCES nodes (id) ON DELETE CASCADE,
        lock_id text NOT NULL CONSTRAINT ck_wopi_locks_id CHECK (length(lock_id) BETWEEN 1 AND 1024),
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX ix_wopi_locks_expiry ON wopi_locks (expires_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE wopi_locks, wopi_tokens');
  }
}
