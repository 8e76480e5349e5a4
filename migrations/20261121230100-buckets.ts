import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Spaces that programs keep files in by name. */
export class Buckets1795302060000 implements MigrationInterface {
  name = 'Buckets1795302060000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE buckets (
        space_id uuid PRIMARY KEY CONSTRAINT fk_buckets_space REFERENCES spaces (id) ON DELETE CASCADE,
        account_id bigint NOT NULL CONSTRAINT fk_buckets_account REFERENCES accounts (id) ON DELETE CASCADE,
        name text COLLATE "C" NOT NULL,
        plan text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_buckets_name UNIQUE (account_id, name)
      );

      -- what a file in a bucket is beside what every file is; no row = nobody but the owner, and nothing said
      CREATE TABLE bucket_files (
        node_id uuid PRIMARY KEY CONSTRAINT fk_bucket_files_node REFERENCES nodes (id) ON DELETE CASCADE,
        public boolean NOT NULL DEFAULT false,
        metadata jsonb NOT NULL DEFAULT '{}'
      );

      -- bytes that left a bucket in a month (UTC)
      CREATE TABLE bucket_traffic (
        space_id uuid NOT NULL CONSTRAINT fk_bucket_traffic_space REFERENCES spaces (id) ON DELETE CASCADE,
        month date NOT NULL,
        bytes bigint NOT NULL,
        PRIMARY KEY (space_id, month)
      );
      CREATE INDEX ix_spaces_others ON spaces (account_id) WHERE kind <> 'account';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX ix_spaces_others; DROP TABLE bucket_traffic, bucket_files, buckets;');
  }
}
