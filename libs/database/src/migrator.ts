import { DataSource, type MixedList } from 'typeorm';

import { dataSourceOptions } from './data-source.options.js';

const MIGRATION_LOCK = 7_310_042;

/**
 * Brings the schema at `url` up to date and returns the names of the migrations that were run. Processes that start together
 * wait for each other. `work` runs on the same connection afterwards.
 */
export async function migrate(url: string, migrations: MixedList<new () => object>): Promise<string[]> {
  const dataSource = new DataSource(dataSourceOptions({ url, poolSize: 2, statementTimeoutMs: 0, applicationName: 'stowage-migrate', migrations }));
  await dataSource.initialize();
  try {
    const lock = dataSource.createQueryRunner();
    try {
      await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      return (await dataSource.runMigrations({ transaction: 'each' })).map((migration) => migration.name);
    } finally {
      await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      await lock.release();
    }
  } finally {
    await dataSource.destroy();
  }
}
