import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export type DerivedKind = 'archive' | 'listing' | 'diff' | 'log';

/** An object that was made for a download and goes away by itself. */
export interface DerivedObject {
  readonly storeKey: string;
  readonly accountId: number;
  readonly kind: DerivedKind;
  readonly fileName: string;
  readonly contentType: string;
  readonly expiresAt: Date;
}

/** Rows of `derived_objects`: the ledger of archives, listings and deltas. */
@Injectable()
export class DerivedObjectRepository {
  constructor(private readonly database: Database) {}

  /** Notes an object that is about to be made: before its first byte. */
  async insert({ storeKey, accountId, kind, fileName, contentType, expiresAt }: DerivedObject): Promise<void> {
    await this.database.run(
      'INSERT INTO derived_objects (store_key, account_id, kind, file_name, content_type, expires_at) VALUES ($1, $2, $3, $4, $5, $6)',
      [storeKey, accountId, kind, fileName, contentType, expiresAt],
    );
  }

  /** The object is complete. False when it has expired meanwhile: then its maker has it deleted. */
  async markReady(storeKey: string, sizeBytes: number): Promise<boolean> {
    return (await this.database.run('UPDATE derived_objects SET ready = true, size_bytes = $2 WHERE store_key = $1', [storeKey, sizeBytes])) === 1;
  }

  /** An unfinished object is being made anew in the same place. False when it is not in the ledger any more. */
  async renew(storeKey: string, expiresAt: Date): Promise<boolean> {
    return (await this.database.run('UPDATE derived_objects SET ready = false, expires_at = $2 WHERE store_key = $1', [storeKey, expiresAt])) === 1;
  }

  /** Nobody will finish or fetch this object: it is deleted with the next expired ones. */
  async giveUp(storeKey: string, now: Date): Promise<void> {
    await this.database.run('UPDATE derived_objects SET ready = false, expires_at = least(expires_at, $2) WHERE store_key = $1', [storeKey, now]);
  }

  /** A complete object with this key that has not expired, or null. */
  async findReady(storeKey: string, now: Date): Promise<(DerivedObject & { readonly sizeBytes: number }) | null> {
    return this.database.queryOne(
      `SELECT store_key AS "storeKey", account_id AS "accountId", kind, file_name AS "fileName", content_type AS "contentType",
              expires_at AS "expiresAt", size_bytes AS "sizeBytes"
         FROM derived_objects WHERE store_key = $1 AND ready AND expires_at > $2`,
      [storeKey, now],
    );
  }

  /** Turns up to `limit` expired objects into objects to be deleted now. Returns how many. */
  async expire(now: Date, limit: number): Promise<number> {
    return this.database.run(
      `WITH gone AS (
         DELETE FROM derived_objects WHERE store_key IN (
           SELECT store_key FROM derived_objects WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
         RETURNING store_key)
       INSERT INTO object_tombstones (store_key, due_at) SELECT store_key, $1 FROM gone
       ON CONFLICT (store_key) DO UPDATE SET due_at = excluded.due_at, attempts = 0`,
      [now, limit],
    );
  }
}
