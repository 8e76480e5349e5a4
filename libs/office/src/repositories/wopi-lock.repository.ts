import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Rows of `wopi_locks`. Every read-then-write of one file begins with `hold`. */
@Injectable()
export class WopiLockRepository {
  constructor(private readonly database: Database) {}

  /** Waits until this transaction alone works on the lock of the file. */
  async hold(nodeId: string): Promise<void> {
    await this.database.lock(`wopi:${nodeId}`);
  }

  /** Id of the lock at `now`, or null. */
  async current(nodeId: string, now: Date): Promise<string | null> {
    const row = await this.database.queryOne<{ id: string }>('SELECT lock_id AS id FROM wopi_locks WHERE node_id = $1 AND expires_at > $2', [
      nodeId,
      now,
    ]);
    return row?.id ?? null;
  }

  /** Sets or replaces the lock, and removes a few that have ended. */
  async set(nodeId: string, lockId: string, expiresAt: Date, now: Date): Promise<void> {
    await this.database.run(
      `WITH ended AS (
         DELETE FROM wopi_locks WHERE node_id IN (
           SELECT node_id FROM wopi_locks WHERE expires_at <= $4 AND node_id <> $1 ORDER BY expires_at LIMIT 5 FOR UPDATE SKIP LOCKED)
       )
       INSERT INTO wopi_locks (node_id, lock_id, expires_at) VALUES ($1, $2, $3)
       ON CONFLICT (node_id) DO UPDATE SET lock_id = excluded.lock_id, expires_at = excluded.expires_at`,
      [nodeId, lockId, expiresAt, now],
    );
  }

  async remove(nodeId: string): Promise<void> {
    await this.database.run('DELETE FROM wopi_locks WHERE node_id = $1', [nodeId]);
  }
}
