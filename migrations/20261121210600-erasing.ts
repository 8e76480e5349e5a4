import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The end of accounts: members on their way out of a company, accounts whose data are being erased, and those of which only a number is left. */
export class Erasing1795295160000 implements MigrationInterface {
  name = 'Erasing1795295160000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE accounts
        -- since when an administrator of the company wants the member to be removed; it waits for his confirmation
        ADD COLUMN removing_since timestamptz,
        ADD COLUMN state_before_removing text CONSTRAINT ck_accounts_state_before_removing CHECK (state_before_removing IN ('pending', 'active', 'disabled')),
        -- who gets the files of the member then; null = they are erased
        ADD COLUMN removing_heir_id bigint CONSTRAINT fk_accounts_removing_heir REFERENCES accounts (id) ON DELETE SET NULL,
        -- nothing personal is left: the row stays for what others have that names its author
        ADD COLUMN erased_at timestamptz,
        ADD CONSTRAINT ck_accounts_erased CHECK (erased_at IS NULL OR (state = 'deleted' AND erase_started_at IS NOT NULL AND company_id IS NULL)),
        ADD CONSTRAINT ck_accounts_removing CHECK ((removing_since IS NULL) = (state_before_removing IS NULL));
      CREATE INDEX ix_accounts_erasing ON accounts (id) WHERE erase_started_at IS NOT NULL AND erased_at IS NULL;
      CREATE INDEX ix_accounts_removing_heir ON accounts (removing_heir_id) WHERE removing_heir_id IS NOT NULL;
      CREATE INDEX ix_notices_actor ON notices (actor_id) WHERE actor_id IS NOT NULL;
      CREATE INDEX ix_derived_objects_account ON derived_objects (account_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX ix_derived_objects_account, ix_notices_actor, ix_accounts_removing_heir, ix_accounts_erasing;
      ALTER TABLE accounts
        DROP CONSTRAINT ck_accounts_removing, DROP CONSTRAINT ck_accounts_erased,
        DROP COLUMN erased_at, DROP COLUMN removing_heir_id, DROP COLUMN state_before_removing, DROP COLUMN removing_since;
    `);
  }
}
