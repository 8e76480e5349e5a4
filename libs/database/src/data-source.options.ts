import pg from 'pg';
import type { DataSourceOptions, MixedList } from 'typeorm';

const INT8 = 20;

/** int8 arrives as a number: sizes, times and counters stay below 2^53, and one that does not is a defect worth an error. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`bigint ${text} does not fit a number`);
  return value;
}

const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): unknown =>
    oid === INT8 && format !== 'binary' ? parseInt8 : (pg.types.getTypeParser as (o: number, f?: string) => unknown)(oid, format),
};

export interface DatabaseSettings {
  readonly url: string;
  readonly poolSize: number;
  /** Longest time one statement may take, in ms. */
  readonly statementTimeoutMs: number;
  readonly applicationName: string;
  readonly migrations?: MixedList<new () => object>;
  readonly onPoolError?: (error: Error) => void;
}

/** Options of the one DataSource of a process. The schema is made by migrations only. */
export function dataSourceOptions(settings: DatabaseSettings): DataSourceOptions {
  return {
    type: 'postgres',
    url: settings.url,
    synchronize: false,
    migrationsRun: false,
    migrationsTableName: 'schema_migrations',
    migrations: (settings.migrations ?? []) as DataSourceOptions['migrations'],
    poolErrorHandler: settings.onPoolError ?? (() => undefined),
    applicationName: settings.applicationName,
    extra: {
      max: settings.poolSize,
      types,
      connectionTimeoutMillis: 10_000,
      idleTimeoutMillis: 30_000,
      options: `-c statement_timeout=${settings.statementTimeoutMs} -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000 -c timezone=UTC`,
    },
  };
}
