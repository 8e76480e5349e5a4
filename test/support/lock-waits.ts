import type { Database } from '#libs/database';

/** Connections to this database that wait for a lock now, for `expect.poll`. */
export function lockWaits(database: Database): Promise<object[]> {
  return database.query(`SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`);
}
