import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Links to archives that a holder of a public link has made. */
export class ArchiveGuests1795291620000 implements MigrationInterface {
  name = 'ArchiveGuests1795291620000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- the pass of whoever made it without an account; account_id is then the account that gave the pass
      ALTER TABLE archive_streams ADD COLUMN guest jsonb;
      -- the token that asked for it: the link ends with it. Null for a password sent with the request, and for a guest
      ALTER TABLE archive_streams ADD COLUMN token_id text;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE archive_streams DROP COLUMN guest, DROP COLUMN token_id;');
  }
}
