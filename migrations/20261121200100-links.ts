import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Public links, complaints about them, and tasks that a holder of a link has started. */
export class Links1795291260000 implements MigrationInterface {
  name = 'Links1795291260000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE links (
        id uuid PRIMARY KEY,
        node_id uuid NOT NULL CONSTRAINT fk_links_node REFERENCES nodes (id) ON DELETE CASCADE,
        issuer_id bigint NOT NULL CONSTRAINT fk_links_issuer REFERENCES accounts (id) ON DELETE CASCADE,
        -- kept as it is, because its issuer's list tells it
        hash text NOT NULL CONSTRAINT uq_links_hash UNIQUE CONSTRAINT ck_links_hash CHECK (length(hash) >= 22),
        rights text NOT NULL CONSTRAINT ck_links_rights CHECK (rights IN ('download', 'upload')),
        password_hash text,
        expires_at timestamptz,
        -- 0 = not limited
        download_max bigint NOT NULL DEFAULT 0 CONSTRAINT ck_links_download_max CHECK (download_max >= 0),
        download_count bigint NOT NULL DEFAULT 0 CONSTRAINT ck_links_download_count CHECK (download_count >= 0),
        notify boolean NOT NULL DEFAULT false,
        -- set while an accepted complaint names the link
        blocked_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_links_node_issuer UNIQUE (node_id, issuer_id)
      );
      CREATE INDEX ix_links_issuer ON links (issuer_id, created_at);

      -- nodes.linked is true exactly while the node has a link, whoever removes the last one: a person, a cascade, the end of an account.
      -- The node is locked first, so that two who remove the last two links see each other.
      CREATE FUNCTION mark_linked_node() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE target uuid := CASE TG_OP WHEN 'INSERT' THEN NEW.node_id ELSE OLD.node_id END;
        BEGIN
          PERFORM 1 FROM nodes WHERE id = target FOR NO KEY UPDATE;
          UPDATE nodes SET linked = NOT linked WHERE id = target AND linked <> EXISTS (SELECT 1 FROM links WHERE node_id = target);
          RETURN NULL;
        END
      $$;
      CREATE TRIGGER tr_links_mark_node AFTER INSERT OR DELETE ON links FOR EACH ROW EXECUTE FUNCTION mark_linked_node();

      ALTER TABLE companies ADD COLUMN public_links_allow boolean NOT NULL DEFAULT true;

      CREATE TABLE complaints (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        status text NOT NULL DEFAULT 'new' CONSTRAINT ck_complaints_status CHECK (status IN ('new', 'accepted', 'declined')),
        content_type text NOT NULL,
        -- as they were given
        urls text[] NOT NULL,
        description text NOT NULL,
        copyright_holder text NOT NULL,
        name text NOT NULL,
        sign text NOT NULL,
        email text NOT NULL,
        position text NOT NULL DEFAULT '',
        phone text NOT NULL DEFAULT '',
        fax text NOT NULL DEFAULT '',
        address text NOT NULL DEFAULT '',
        city text NOT NULL DEFAULT '',
        region text NOT NULL DEFAULT '',
        postcode bigint,
        country text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX ix_complaints_status ON complaints (status, id);
      -- what a complaint names: it stays when the link is deleted, so that a new link to the same node brings nothing
      CREATE TABLE complaint_links (
        complaint_id bigint NOT NULL CONSTRAINT fk_complaint_links_complaint REFERENCES complaints (id) ON DELETE CASCADE,
        hash text NOT NULL,
        node_id uuid CONSTRAINT fk_complaint_links_node REFERENCES nodes (id) ON DELETE SET NULL,
        PRIMARY KEY (complaint_id, hash)
      );
      CREATE INDEX ix_complaint_links_hash ON complaint_links (hash);
      CREATE INDEX ix_complaint_links_node ON complaint_links (node_id) WHERE node_id IS NOT NULL;

      -- who started a task without an account: the pass he held
      ALTER TABLE tasks ADD COLUMN guest jsonb, ADD CONSTRAINT ck_tasks_guest CHECK (guest IS NULL OR account_id IS NULL);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE tasks DROP COLUMN guest;
      DROP TABLE complaint_links, complaints;
      ALTER TABLE companies DROP COLUMN public_links_allow;
      DROP TABLE links;
      DROP FUNCTION mark_linked_node();
    `);
  }
}
