import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lets a statement that writes a file ask for limits at its end as well, when it holds the quota that whoever sets a limit holds. */
export class LimitsBehindQuotas1795305600000 implements MigrationInterface {
  name = 'LimitsBehindQuotas1795305600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- true while no folder of the space has a limit, or no space is named; volatile, so it sees what was committed since the statement began
      CREATE FUNCTION still_unlimited(of_space uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
          IF of_space IS NOT NULL AND EXISTS (SELECT 1 FROM nodes WHERE space_id = of_space AND limit_bytes IS NOT NULL) THEN
            RAISE EXCEPTION 'a folder of the space has a limit since the statement began' USING ERRCODE = 'serialization_failure';
          END IF;
          RETURN true;
        END
      $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION still_unlimited(uuid)');
  }
}
