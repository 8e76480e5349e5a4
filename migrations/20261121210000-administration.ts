import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What administrators decide: locks, deletion with a way back, acting as others, settings, key values, offers, client programs, feedback. */
export class Administration1795294800000 implements MigrationInterface {
  name = 'Administration1795294800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE accounts
        ADD COLUMN blocked_at timestamptz,
        ADD COLUMN block_reason text NOT NULL DEFAULT '',
        -- what a deleted account is again when it is restored
        ADD COLUMN state_before_deletion text CONSTRAINT ck_accounts_state_before CHECK (state_before_deletion IN ('pending', 'active', 'disabled')),
        -- from then on it can not be restored any more
        ADD COLUMN erase_started_at timestamptz,
        -- how often an administrator ended a lock: tries before that do not count any more
        ADD COLUMN unlocks integer NOT NULL DEFAULT 0;
      CREATE INDEX ix_accounts_deleted ON accounts (deleted_at) WHERE state = 'deleted';
      CREATE INDEX ix_accounts_role ON accounts (role, id) WHERE role <> 'user';
      CREATE INDEX ix_auth_tokens_effective ON auth_tokens (effective_account_id) WHERE effective_account_id IS NOT NULL;
      CREATE INDEX ix_login_guards_locked ON login_guards (locked_until) WHERE locked_until IS NOT NULL;

      -- who acted as whom, and when
      CREATE TABLE impersonations (
        id uuid PRIMARY KEY,
        admin_id bigint CONSTRAINT fk_impersonations_admin REFERENCES accounts (id) ON DELETE SET NULL,
        account_id bigint CONSTRAINT fk_impersonations_account REFERENCES accounts (id) ON DELETE SET NULL,
        token_id text NOT NULL,
        started_at timestamptz NOT NULL,
        ended_at timestamptz
      );
      CREATE INDEX ix_impersonations_open ON impersonations (token_id) WHERE ended_at IS NULL;
      CREATE INDEX ix_impersonations_admin ON impersonations (admin_id);
      CREATE INDEX ix_impersonations_account ON impersonations (account_id);

      CREATE TABLE settings (
        name text PRIMARY KEY,
        value jsonb NOT NULL,
        updated_at timestamptz NOT NULL,
        updated_by bigint CONSTRAINT fk_settings_updated_by REFERENCES accounts (id) ON DELETE SET NULL
      );
      CREATE TABLE key_values (
        key text PRIMARY KEY,
        value jsonb NOT NULL,
        -- who may read it
        rights text NOT NULL CONSTRAINT ck_key_values_rights CHECK (rights IN ('all', 'user', 'admin')),
        updated_at timestamptz NOT NULL,
        updated_by bigint CONSTRAINT fk_key_values_updated_by REFERENCES accounts (id) ON DELETE SET NULL
      );
      CREATE TABLE offer_acceptances (
        account_id bigint PRIMARY KEY CONSTRAINT fk_offer_acceptances_account REFERENCES accounts (id) ON DELETE CASCADE,
        -- of the text that was accepted
        offer_sha256 bytea NOT NULL,
        accepted_at timestamptz NOT NULL
      );

      -- competition: 0 = for everybody, n = for accounts whose id is a multiple of n
      CREATE TABLE soft_versions (
        platform text NOT NULL,
        version text NOT NULL,
        link text NOT NULL,
        description text NOT NULL DEFAULT '',
        critical boolean NOT NULL DEFAULT false,
        competition bigint NOT NULL CONSTRAINT ck_soft_versions_competition CHECK (competition >= 0),
        created_at timestamptz NOT NULL,
        PRIMARY KEY (platform, version)
      );
      CREATE INDEX ix_soft_versions_newest ON soft_versions (platform, created_at DESC);
      CREATE TABLE soft_updates (
        platform text NOT NULL,
        version_base text NOT NULL,
        link_base text NOT NULL,
        version_exp text NOT NULL DEFAULT '',
        link_exp text NOT NULL DEFAULT '',
        competition bigint NOT NULL CONSTRAINT ck_soft_updates_competition CHECK (competition >= 0),
        created_at timestamptz NOT NULL,
        PRIMARY KEY (platform, version_base)
      );
      CREATE INDEX ix_soft_updates_newest ON soft_updates (platform, created_at DESC);

      CREATE TABLE feedback (
        id uuid PRIMARY KEY,
        account_id bigint CONSTRAINT fk_feedback_account REFERENCES accounts (id) ON DELETE SET NULL,
        text text NOT NULL,
        name text NOT NULL,
        email text NOT NULL,
        user_agent text NOT NULL,
        created_at timestamptz NOT NULL,
        -- lets one log in, for a while
        ticket_sha256 bytea CONSTRAINT uq_feedback_ticket UNIQUE,
        ticket_expires_at timestamptz,
        -- an object of derived_objects, which ends by itself
        log_key text CONSTRAINT uq_feedback_log UNIQUE
      );
      CREATE INDEX ix_feedback_created ON feedback (created_at, id);
      CREATE INDEX ix_feedback_account ON feedback (account_id);
      ALTER TABLE derived_objects
        DROP CONSTRAINT ck_derived_objects_kind,
        ADD CONSTRAINT ck_derived_objects_kind CHECK (kind IN ('archive', 'listing', 'diff', 'rendition', 'log'));
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      WITH gone AS (DELETE FROM derived_objects WHERE kind = 'log' RETURNING store_key)
        INSERT INTO object_tombstones (store_key, due_at) SELECT store_key, now() FROM gone
        ON CONFLICT (store_key) DO UPDATE SET due_at = excluded.due_at, attempts = 0;
      ALTER TABLE derived_objects
        DROP CONSTRAINT ck_derived_objects_kind,
        ADD CONSTRAINT ck_derived_objects_kind CHECK (kind IN ('archive', 'listing', 'diff', 'rendition'));
      DROP TABLE feedback, soft_updates, soft_versions, offer_acceptances, key_values, settings, impersonations;
      DROP INDEX ix_login_guards_locked, ix_auth_tokens_effective, ix_accounts_role, ix_accounts_deleted;
      ALTER TABLE accounts
        DROP COLUMN unlocks, DROP COLUMN erase_started_at, DROP COLUMN state_before_deletion, DROP COLUMN block_reason, DROP COLUMN blocked_at;
    `);
  }
}
