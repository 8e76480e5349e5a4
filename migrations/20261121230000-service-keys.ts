import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys that people make for programs of theirs. */
export class ServiceKeys1795302000000 implements MigrationInterface {
  name = 'ServiceKeys1795302000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- each is a token of its account as well, so that whatever ends tokens ends keys
      CREATE TABLE service_keys (
        id uuid PRIMARY KEY,
        token_id text NOT NULL CONSTRAINT uq_service_keys_token UNIQUE
          CONSTRAINT fk_service_keys_token REFERENCES auth_tokens (id) ON DELETE CASCADE,
        account_id bigint NOT NULL CONSTRAINT fk_service_keys_account REFERENCES accounts (id) ON DELETE CASCADE,
        kind text NOT NULL CONSTRAINT ck_service_keys_kind CHECK (kind IN ('client', 'storage', 'developer')),
        name text NOT NULL,
        public_id text CONSTRAINT uq_service_keys_public_id UNIQUE,
        -- argon2id, beside a public id; the secret of a key without one is its token's
        secret_hash text,
        secret_hint text NOT NULL,
        -- what it reaches; null = all of its kind that the account has
        scope text[],
        created_at timestamptz NOT NULL,
        CONSTRAINT ck_service_keys_pair CHECK ((public_id IS NULL) = (secret_hash IS NULL))
      );
      CREATE INDEX ix_service_keys_account ON service_keys (account_id, kind, created_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    // their tokens are good for nothing else
    await runner.query('DELETE FROM auth_tokens WHERE id IN (SELECT token_id FROM service_keys)');
    await runner.query('DROP TABLE service_keys');
  }
}
