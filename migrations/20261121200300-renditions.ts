import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Previews of contents: what is made, what waits to be made, and whose turn it is. */
export class Renditions1795291380000 implements MigrationInterface {
  name = 'Renditions1795291380000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE derived_objects
        DROP CONSTRAINT ck_derived_objects_kind,
        ADD CONSTRAINT ck_derived_objects_kind CHECK (kind IN ('archive', 'listing', 'diff', 'rendition'));

      -- One content, taken for one format: the same bytes may be called a picture by one file and a text by another.
      CREATE TABLE previews (
        blob_id uuid NOT NULL CONSTRAINT fk_previews_blob REFERENCES blobs (id) ON DELETE CASCADE,
        format text NOT NULL CONSTRAINT ck_previews_format CHECK (format IN ('image', 'video', 'pdf', 'office', 'text', 'pdf-pages', 'office-pages', 'text-pages')),
        state text NOT NULL DEFAULT 'new' CONSTRAINT ck_previews_state CHECK (state IN ('new', 'processing', 'ready', 'error', 'unsupported')),
        -- renditions that are there
        kinds text[] NOT NULL DEFAULT '{}',
        metainfo jsonb,
        -- why there is none
        reason text,
        -- whose queue it waits in: a company, or minus the account that has none
        tenant_id bigint NOT NULL,
        -- somebody waits for it
        urgent boolean NOT NULL DEFAULT false,
        attempts integer NOT NULL DEFAULT 0,
        requested_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz,
        -- a run that has not ended by then is lost
        lease_until timestamptz,
        PRIMARY KEY (blob_id, format)
      );
      CREATE INDEX ix_previews_waiting ON previews (tenant_id, urgent, requested_at) WHERE state = 'new';
      CREATE INDEX ix_previews_lease ON previews (lease_until) WHERE state = 'processing';

      -- Those who have something waiting, and when they had their last turn.
      CREATE TABLE preview_turns (
        tenant_id bigint NOT NULL,
        urgent boolean NOT NULL,
        served_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (tenant_id, urgent)
      );
      CREATE INDEX ix_preview_turns_served ON preview_turns (urgent, served_at);

      -- Objects of a preview. Each is an object of the ledger derived_objects, without an end as long as its row is here.
      CREATE TABLE renditions (
        blob_id uuid NOT NULL,
        format text NOT NULL,
        kind text NOT NULL CONSTRAINT ck_renditions_kind CHECK (kind ~ '^(small|middle|preview|pdf|page-[0-9]{1,4})$'),
        store_key text NOT NULL CONSTRAINT uq_renditions_store_key UNIQUE,
        content_type text NOT NULL,
        size_bytes bigint NOT NULL,
        PRIMARY KEY (blob_id, format, kind),
        CONSTRAINT fk_renditions_preview FOREIGN KEY (blob_id, format) REFERENCES previews (blob_id, format) ON DELETE CASCADE
      );
      -- Whatever removes or replaces a rendition (the end of its content above all), its object goes with it.
      CREATE FUNCTION expire_rendition() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          UPDATE derived_objects SET ready = false, expires_at = now() WHERE store_key = OLD.store_key;
          RETURN NULL;
        END
      $$;
      CREATE TRIGGER tr_renditions_gone AFTER DELETE ON renditions FOR EACH ROW EXECUTE FUNCTION expire_rendition();
      CREATE TRIGGER tr_renditions_replaced AFTER UPDATE OF store_key ON renditions
        FOR EACH ROW WHEN (OLD.store_key <> NEW.store_key) EXECUTE FUNCTION expire_rendition();

      -- How far new versions have been looked at: ids grow with time.
      CREATE TABLE preview_scan (
        only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT ck_preview_scan_one CHECK (only_row),
        after_id uuid NOT NULL
      );
      INSERT INTO preview_scan (after_id) VALUES ('00000000-0000-0000-0000-000000000000');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE preview_scan, renditions, preview_turns, previews;
      DROP FUNCTION expire_rendition();
      WITH gone AS (DELETE FROM derived_objects WHERE kind = 'rendition' RETURNING store_key)
      INSERT INTO object_tombstones (store_key, due_at) SELECT store_key, now() FROM gone ON CONFLICT (store_key) DO NOTHING;
      ALTER TABLE derived_objects
        DROP CONSTRAINT ck_derived_objects_kind,
        ADD CONSTRAINT ck_derived_objects_kind CHECK (kind IN ('archive', 'listing', 'diff'));
    `);
  }
}
