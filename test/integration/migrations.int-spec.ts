import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';

import { DataSource, getMetadataArgsStorage } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { dataSourceOptions, migrate } from '#libs/database';

import { MIGRATIONS } from '../../migrations/index.js';
import { createTestDatabase } from '../support/services.js';

/** Everything the catalogue knows about the schema of `public`, as comparable text lines. */
async function schemaOf(dataSource: DataSource): Promise<string[]> {
  const rows: { line: string }[] = await dataSource.query(`
    SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') AS line
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    ORDER BY 1`);
  return rows.map((row) => row.line).filter((line) => !line.includes('schema_migrations'));
}

describe('migrations', () => {
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await new DataSource(
      dataSourceOptions({ url: database.url, poolSize: 2, statementTimeoutMs: 0, applicationName: 'test', migrations: MIGRATIONS }),
    ).initialize();
    await dataSource.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public;');
  });

  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it('run up, down and up again to the same schema, and leave nothing behind on the way down', async () => {
    await dataSource.runMigrations({ transaction: 'each' });
    const first = await schemaOf(dataSource);
    expect(first.length).toBeGreaterThan(200);
    for (const _ of MIGRATIONS) await dataSource.undoLastMigration({ transaction: 'each' });
    expect(await schemaOf(dataSource)).toEqual([]);
    await dataSource.runMigrations({ transaction: 'each' });
    expect(await schemaOf(dataSource)).toEqual(first);
  });

  it('are run once when several processes start together', async () => {
    await dataSource.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public;');
    const runs = await Promise.all([1, 2, 3].map(() => migrate(database.url, MIGRATIONS)));
    expect(runs.map((names) => names.length).sort()).toEqual([0, 0, MIGRATIONS.length]);
  });

  it('name every constraint and index themselves, because errors are told by name', async () => {
    const rows: { name: string }[] = await dataSource.query(
      `SELECT conname AS name FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f') AND conrelid <> 'schema_migrations'::regclass`,
    );
    expect(rows.filter((row) => !/^(ck|fk)_/.test(row.name))).toEqual([]);
  });

  it('agree with every TypeORM entity', async () => {
    const files = readdirSync('libs', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.entity.ts'));
    await Promise.all(files.map((file) => import(/* @vite-ignore */ resolve('libs', file))));
    const entities = getMetadataArgsStorage().tables.map((table) => table.target as new () => object);
    expect(entities).not.toEqual([]);
    const options = dataSourceOptions({ url: database.url, poolSize: 1, statementTimeoutMs: 0, applicationName: 'test' });
    const withEntities = await new DataSource({ ...options, entities }).initialize();
    try {
      const columns: { table_name: string; column_name: string; is_nullable: string; data_type: string; is_key: boolean }[] = await dataSource.query(
        `SELECT table_name, column_name, is_nullable, data_type, EXISTS (
                  SELECT 1 FROM information_schema.key_column_usage u JOIN information_schema.table_constraints t USING (constraint_schema, constraint_name)
                   WHERE t.constraint_type = 'PRIMARY KEY' AND u.table_name = c.table_name AND u.column_name = c.column_name) AS is_key
           FROM information_schema.columns c WHERE table_schema = 'public'`,
      );
      for (const entity of withEntities.entityMetadatas) {
        const actual = columns
          .filter((c) => c.table_name === entity.tableName)
          .map((c) => [c.column_name, c.data_type, c.is_nullable === 'YES', c.is_key]);
        const declared = entity.columns.map((c) => [c.databaseName, withEntities.driver.normalizeType(c), c.isNullable, c.isPrimary]);
        expect(declared.sort(), entity.tableName).toEqual(actual.sort());
      }
    } finally {
      await withEntities.destroy();
    }
  });
});
