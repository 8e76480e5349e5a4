import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { MAX_DEPTH } from '../../node.js';

/** One object of the store that versions point to. Hashes are lower-case hex, `crc32` is unsigned. */
export interface Blob {
  readonly id: string;
  readonly storeKey: string;
  readonly sizeBytes: number;
  readonly md5: string;
  readonly sha256: string;
  readonly crc32: number;
}

interface BlobRow {
  id: string;
  store_key: string;
  size_bytes: number;
  md5: string;
  sha256: string;
  crc32: number;
}

const COLUMNS = 'b.id, b.store_key, b.size_bytes, b.md5, b.sha256, b.crc32';

const CONTENT = `SELECT ${COLUMNS} FROM blobs b WHERE b.md5 = $2 AND b.size_bytes = $3`;
const OLDEST = 'ORDER BY b.created_at, b.id LIMIT 1 FOR KEY SHARE OF b';
const OWN_CONTENT = `${CONTENT} AND EXISTS (SELECT 1 FROM versions v WHERE v.blob_id = b.id AND v.space_id = $1) ${OLDEST}`;

/** $4 = a folder. The way up from every file that uses the blob, as long as all on it is in place: one that meets the folder lies in it. */
const READABLE_CONTENT = `
  ${CONTENT} AND (EXISTS (SELECT 1 FROM versions v WHERE v.blob_id = b.id AND v.space_id = $1) OR EXISTS (
    WITH RECURSIVE up AS (
      SELECT n.parent_id, 0 AS depth FROM versions v JOIN nodes n ON n.id = v.node_id AND n.removal IS NULL WHERE v.blob_id = b.id
      UNION
      SELECT p.parent_id, up.depth + 1 FROM up JOIN nodes p ON p.id = up.parent_id AND p.removal IS NULL WHERE p.id <> $4::uuid AND up.depth < ${MAX_DEPTH}
    )
    SELECT 1 FROM up WHERE up.parent_id = $4::uuid
  )) ${OLDEST}`;

/** Rows of `blobs` and of the blobs that may have lost their last user. */
@Injectable()
export class BlobRepository {
  constructor(private readonly database: Database) {}

  async insert(blob: Blob): Promise<void> {
    await this.database.run('INSERT INTO blobs (id, store_key, size_bytes, md5, sha256, crc32) VALUES ($1, $2, $3, $4, $5, $6)', [
      blob.id,
      blob.storeKey,
      blob.sizeBytes,
      blob.md5,
      blob.sha256,
      blob.crc32,
    ]);
  }

  /** The blobs behind these ids; ids that are not there are left out. */
  async byIds(ids: readonly string[]): Promise<Blob[]> {
    const rows = await this.database.query<BlobRow>(`SELECT ${COLUMNS} FROM blobs b WHERE b.id = ANY($1::uuid[])`, [ids]);
    return rows.map(toBlob);
  }

  /** The blob, held against collection until the transaction ends; null when it is gone. */
  async hold(id: string): Promise<Blob | null> {
    const row = await this.database.queryOne<BlobRow>(`SELECT ${COLUMNS} FROM blobs b WHERE b.id = $1 FOR KEY SHARE OF b`, [id]);
    return row === null ? null : toBlob(row);
  }

  /**
   * A blob of this size and MD5 that a version in the given space uses, or one of a live file below the folder `sharedId` (of any space);
   * locked against collection until the transaction ends; else null. Other blobs do not count: knowing a checksum proves no possession.
   */
  async findByContent(spaceId: string, sharedId: string | null, sizeBytes: number, md5: string): Promise<Blob | null> {
    const row = await this.database.queryOne<BlobRow>(sharedId === null ? OWN_CONTENT : READABLE_CONTENT, [
      spaceId,
      md5,
      sizeBytes,
      ...(sharedId === null ? [] : [sharedId]),
    ]);
    return row === null ? null : toBlob(row);
  }

  /** Has these blobs looked at again at `dueAt`: those that nothing uses then are deleted. */
  async markCandidates(blobIds: readonly string[], dueAt: Date): Promise<void> {
    if (blobIds.length === 0) return;
    await this.database.run(
      `INSERT INTO blob_candidates (blob_id, due_at)
       SELECT b.id, $2 FROM blobs b WHERE b.id = ANY($1::uuid[]) ORDER BY b.id
       ON CONFLICT (blob_id) DO UPDATE SET due_at = greatest(blob_candidates.due_at, excluded.due_at)`,
      [blobIds, dueAt],
    );
  }

  /**
   * Ends up to `limit` candidates that are due: a blob without a version loses its row and its object gets a tombstone due at
   * `deleteAt`; a blob in use again is left alone. Must run in a transaction. Returns how many candidates were handled and deleted.
   */
  async collectDue(now: Date, deleteAt: Date, limit: number): Promise<{ handled: number; deleted: number }> {
    // Locking first and looking second: a version that was added while we waited for the lock is seen by the second statement.
    const due = await this.database.query<{ blob_id: string }>(
      `SELECT c.blob_id FROM blob_candidates c JOIN blobs b ON b.id = c.blob_id
        WHERE c.due_at <= $1 ORDER BY c.due_at LIMIT $2 FOR UPDATE OF c, b SKIP LOCKED`,
      [now, limit],
    );
    if (due.length === 0) return { handled: 0, deleted: 0 };
    const ids = due.map((row) => row.blob_id);
    await this.database.run('DELETE FROM blob_candidates WHERE blob_id = ANY($1::uuid[])', [ids]);
    const deleted = await this.database.run(
      `WITH gone AS (
         DELETE FROM blobs b WHERE b.id = ANY($1::uuid[])
            AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.blob_id = b.id) AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.blob_id = b.id)
         RETURNING b.store_key)
       INSERT INTO object_tombstones (store_key, due_at) SELECT store_key, $2 FROM gone
       ON CONFLICT (store_key) DO UPDATE SET due_at = least(object_tombstones.due_at, excluded.due_at)`,
      [ids, deleteAt],
    );
    return { handled: ids.length, deleted };
  }
}

function toBlob(row: BlobRow): Blob {
  return { id: row.id, storeKey: row.store_key, sizeBytes: row.size_bytes, md5: row.md5, sha256: row.sha256, crc32: row.crc32 };
}
