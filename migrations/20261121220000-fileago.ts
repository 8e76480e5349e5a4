import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Names of people and groups for programs that know no numbers, keys that go into URLs, upload tickets, and the folders that stand for places. */
export class Fileago1795298400000 implements MigrationInterface {
  name = 'Fileago1795298400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE accounts ADD COLUMN public_id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT uq_accounts_public_id UNIQUE;
      ALTER TABLE groups ADD COLUMN public_id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT uq_groups_public_id UNIQUE;

      -- a second secret of a token, which goes into URLs and is good for fetching bytes only
      CREATE TABLE token_keys (
        token_id text PRIMARY KEY CONSTRAINT fk_token_keys_token REFERENCES auth_tokens (id) ON DELETE CASCADE,
        secret_sha256 bytea NOT NULL CONSTRAINT uq_token_keys_secret UNIQUE
      );

      -- leave to bring one upload to one place, within seconds and once
      CREATE TABLE upload_tickets (
        secret_sha256 bytea PRIMARY KEY,
        account_id bigint NOT NULL CONSTRAINT fk_upload_tickets_account REFERENCES accounts (id) ON DELETE CASCADE,
        token_id text CONSTRAINT fk_upload_tickets_token REFERENCES auth_tokens (id) ON DELETE CASCADE,
        node_id uuid NOT NULL,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX ix_upload_tickets_expiry ON upload_tickets (expires_at);
      CREATE INDEX ix_upload_tickets_account ON upload_tickets (account_id);
      CREATE INDEX ix_upload_tickets_token ON upload_tickets (token_id) WHERE token_id IS NOT NULL;

      -- the folders that stand for places of a person or a group; node_id is no foreign key: a folder that is gone is made anew when it is needed
      CREATE TABLE places (
        account_id bigint CONSTRAINT fk_places_account REFERENCES accounts (id) ON DELETE CASCADE,
        group_id bigint CONSTRAINT fk_places_group REFERENCES groups (id) ON DELETE CASCADE,
        kind text NOT NULL CONSTRAINT ck_places_kind CHECK (kind IN ('home', 'incoming')),
        node_id uuid NOT NULL,
        CONSTRAINT ck_places_owner CHECK ((account_id IS NULL) <> (group_id IS NULL))
      );
      CREATE UNIQUE INDEX uq_places_account ON places (account_id, kind) WHERE account_id IS NOT NULL;
      CREATE UNIQUE INDEX uq_places_group ON places (group_id, kind) WHERE group_id IS NOT NULL;
      CREATE INDEX ix_places_node ON places (node_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE places;
      DROP TABLE upload_tickets;
      DROP TABLE token_keys;
      ALTER TABLE groups DROP COLUMN public_id;
      ALTER TABLE accounts DROP COLUMN public_id;
    `);
  }
}
