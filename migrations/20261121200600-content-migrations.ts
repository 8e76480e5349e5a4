import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Shared folders on their way to another owner, requests to copy files over to somebody else, and how many members a company may have. */
export class ContentMigrations1795291560000 implements MigrationInterface {
  name = 'ContentMigrations1795291560000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE companies
        -- how many members it may have; 0 = not limited
        ADD COLUMN quota_employees_count bigint NOT NULL DEFAULT 0 CONSTRAINT ck_companies_employees CHECK (quota_employees_count >= 0);

      -- one row while a folder is being given to one of its members
      CREATE TABLE handovers (
        node_id uuid PRIMARY KEY CONSTRAINT fk_handovers_node REFERENCES nodes (id) ON DELETE CASCADE,
        owner_id bigint NOT NULL CONSTRAINT fk_handovers_owner REFERENCES accounts (id) ON DELETE CASCADE,
        member_id bigint NOT NULL CONSTRAINT fk_handovers_member REFERENCES accounts (id) ON DELETE CASCADE,
        -- the row by which the member had the folder, its name before, and the one it has meanwhile
        mount_id uuid NOT NULL,
        mount_name text NOT NULL,
        waiting_name text NOT NULL,
        task_public_id text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );

      CREATE TABLE content_migrations (
        id uuid PRIMARY KEY,
        hash text NOT NULL CONSTRAINT uq_content_migrations_hash UNIQUE CONSTRAINT ck_content_migrations_hash CHECK (length(hash) >= 22),
        owner_id bigint NOT NULL CONSTRAINT fk_content_migrations_owner REFERENCES accounts (id) ON DELETE CASCADE,
        receiver_id bigint NOT NULL CONSTRAINT fk_content_migrations_receiver REFERENCES accounts (id) ON DELETE CASCADE,
        -- the folder that is copied; the root of the home for everything
        node_id uuid CONSTRAINT fk_content_migrations_node REFERENCES nodes (id) ON DELETE SET NULL,
        src_path text NOT NULL,
        dst_path text NOT NULL DEFAULT '',
        invitation text NOT NULL DEFAULT '',
        cleanup boolean NOT NULL DEFAULT false,
        status text NOT NULL DEFAULT 'requested'
          CONSTRAINT ck_content_migrations_status CHECK (status IN ('requested', 'accepted', 'done', 'failed')),
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
      );
      CREATE UNIQUE INDEX uq_content_migrations_open ON content_migrations (node_id, receiver_id) WHERE status = 'requested';
      CREATE INDEX ix_content_migrations_owner ON content_migrations (owner_id, created_at);
      CREATE INDEX ix_content_migrations_receiver ON content_migrations (receiver_id, created_at);
      CREATE INDEX ix_content_migrations_node ON content_migrations (node_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE content_migrations, handovers;
      ALTER TABLE companies DROP COLUMN quota_employees_count;
    `);
  }
}
