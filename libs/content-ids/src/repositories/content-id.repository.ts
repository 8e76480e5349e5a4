import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { ContentId, ContentLink } from '../content-id.js';

/** A file, its current blob, and what is known of it. */
export interface FileContentId {
  readonly fileId: string;
  readonly blobId: string;
  readonly cid: string | null;
  readonly asked: boolean;
}

/** A blob whose id is to be computed. */
export interface ContentIdWork {
  readonly blobId: string;
  readonly storeKey: string;
}

type StoredLink = readonly [cid: string, sizeBytes: number];

const MAX_ATTEMPTS = 5;
/** Contents of more bytes take minutes each: only so many at once, so that small ones never wait for them. */
const LARGE_BYTES = 1024 ** 3;
const LARGE_AT_ONCE = 2;

/** Rows of `content_ids`. */
@Injectable()
export class ContentIdRepository {
  constructor(private readonly database: Database) {}

  async ofFiles(fileIds: readonly string[]): Promise<FileContentId[]> {
    const rows = await this.database.query<{ id: string; blob_id: string; cid: string | null; asked: boolean }>(
      `SELECT n.id, n.blob_id, c.cid, c.blob_id IS NOT NULL AS asked
         FROM nodes n LEFT JOIN content_ids c ON c.blob_id = n.blob_id
        WHERE n.id = ANY($1::uuid[]) AND n.blob_id IS NOT NULL`,
      [fileIds],
    );
    return rows.map(({ id, blob_id, cid, asked }) => ({ fileId: id, blobId: blob_id, cid, asked }));
  }

  async linksOf(fileId: string): Promise<ContentLink[] | null> {
    const row = await this.database.queryOne<{ links: readonly StoredLink[] | null }>(
      'SELECT c.links FROM nodes n JOIN content_ids c ON c.blob_id = n.blob_id WHERE n.id = $1',
      [fileId],
    );
    return row?.links?.map(([cid, sizeBytes]) => ({ cid, sizeBytes })) ?? null;
  }

  /** The id of the blob that an upload has become. */
  async keepOfUpload(tempName: string, { cid, links }: ContentId): Promise<void> {
    await this.database.run(
      `INSERT INTO content_ids (blob_id, cid, links)
       SELECT b.id, $2, $3::jsonb FROM upload_sessions s JOIN blobs b ON b.store_key = s.store_key WHERE s.temp_name = $1
       ON CONFLICT (blob_id) DO UPDATE SET cid = excluded.cid, links = excluded.links, lease_until = NULL`,
      [tempName, cid, stored(links)],
    );
  }

  /** Has the ids of these blobs computed. True when one of them was not asked for before. */
  async ask(blobIds: readonly string[]): Promise<boolean> {
    const added = await this.database.run(
      `INSERT INTO content_ids (blob_id) SELECT b.id FROM blobs b WHERE b.id = ANY($1::uuid[]) ORDER BY b.id FOR KEY SHARE OF b
       ON CONFLICT (blob_id) DO NOTHING`,
      [blobIds],
    );
    return added > 0;
  }

  /** The blob that has waited longest, leased; null when none waits, or only large ones while enough of these are being worked at. */
  async take(now: Date, leaseUntil: Date): Promise<ContentIdWork | null> {
    const row = await this.database.queryOne<{ blob_id: string; store_key: string }>(
      `WITH large AS (
         SELECT count(*) AS running FROM content_ids l JOIN blobs b ON b.id = l.blob_id
          WHERE l.cid IS NULL AND l.lease_until > $1 AND b.size_bytes > ${LARGE_BYTES})
       UPDATE content_ids c SET lease_until = $2, attempts = c.attempts + 1
         FROM blobs b
        WHERE b.id = c.blob_id AND c.blob_id = (
          SELECT w.blob_id FROM content_ids w JOIN blobs x ON x.id = w.blob_id
           WHERE w.cid IS NULL AND w.asked_at <= $1 AND w.attempts < ${MAX_ATTEMPTS} AND (w.lease_until IS NULL OR w.lease_until <= $1)
             AND (x.size_bytes <= ${LARGE_BYTES} OR (SELECT running FROM large) < ${LARGE_AT_ONCE})
           ORDER BY w.asked_at LIMIT 1 FOR UPDATE OF w SKIP LOCKED)
       RETURNING c.blob_id, b.store_key`,
      [now, leaseUntil],
    );
    return row && { blobId: row.blob_id, storeKey: row.store_key };
  }

  async extend(blobId: string, leaseUntil: Date): Promise<void> {
    await this.database.run('UPDATE content_ids SET lease_until = $2 WHERE blob_id = $1 AND cid IS NULL', [blobId, leaseUntil]);
  }

  async keep(blobId: string, { cid, links }: ContentId): Promise<void> {
    await this.database.run('UPDATE content_ids SET cid = $2, links = $3::jsonb, lease_until = NULL WHERE blob_id = $1', [
      blobId,
      cid,
      stored(links),
    ]);
  }

  /** Lets the blob wait until `until`; not `counted`: as if it had not been tried. */
  async postpone(blobId: string, until: Date, counted: boolean): Promise<void> {
    await this.database.run('UPDATE content_ids SET lease_until = NULL, asked_at = $2, attempts = attempts - $3 WHERE blob_id = $1 AND cid IS NULL', [
      blobId,
      until,
      counted ? 0 : 1,
    ]);
  }

  /** How many blobs are being worked at. */
  async busy(now: Date): Promise<number> {
    const row = await this.database.queryOne<{ count: number }>(
      'SELECT count(*)::int AS count FROM content_ids WHERE cid IS NULL AND lease_until > $1',
      [now],
    );
    return row?.count ?? 0;
  }
}

function stored(links: readonly ContentLink[]): string {
  return JSON.stringify(links.map(({ cid, sizeBytes }): StoredLink => [cid, sizeBytes]));
}
