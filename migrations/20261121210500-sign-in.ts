import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Second factors, and who people are at the identity providers and directories of their companies. */
export class SignIn1795295100000 implements MigrationInterface {
  name = 'SignIn1795295100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE second_factors (
        account_id bigint PRIMARY KEY CONSTRAINT fk_second_factors_account REFERENCES accounts (id) ON DELETE CASCADE,
        sealed_secret text NOT NULL,
        -- null: its owner has not shown yet that a program knows the secret; it is not asked for until then
        confirmed_at timestamptz,
        created_at timestamptz NOT NULL
      );
      CREATE TABLE recovery_codes (
        account_id bigint NOT NULL CONSTRAINT fk_recovery_codes_factor REFERENCES second_factors (account_id) ON DELETE CASCADE,
        code_hash bytea NOT NULL,
        PRIMARY KEY (account_id, code_hash)
      );
      -- codes that are used up: counted beside the call that brings one, as failed passwords are, so that no refusal of the call gives one back
      CREATE TABLE second_factor_uses (
        account_id bigint PRIMARY KEY CONSTRAINT fk_second_factor_uses_factor REFERENCES second_factors (account_id) ON DELETE CASCADE,
        -- the newest time step (RFC 6238) whose code was taken; only codes of later ones are
        last_step bigint NOT NULL DEFAULT 0,
        recovery_used bytea[] NOT NULL DEFAULT '{}'
      );

      -- scope: 'company:<id>' of the company whose provider or directory said it, or 'google'; subject is what that one calls the person
      CREATE TABLE account_identities (
        scope text NOT NULL,
        issuer text NOT NULL,
        subject text NOT NULL,
        account_id bigint NOT NULL CONSTRAINT fk_account_identities_account REFERENCES accounts (id) ON DELETE CASCADE,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (scope, issuer, subject)
      );
      CREATE INDEX ix_account_identities_account ON account_identities (account_id);

      CREATE TABLE identity_providers (
        company_id bigint PRIMARY KEY CONSTRAINT fk_identity_providers_company REFERENCES companies (id) ON DELETE CASCADE,
        issuer text NOT NULL,
        client_id text NOT NULL,
        sealed_secret text NOT NULL DEFAULT '',
        -- of the addresses that may be linked to members
        domains text[] NOT NULL,
        auto_create boolean NOT NULL DEFAULT false,
        changed_at timestamptz NOT NULL
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE identity_providers, account_identities, second_factor_uses, recovery_codes, second_factors');
  }
}
