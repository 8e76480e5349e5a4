import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { MAX_DEPTH } from '#libs/nodes';

export interface BucketRow {
  readonly id: string;
  readonly rootId: string;
  readonly ownerId: number;
  readonly name: string;
  readonly plan: string;
  readonly createdMs: number;
  readonly bandwidthBytes: number;
}

/** With what it holds, counted from its folders. */
export interface CountedRow extends BucketRow {
  readonly storageBytes: number;
  readonly fileCount: number;
}

const COLUMNS = `b.space_id AS id, s.root_id AS "rootId", b.account_id AS "ownerId", b.name, b.plan, floor(extract(epoch FROM b.created_at) * 1000)::float8 AS "createdMs",
    coalesce(t.bytes, 0) AS "bandwidthBytes"`;
const FROM = 'FROM buckets b JOIN spaces s ON s.id = b.space_id LEFT JOIN bucket_traffic t ON t.space_id = b.space_id AND t.month = $2::date';

/** Folders know how many files they hold and how large those are, so no file is looked at. */
const COUNTED = `
  WITH RECURSIVE chosen AS MATERIALIZED (SELECT ${COLUMNS} ${FROM} WHERE b.account_id = $1 AND ($3::text IS NULL OR b.name = $3)),
  walk AS (
    SELECT c.id AS bucket, n.id, n.child_files, n.child_folders, n.child_bytes, 0 AS depth FROM chosen c JOIN nodes n ON n.id = c."rootId"
    UNION ALL
    SELECT w.bucket, n.id, n.child_files, n.child_folders, n.child_bytes, w.depth + 1
      FROM walk w JOIN nodes n ON n.parent_id = w.id AND n.kind = 'folder' AND n.removal IS NULL AND n.mount_of IS NULL
     WHERE w.child_folders > 0 AND w.depth < ${MAX_DEPTH}
  ), held AS (
    SELECT bucket, sum(child_files)::bigint AS files, sum(child_bytes)::bigint AS bytes FROM walk GROUP BY bucket
  )
  SELECT c.*, h.bytes AS "storageBytes", h.files AS "fileCount" FROM chosen c JOIN held h ON h.bucket = c.id ORDER BY c.name`;

/** Rows of `buckets` and `bucket_traffic`. `month` is the first day of a month, `2026-11-01`. */
@Injectable()
export class BucketRepository {
  constructor(private readonly database: Database) {}

  /** False when the account has a bucket of this name. */
  async insert(id: string, accountId: number, name: string, plan: string, createdAt: Date): Promise<boolean> {
    const inserted = await this.database.run(
      `INSERT INTO buckets (space_id, account_id, name, plan, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id, name) DO NOTHING`,
      [id, accountId, name, plan, createdAt],
    );
    return inserted === 1;
  }

  /** The buckets of an account, or the one of a name, with what they hold: one statement that looks at each of their folders. */
  counted(accountId: number, month: string, name: string | null): Promise<CountedRow[]> {
    return this.database.query<CountedRow & Record<string, unknown>>(COUNTED, [accountId, month, name]);
  }

  ofAccount(accountId: number, month: string): Promise<BucketRow[]> {
    return this.database.query<BucketRow & Record<string, unknown>>(`SELECT ${COLUMNS} ${FROM} WHERE b.account_id = $1 ORDER BY b.name`, [
      accountId,
      month,
    ]);
  }

  byName(accountId: number, name: string, month: string): Promise<BucketRow | null> {
    return this.database.queryOne<BucketRow & Record<string, unknown>>(`SELECT ${COLUMNS} ${FROM} WHERE b.account_id = $1 AND b.name = $3`, [
      accountId,
      month,
      name,
    ]);
  }

  byId(id: string, month: string): Promise<BucketRow | null> {
    return this.database.queryOne<BucketRow & Record<string, unknown>>(`SELECT ${COLUMNS} ${FROM} WHERE b.space_id = $1`, [id, month]);
  }

  async count(accountId: number): Promise<number> {
    return (await this.database.queryOne<{ count: number }>('SELECT count(*)::int AS count FROM buckets WHERE account_id = $1', [accountId]))!.count;
  }

  /** The name is free again; the space and what is left in it stay. */
  async remove(id: string): Promise<void> {
    await this.database.run('DELETE FROM buckets WHERE space_id = $1', [id]);
  }

  /** Spaces of buckets that were removed, some of them. */
  abandoned(limit: number): Promise<{ readonly id: string; readonly rootId: string }[]> {
    return this.database.query(
      `SELECT s.id, s.root_id AS "rootId" FROM spaces s WHERE s.kind = 'bucket' AND NOT EXISTS (SELECT 1 FROM buckets b WHERE b.space_id = s.id) LIMIT $1`,
      [limit],
    );
  }

  async addTraffic(id: string, month: string, bytes: number): Promise<void> {
    await this.database.run(
      `INSERT INTO bucket_traffic AS t (space_id, month, bytes) SELECT s.id, $2::date, $3 FROM spaces s WHERE s.id = $1
       ON CONFLICT (space_id, month) DO UPDATE SET bytes = t.bytes + excluded.bytes`,
      [id, month, bytes],
    );
  }
}
