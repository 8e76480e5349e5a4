import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Files that are opened by their id, keys that open one file for a while, and types of content that were declared. */
export class FileAccess1795302180000 implements MigrationInterface {
  name = 'FileAccess1795302180000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Who may have a file by its id alone, beside those who have rights on the tree. With a link: anybody, as far as that link opens (it goes with the
      -- link, whoever ends that); without one: the accounts that have grants on the file. No row: nobody.
      CREATE TABLE file_access (
        node_id uuid PRIMARY KEY CONSTRAINT fk_file_access_node REFERENCES nodes (id) ON DELETE CASCADE,
        link_id uuid CONSTRAINT uq_file_access_link UNIQUE CONSTRAINT fk_file_access_link REFERENCES links (id) ON DELETE CASCADE
      );

      -- a pass for one file that ends by itself; good for as often as it is used until then
      CREATE TABLE file_keys (
        id uuid PRIMARY KEY,
        node_id uuid NOT NULL CONSTRAINT fk_file_keys_node REFERENCES nodes (id) ON DELETE CASCADE,
        issuer_id bigint NOT NULL CONSTRAINT fk_file_keys_issuer REFERENCES accounts (id) ON DELETE CASCADE,
        secret_sha256 bytea NOT NULL CONSTRAINT uq_file_keys_secret UNIQUE,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX ix_file_keys_node ON file_keys (node_id);
      CREATE INDEX ix_file_keys_issuer ON file_keys (issuer_id);
      CREATE INDEX ix_file_keys_expiry ON file_keys (expires_at);

      -- what whoever brought a version said that it is, where its name says something else
      CREATE TABLE declared_types (
        node_id uuid PRIMARY KEY CONSTRAINT fk_declared_types_node REFERENCES nodes (id) ON DELETE CASCADE,
        version_no bigint NOT NULL,
        content_type text NOT NULL CONSTRAINT ck_declared_types_length CHECK (length(content_type) <= 127)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE declared_types;
      DROP TABLE file_keys;
      DROP TABLE file_access;
    `);
  }
}
