import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What companies decide for themselves: settings, logo, payment; who asked for more space; and how far the wiping of a device has come. */
export class CompanySettings1795294860000 implements MigrationInterface {
  name = 'CompanySettings1795294860000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE companies
        -- what differs from the defaults, by name; checked where it is written
        ADD COLUMN settings jsonb NOT NULL DEFAULT '{}' CONSTRAINT ck_companies_settings CHECK (jsonb_typeof(settings) = 'object'),
        ADD COLUMN reference_email text NOT NULL DEFAULT '',
        ADD COLUMN payment_method text NOT NULL DEFAULT 'none',
        -- the public name of the logo, which changes with it; its object is 'derived/' and this id
        ADD COLUMN logo_id uuid CONSTRAINT uq_companies_logo UNIQUE,
        -- the upload that it came by
        ADD COLUMN logo_upload text;
      CREATE INDEX ix_companies_owner ON companies (owner_id);
      CREATE INDEX ix_companies_created ON companies (created_at, id);

      ALTER TABLE derived_objects
        DROP CONSTRAINT ck_derived_objects_kind,
        ADD CONSTRAINT ck_derived_objects_kind CHECK (kind IN ('archive', 'listing', 'diff', 'rendition', 'log', 'logo'));
      -- whatever replaces or removes a logo, its object goes with it
      CREATE FUNCTION expire_logo() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          UPDATE derived_objects SET ready = false, expires_at = now() WHERE store_key = 'derived/' || OLD.logo_id;
          RETURN NULL;
        END
      $$;
      CREATE TRIGGER tr_companies_gone AFTER DELETE ON companies FOR EACH ROW WHEN (OLD.logo_id IS NOT NULL) EXECUTE FUNCTION expire_logo();
      CREATE TRIGGER tr_companies_logo AFTER UPDATE OF logo_id ON companies
        FOR EACH ROW WHEN (OLD.logo_id IS NOT NULL AND OLD.logo_id IS DISTINCT FROM NEW.logo_id) EXECUTE FUNCTION expire_logo();

      -- members who want more space; one open request for each
      CREATE TABLE quota_requests (
        id uuid PRIMARY KEY,
        company_id bigint NOT NULL CONSTRAINT fk_quota_requests_company REFERENCES companies (id) ON DELETE CASCADE,
        account_id bigint NOT NULL CONSTRAINT fk_quota_requests_account REFERENCES accounts (id) ON DELETE CASCADE,
        comment text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL,
        viewed_at timestamptz
      );
      CREATE UNIQUE INDEX uq_quota_requests_open ON quota_requests (account_id, company_id) WHERE viewed_at IS NULL;
      CREATE INDEX ix_quota_requests_company ON quota_requests (company_id);

      -- remote_wipe and neither of these: the device has yet to hear of it
      ALTER TABLE auth_tokens ADD COLUMN wipe_delivered_at timestamptz, ADD COLUMN wiped_at timestamptz;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE auth_tokens DROP COLUMN wiped_at, DROP COLUMN wipe_delivered_at;
      DROP TABLE quota_requests;
      UPDATE companies SET logo_id = NULL;
      DROP TRIGGER tr_companies_logo ON companies;
      DROP TRIGGER tr_companies_gone ON companies;
      DROP FUNCTION expire_logo();
      WITH gone AS (DELETE FROM derived_objects WHERE kind = 'logo' RETURNING store_key)
        INSERT INTO object_tombstones (store_key, due_at) SELECT store_key, now() FROM gone
        ON CONFLICT (store_key) DO UPDATE SET due_at = excluded.due_at, attempts = 0;
      ALTER TABLE derived_objects
        DROP CONSTRAINT ck_derived_objects_kind,
        ADD CONSTRAINT ck_derived_objects_kind CHECK (kind IN ('archive', 'listing', 'diff', 'rendition', 'log'));
      DROP INDEX ix_companies_created, ix_companies_owner;
      ALTER TABLE companies
        DROP COLUMN logo_upload, DROP COLUMN logo_id, DROP COLUMN payment_method, DROP COLUMN reference_email, DROP COLUMN settings;
    `);
  }
}
