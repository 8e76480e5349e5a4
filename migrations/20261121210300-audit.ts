import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who changed what: one record for each call, written in the transaction of the change, and chained afterwards. */
export class Audit1795294980000 implements MigrationInterface {
  name = 'Audit1795294980000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit_records (
        -- UUID v7: its order is that of time
        id uuid PRIMARY KEY,
        at_ms bigint NOT NULL,
        action text NOT NULL,
        outcome text NOT NULL CONSTRAINT ck_audit_records_outcome CHECK (outcome IN ('changed', 'unchanged', 'refused')),
        error text,
        dialect text NOT NULL,
        -- no foreign keys: a record outlives what it tells of
        actor_id bigint,
        impersonator_id bigint,
        company_id bigint,
        credential text,
        client text NOT NULL,
        address text NOT NULL,
        request_id text NOT NULL,
        -- json, not jsonb: the text is part of what is signed
        subjects json NOT NULL,
        params json NOT NULL,
        -- keyed hash of all of the above
        mac bytea NOT NULL,
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        -- place in the chain and hash of the chain up to here; null until the record is sealed
        position bigint CONSTRAINT uq_audit_records_position UNIQUE,
        hash bytea,
        CONSTRAINT ck_audit_records_sealed CHECK ((position IS NULL) = (hash IS NULL))
      );
      CREATE INDEX ix_audit_records_unsealed ON audit_records (id) WHERE position IS NULL;
      CREATE INDEX ix_audit_records_company ON audit_records (company_id, id) WHERE company_id IS NOT NULL;

      -- where the chain begins (what is older has been removed) and ends, signed; one row
      CREATE TABLE audit_heads (
        one boolean PRIMARY KEY DEFAULT true CONSTRAINT ck_audit_heads_one CHECK (one),
        base_position bigint NOT NULL,
        base_hash bytea NOT NULL,
        position bigint NOT NULL,
        hash bytea NOT NULL,
        sealed_at timestamptz NOT NULL,
        mac bytea NOT NULL
      );

      -- STRICT: without a record nothing is called, so statements can always ask for it
      CREATE FUNCTION audit_write(record json) RETURNS void LANGUAGE plpgsql STRICT AS $$
        BEGIN
          INSERT INTO audit_records (id, at_ms, action, outcome, error, dialect, actor_id, impersonator_id, company_id, credential, client, address, request_id,
                                     subjects, params, mac)
          SELECT r.id, r.at_ms, r.action, r.outcome, r.error, r.dialect, r.actor_id, r.impersonator_id, r.company_id, r.credential, r.client, r.address, r.request_id,
                 r.subjects, r.params, decode(r.mac, 'hex')
            FROM json_to_record(record) AS r (id uuid, at_ms bigint, action text, outcome text, error text, dialect text, actor_id bigint, impersonator_id bigint,
                 company_id bigint, credential text, client text, address text, request_id text, subjects json, params json, mac text);
        END
      $$;

      -- A guard against mistakes, not against whoever owns the database: for that there are the hashes.
      CREATE FUNCTION audit_records_keep() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'UPDATE' AND OLD.position IS NULL AND NEW.position IS NOT NULL
             AND (to_jsonb(NEW) - 'position' - 'hash') = (to_jsonb(OLD) - 'position' - 'hash') THEN
            RETURN NEW;
          END IF;
          IF TG_OP = 'DELETE' AND current_setting('stowage.audit_retention', true) = 'on' THEN RETURN OLD; END IF;
          RAISE EXCEPTION 'audit records are kept as they are (%)', TG_OP USING ERRCODE = 'insufficient_privilege';
        END
      $$;
      CREATE TRIGGER tr_audit_records_keep BEFORE UPDATE OR DELETE ON audit_records FOR EACH ROW EXECUTE FUNCTION audit_records_keep();
      CREATE TRIGGER tr_audit_records_truncate BEFORE TRUNCATE ON audit_records FOR EACH STATEMENT EXECUTE FUNCTION audit_records_keep();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE audit_heads, audit_records;
      DROP FUNCTION audit_records_keep();
      DROP FUNCTION audit_write(json);
    `);
  }
}
