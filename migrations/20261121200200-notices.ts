import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Notices for persons, and one-use tickets for websockets. */
export class Notices1795291320000 implements MigrationInterface {
  name = 'Notices1795291320000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- account_id NULL: for everybody; who has seen it is in notice_views. hash: of the invitation or request that an interactive one asks about.
      CREATE TABLE notices (
        id uuid PRIMARY KEY,
        account_id bigint CONSTRAINT fk_notices_account REFERENCES accounts (id) ON DELETE CASCADE,
        hash text NOT NULL,
        action text NOT NULL,
        behavior text NOT NULL CONSTRAINT ck_notices_behavior CHECK (behavior IN ('interactive', 'static')),
        status text NOT NULL CONSTRAINT ck_notices_status CHECK (status IN ('new', 'viewed', 'waiting', 'declined', 'accepted')),
        actor_id bigint CONSTRAINT fk_notices_actor REFERENCES accounts (id) ON DELETE SET NULL,
        path text NOT NULL,
        text text NOT NULL,
        created_ms bigint NOT NULL,
        modified_ms bigint NOT NULL,
        CONSTRAINT ck_notices_kind CHECK (behavior = 'static' OR account_id IS NOT NULL)
      );
      CREATE UNIQUE INDEX uq_notices_question ON notices (account_id, hash) WHERE behavior = 'interactive';
      CREATE INDEX ix_notices_account ON notices (account_id, created_ms, id);
      CREATE INDEX ix_notices_hash ON notices (hash) WHERE behavior = 'interactive';
      CREATE TABLE notice_views (
        notice_id uuid NOT NULL CONSTRAINT fk_notice_views_notice REFERENCES notices (id) ON DELETE CASCADE,
        account_id bigint NOT NULL CONSTRAINT fk_notice_views_account REFERENCES accounts (id) ON DELETE CASCADE,
        PRIMARY KEY (notice_id, account_id)
      );

      CREATE TABLE subscribe_tickets (
        secret_sha256 bytea PRIMARY KEY,
        account_id bigint NOT NULL CONSTRAINT fk_subscribe_tickets_account REFERENCES accounts (id) ON DELETE CASCADE,
        token_id text NOT NULL CONSTRAINT fk_subscribe_tickets_token REFERENCES auth_tokens (id) ON DELETE CASCADE,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX ix_subscribe_tickets_token ON subscribe_tickets (token_id);
      CREATE INDEX ix_subscribe_tickets_expiry ON subscribe_tickets (expires_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE subscribe_tickets, notice_views, notices;
    `);
  }
}
