import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** What the ledgers say about one object of the store. */
export interface LedgerEntry {
  readonly storeKey: string;
  /** blob: files need it. session, derived: may be there. tombstone: about to go. quarantine: set aside by fsck. */
  readonly kind: 'blob' | 'session' | 'derived' | 'tombstone' | 'quarantine';
  /** Size it must have; null when it is not known yet or the object may be absent. */
  readonly sizeBytes: number | null;
  readonly multipartId: string | null;
}

export interface LedgerBlob {
  readonly id: string;
  readonly storeKey: string;
  readonly sizeBytes: number;
  readonly md5: string;
  readonly sha256: string;
  readonly createdAtMs: number;
}

const ENTRIES = `
  SELECT store_key, 'blob' AS kind, size_bytes, NULL::text AS multipart_id FROM blobs WHERE store_key = ANY($1::text[])
  UNION ALL SELECT store_key, 'session', CASE WHEN state = 'uploaded' THEN size_bytes END, multipart_id FROM upload_sessions
             WHERE store_key = ANY($1::text[]) AND state IN ('reserved', 'uploaded')
  UNION ALL SELECT store_key, 'derived', CASE WHEN ready THEN size_bytes END, NULL FROM derived_objects WHERE store_key = ANY($1::text[])
  UNION ALL SELECT store_key, 'tombstone', NULL, multipart_id FROM object_tombstones WHERE store_key = ANY($1::text[])
  UNION ALL SELECT store_key, 'quarantine', size_bytes, NULL FROM quarantined_objects WHERE store_key = ANY($1::text[])`;

/** All ledgers of objects read as one, for those who compare them with the store. */
@Injectable()
export class ObjectLedger {
  constructor(private readonly database: Database) {}

  /** What is known of these objects, by key; an unknown one is absent. */
  async entries(storeKeys: readonly string[]): Promise<Map<string, LedgerEntry>> {
    if (storeKeys.length === 0) return new Map();
    const rows = await this.database.query<{ store_key: string; kind: LedgerEntry['kind']; size_bytes: number | null; multipart_id: string | null }>(
      ENTRIES,
      [storeKeys],
    );
    return new Map(
      rows.map((row) => [row.store_key, { storeKey: row.store_key, kind: row.kind, sizeBytes: row.size_bytes, multipartId: row.multipart_id }]),
    );
  }

  /** Blobs with an id above `afterId`, in its order: every one of them must be in the store. */
  async blobsAfter(afterId: string | null, limit: number): Promise<LedgerBlob[]> {
    return this.database.query<LedgerBlob>(
      `SELECT id, store_key AS "storeKey", size_bytes AS "sizeBytes", md5, sha256, (extract(epoch FROM created_at) * 1000)::bigint AS "createdAtMs"
         FROM blobs WHERE $1::uuid IS NULL OR id > $1::uuid ORDER BY id LIMIT $2`,
      [afterId, limit],
    );
  }

  /** Objects that uploads have received and downloads wait for, with a key above `afterKey`, in its order. */
  async expectedAfter(afterKey: string, limit: number): Promise<{ storeKey: string; kind: 'session' | 'derived'; sizeBytes: number }[]> {
    return this.database.query(
      `SELECT * FROM (
         SELECT store_key AS "storeKey", 'session' AS kind, size_bytes AS "sizeBytes" FROM upload_sessions WHERE state = 'uploaded' AND store_key > $1
         UNION ALL SELECT store_key, 'derived', size_bytes FROM derived_objects WHERE ready AND store_key > $1) o
        ORDER BY "storeKey" LIMIT $2`,
      [afterKey, limit],
    );
  }

  /** Notes that an object without a ledger entry now lies at `storeKey`. */
  async addQuarantined(storeKey: string, foundKey: string, sizeBytes: number): Promise<void> {
    await this.database.run(
      'INSERT INTO quarantined_objects (store_key, found_key, size_bytes) VALUES ($1, $2, $3) ON CONFLICT (store_key) DO NOTHING',
      [storeKey, foundKey, sizeBytes],
    );
  }
}
