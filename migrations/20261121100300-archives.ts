import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Links by which a browser fetches an archive as it is written. */
export class Archives1795255380000 implements MigrationInterface {
  name = 'Archives1795255380000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE archive_streams (
        -- 64 hex characters: the whole right to the bytes, for a day. Kept as it is, because its owner's list of streams tells it
        private_hash text PRIMARY KEY,
        account_id bigint NOT NULL CONSTRAINT fk_archive_streams_account REFERENCES accounts (id) ON DELETE CASCADE,
        -- what was chosen: [{id, folders}], folders being the names above it in the archive
        roots jsonb NOT NULL,
        windows boolean NOT NULL,
        label text NOT NULL,
        file_name text NOT NULL,
        status text NOT NULL DEFAULT 'created' CONSTRAINT ck_archive_streams_status CHECK (status IN ('created', 'in_progress', 'completed', 'error')),
        progress real NOT NULL DEFAULT 0 CONSTRAINT ck_archive_streams_progress CHECK (progress BETWEEN 0 AND 100),
        -- the archive that was last given out; parts of another one must not be joined to it
        etag text,
        created_at timestamptz NOT NULL,
        modified_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX ix_archive_streams_account ON archive_streams (account_id, created_at);
      CREATE INDEX ix_archive_streams_expiry ON archive_streams (expires_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE archive_streams;');
  }
}
