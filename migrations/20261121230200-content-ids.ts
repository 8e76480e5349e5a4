import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Names of contents by their bytes, and what it takes to open contents that are sealed with a passphrase. */
export class ContentIds1795302120000 implements MigrationInterface {
  name = 'ContentIds1795302120000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- a row without a cid waits to be computed; \`links\` are the blocks right below the root, in order, as [cid, bytes]
      CREATE TABLE content_ids (
        blob_id uuid PRIMARY KEY CONSTRAINT fk_content_ids_blob REFERENCES blobs (id) ON DELETE CASCADE,
        cid text CONSTRAINT ck_content_ids_cid CHECK (cid ~ '^Qm[1-9A-HJ-NP-Za-km-z]{44}$'),
        links jsonb,
        asked_at timestamptz NOT NULL DEFAULT now(),
        attempts integer NOT NULL DEFAULT 0,
        lease_until timestamptz,
        CONSTRAINT ck_content_ids_links CHECK ((cid IS NULL) = (links IS NULL))
      );
      CREATE INDEX ix_content_ids_waiting ON content_ids (asked_at) WHERE cid IS NULL;

      CREATE TABLE sealed_blobs (
        blob_id uuid PRIMARY KEY CONSTRAINT fk_sealed_blobs_blob REFERENCES blobs (id) ON DELETE CASCADE,
        memory_kib integer NOT NULL,
        passes integer NOT NULL,
        lanes integer NOT NULL,
        salt bytea NOT NULL CONSTRAINT ck_sealed_blobs_salt CHECK (octet_length(salt) = 16),
        nonce bytea NOT NULL CONSTRAINT ck_sealed_blobs_nonce CHECK (octet_length(nonce) = 12),
        tag bytea NOT NULL CONSTRAINT ck_sealed_blobs_tag CHECK (octet_length(tag) = 16)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE sealed_blobs;
      DROP TABLE content_ids;
    `);
  }
}
