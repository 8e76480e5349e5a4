import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Spaces, the tree, versions, and the ledgers of bytes. */
export class Nodes1795255260000 implements MigrationInterface {
  name = 'Nodes1795255260000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE EXTENSION IF NOT EXISTS pg_trgm;
      CREATE EXTENSION IF NOT EXISTS btree_gin;

      CREATE TABLE spaces (
        id uuid PRIMARY KEY,
        kind text NOT NULL CONSTRAINT ck_spaces_kind CHECK (kind IN ('account', 'session', 'bucket')),
        account_id bigint NOT NULL CONSTRAINT fk_spaces_account REFERENCES accounts (id),
        root_id uuid NOT NULL,
        trash_revision bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX uq_spaces_account ON spaces (account_id) WHERE kind = 'account';

      -- bytes an account (and the company above it) uses: every version of every node, trash included
      CREATE TABLE quotas (
        owner_kind text NOT NULL CONSTRAINT ck_quotas_owner_kind CHECK (owner_kind IN ('account', 'company')),
        owner_id bigint NOT NULL,
        limit_bytes bigint CONSTRAINT ck_quotas_limit_sign CHECK (limit_bytes > 0),
        soft_limit_bytes bigint CONSTRAINT ck_quotas_soft_limit_sign CHECK (soft_limit_bytes > 0),
        used_bytes bigint NOT NULL DEFAULT 0 CONSTRAINT ck_quotas_used CHECK (used_bytes >= 0),
        reserved_bytes bigint NOT NULL DEFAULT 0 CONSTRAINT ck_quotas_reserved CHECK (reserved_bytes >= 0),
        image_bytes bigint NOT NULL DEFAULT 0,
        audio_bytes bigint NOT NULL DEFAULT 0,
        video_bytes bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (owner_kind, owner_id)
      ) WITH (fillfactor = 50);

      -- one row per object in the store that files use
      CREATE TABLE blobs (
        id uuid PRIMARY KEY,
        store_key text NOT NULL CONSTRAINT uq_blobs_store_key UNIQUE,
        size_bytes bigint NOT NULL CONSTRAINT ck_blobs_size CHECK (size_bytes >= 0),
        md5 text NOT NULL CONSTRAINT ck_blobs_md5 CHECK (md5 ~ '^[0-9a-f]{32}$'),
        sha256 text NOT NULL CONSTRAINT ck_blobs_sha256 CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        crc32 bigint NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX ix_blobs_content ON blobs (md5, size_bytes);

      -- removal: NULL = in place. trashed = root of what a user deleted; purging = being erased by the worker; staged = a copy not finished yet.
      -- A node is live when neither it nor an ancestor has a removal.
      CREATE TABLE nodes (
        id uuid PRIMARY KEY,
        space_id uuid NOT NULL CONSTRAINT fk_nodes_space REFERENCES spaces (id) DEFERRABLE INITIALLY DEFERRED,
        parent_id uuid,
        kind text NOT NULL CONSTRAINT ck_nodes_kind CHECK (kind IN ('folder', 'file')),
        name text NOT NULL,
        name_key text COLLATE "C" NOT NULL,
        current_version_no bigint NOT NULL DEFAULT 0,
        blob_id uuid CONSTRAINT fk_nodes_blob REFERENCES blobs (id),
        size_bytes bigint NOT NULL DEFAULT 0,
        md5 text,
        mime_type text,
        client_created_ms bigint,
        client_modified_ms bigint,
        created_ms bigint NOT NULL,
        modified_ms bigint NOT NULL,
        author_id bigint NOT NULL CONSTRAINT fk_nodes_author REFERENCES accounts (id),
        -- grows with every change of this node or, for a folder, of its listing: the ETag
        revision bigint NOT NULL DEFAULT 1,
        -- live direct children of a folder
        child_files bigint NOT NULL DEFAULT 0,
        child_folders bigint NOT NULL DEFAULT 0,
        child_bytes bigint NOT NULL DEFAULT 0,
        removal text CONSTRAINT ck_nodes_removal CHECK (removal IN ('trashed', 'purging', 'staged')),
        removed_at timestamptz,
        removed_by bigint CONSTRAINT fk_nodes_removed_by REFERENCES accounts (id),
        trash_name text,
        restore_path text,
        -- digest of restore_path without case, to find by it whatever its length
        restore_key text,
        CONSTRAINT uq_nodes_space UNIQUE (space_id, id),
        CONSTRAINT fk_nodes_parent FOREIGN KEY (space_id, parent_id) REFERENCES nodes (space_id, id),
        CONSTRAINT ck_nodes_removed CHECK ((removal IS NULL) = (removed_at IS NULL)),
        CONSTRAINT ck_nodes_root CHECK (parent_id IS NOT NULL OR (kind = 'folder' AND removal IS NULL)),
        CONSTRAINT ck_nodes_not_own_parent CHECK (parent_id <> id),
        CONSTRAINT ck_nodes_file CHECK (kind = 'folder' OR (blob_id IS NOT NULL AND current_version_no > 0))
      ) WITH (fillfactor = 80);
      CREATE UNIQUE INDEX uq_nodes_root ON nodes (space_id) WHERE parent_id IS NULL;
      -- parent first: with the space first, PostgreSQL takes this index for the check of fk_nodes_parent while the table is young and
      -- has no statistics, and reads the whole space for every row that is inserted
      CREATE INDEX ix_nodes_parent ON nodes (parent_id, space_id);
      CREATE INDEX ix_nodes_child_modified ON nodes (parent_id, modified_ms, id) WHERE removal IS NULL;
      CREATE INDEX ix_nodes_child_folders ON nodes (parent_id) WHERE kind = 'folder' AND removal IS NULL;
      -- the last of those that begin with parent_id: among equals without statistics PostgreSQL takes the youngest
      CREATE UNIQUE INDEX uq_nodes_sibling_name ON nodes (parent_id, name_key) WHERE removal IS NULL;
      CREATE INDEX ix_nodes_removal ON nodes (space_id, removal, removed_at, id) WHERE removal IS NOT NULL;
      CREATE UNIQUE INDEX uq_nodes_trash_name ON nodes (space_id, trash_name) WHERE removal = 'trashed';
      CREATE INDEX ix_nodes_restore_key ON nodes (space_id, restore_key, removed_at) WHERE removal = 'trashed';
      CREATE INDEX ix_nodes_name_search ON nodes USING gin (space_id, name_key gin_trgm_ops) WHERE removal IS NULL;
      CREATE INDEX ix_nodes_blob ON nodes (blob_id) WHERE blob_id IS NOT NULL;

      CREATE TABLE versions (
        node_id uuid NOT NULL CONSTRAINT fk_versions_node REFERENCES nodes (id) ON DELETE CASCADE,
        no bigint NOT NULL CONSTRAINT ck_versions_no CHECK (no > 0),
        id uuid NOT NULL CONSTRAINT uq_versions_id UNIQUE,
        space_id uuid NOT NULL,
        blob_id uuid NOT NULL CONSTRAINT fk_versions_blob REFERENCES blobs (id),
        size_bytes bigint NOT NULL,
        md5 text NOT NULL,
        mime_type text NOT NULL,
        media text NOT NULL CONSTRAINT ck_versions_media CHECK (media IN ('image', 'audio', 'video', 'other')),
        origin text NOT NULL DEFAULT 'upload' CONSTRAINT ck_versions_origin CHECK (origin IN ('upload', 'copy', 'restore', 'diff')),
        diff_bytes bigint,
        client_created_ms bigint,
        client_modified_ms bigint,
        author_id bigint NOT NULL,
        device_id text,
        device_reference text,
        created_at timestamptz NOT NULL DEFAULT now(),
        restored_from_at timestamptz,
        PRIMARY KEY (node_id, no)
      );
      CREATE INDEX ix_versions_blob ON versions (blob_id);

      CREATE TABLE favorites (
        account_id bigint NOT NULL CONSTRAINT fk_favorites_account REFERENCES accounts (id) ON DELETE CASCADE,
        node_id uuid NOT NULL CONSTRAINT fk_favorites_node REFERENCES nodes (id) ON DELETE CASCADE,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (account_id, node_id)
      );
      CREATE INDEX ix_favorites_node ON favorites (node_id);

      -- ledger of bytes on their way in: the row is there before the first byte
      CREATE TABLE upload_sessions (
        id uuid PRIMARY KEY,
        temp_name text NOT NULL CONSTRAINT uq_upload_sessions_temp_name UNIQUE,
        store_key text NOT NULL CONSTRAINT uq_upload_sessions_store_key UNIQUE,
        account_id bigint NOT NULL CONSTRAINT fk_upload_sessions_account REFERENCES accounts (id),
        space_id uuid NOT NULL CONSTRAINT fk_upload_sessions_space REFERENCES spaces (id),
        state text NOT NULL CONSTRAINT ck_upload_sessions_state CHECK (state IN ('reserved', 'uploaded', 'committed', 'abandoned')),
        multipart boolean NOT NULL DEFAULT false,
        multipart_id text,
        command jsonb NOT NULL,
        declared_bytes bigint,
        declared_md5 text,
        reserved_bytes bigint NOT NULL DEFAULT 0,
        size_bytes bigint,
        md5 text,
        sha256 text,
        crc32 bigint,
        node_id uuid,
        version_no bigint,
        created_at timestamptz NOT NULL DEFAULT now(),
        -- when the first whole upload began: the next one gets an object of its own
        opened_at timestamptz,
        lease_until timestamptz NOT NULL
      ) WITH (fillfactor = 60);
      CREATE INDEX ix_upload_sessions_lease ON upload_sessions (lease_until);
      CREATE INDEX ix_upload_sessions_account ON upload_sessions (account_id, created_at);

      -- ledger of objects made for a download: archives, listings
      CREATE TABLE derived_objects (
        store_key text PRIMARY KEY,
        account_id bigint NOT NULL,
        kind text NOT NULL CONSTRAINT ck_derived_objects_kind CHECK (kind IN ('archive', 'listing', 'diff')),
        file_name text NOT NULL,
        content_type text NOT NULL,
        ready boolean NOT NULL DEFAULT false,
        size_bytes bigint,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX ix_derived_objects_expiry ON derived_objects (expires_at);

      -- blobs that may have lost their last version; looked at again after the grace period
      CREATE TABLE blob_candidates (
        blob_id uuid PRIMARY KEY CONSTRAINT fk_blob_candidates_blob REFERENCES blobs (id) ON DELETE CASCADE,
        due_at timestamptz NOT NULL
      );
      CREATE INDEX ix_blob_candidates_due ON blob_candidates (due_at);

      -- objects to be deleted from the store; a failing one waits alone
      CREATE TABLE object_tombstones (
        store_key text PRIMARY KEY,
        multipart_id text,
        attempts integer NOT NULL DEFAULT 0,
        last_error text,
        due_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX ix_object_tombstones_due ON object_tombstones (due_at);

      -- objects that no ledger knew: set aside by fsck for a person to look at, never deleted by us
      CREATE TABLE quarantined_objects (
        store_key text PRIMARY KEY,
        found_key text NOT NULL,
        size_bytes bigint NOT NULL,
        found_at timestamptz NOT NULL DEFAULT now()
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE quarantined_objects, object_tombstones, blob_candidates, derived_objects, upload_sessions, favorites, versions, nodes, blobs, quotas, spaces;
    `);
  }
}
