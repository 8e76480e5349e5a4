import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** An object (and the multipart upload that was to make it) that must leave the store. */
export interface Tombstone {
  readonly storeKey: string;
  readonly multipartId: string | null;
  /** How often deleting was begun, this time included. */
  readonly attempts: number;
}

interface TombstoneRow {
  store_key: string;
  multipart_id: string | null;
  attempts: number;
}

/** Rows of `object_tombstones`. A row is also the ledger entry of bytes that are written on the chance of being used. */
@Injectable()
export class TombstoneRepository {
  constructor(private readonly database: Database) {}

  /** Has the object deleted at `dueAt`, or earlier when an earlier time is noted already. */
  async add(storeKey: string, dueAt: Date, multipartId: string | null = null): Promise<void> {
    await this.database.run(
      `INSERT INTO object_tombstones (store_key, multipart_id, due_at) VALUES ($1, $2, $3)
       ON CONFLICT (store_key) DO UPDATE
          SET due_at = least(object_tombstones.due_at, excluded.due_at), attempts = 0, multipart_id = coalesce(object_tombstones.multipart_id, excluded.multipart_id)`,
      [storeKey, multipartId, dueAt],
    );
  }

  /** Takes an object back from deletion; false when its deletion has begun or it was never noted. Must run in the transaction that uses it. */
  async takeBack(storeKey: string): Promise<boolean> {
    return (await this.database.run('DELETE FROM object_tombstones WHERE store_key = $1 AND attempts = 0', [storeKey])) === 1;
  }

  /** Up to `limit` due rows, each set aside until `now` + 2^attempts minutes (a day at most): a failing object waits alone. */
  async claim(now: Date, limit: number): Promise<Tombstone[]> {
    const rows = await this.database.query<TombstoneRow>(
      `WITH due AS (SELECT store_key FROM object_tombstones WHERE due_at <= $1 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
       UPDATE object_tombstones t
          SET attempts = t.attempts + 1, due_at = $1::timestamptz + least(interval '1 minute' * 2 ^ least(t.attempts, 20), interval '1 day')
         FROM due WHERE t.store_key = due.store_key
       RETURNING t.store_key, t.multipart_id, t.attempts`,
      [now, limit],
    );
    return rows.map((row) => ({ storeKey: row.store_key, multipartId: row.multipart_id, attempts: row.attempts }));
  }

  /** The objects are gone from the store. A row that was added anew since it was claimed stays: bytes may have arrived in between. */
  async finish(claimed: readonly Tombstone[]): Promise<void> {
    await this.database.run(
      `DELETE FROM object_tombstones t USING unnest($1::text[], $2::integer[]) AS c (store_key, attempts)
        WHERE t.store_key = c.store_key AND t.attempts = c.attempts`,
      [claimed.map((c) => c.storeKey), claimed.map((c) => c.attempts)],
    );
  }

  /** Notes why each of these could not be deleted. */
  async fail(failures: readonly { storeKey: string; error: string }[]): Promise<void> {
    await this.database.run(
      `UPDATE object_tombstones t SET last_error = f.error FROM unnest($1::text[], $2::text[]) AS f (store_key, error) WHERE t.store_key = f.store_key`,
      [failures.map((f) => f.storeKey), failures.map((f) => f.error.slice(0, 500))],
    );
  }
}
