import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { Making } from '../formats.js';
import type { Rendition, Work } from './preview.repository.js';

/** Renditions, and their objects in the ledger of derived objects: there before the first byte, for good once they are published. */
@Injectable()
export class RenditionRepository {
  constructor(private readonly database: Database) {}

  find(blobId: string, making: Making, kind: string): Promise<Rendition | null> {
    return this.database.queryOne<Rendition & Record<string, unknown>>(
      `SELECT kind, store_key AS "storeKey", content_type AS "contentType", size_bytes AS "sizeBytes"
         FROM renditions WHERE blob_id = $1 AND format = $2 AND kind = $3`,
      [blobId, making, kind],
    );
  }

  /** Notes objects that are about to be written. Unless they are published before, they are deleted after `expiresAt`. */
  async note(renditions: readonly Rendition[], expiresAt: Date): Promise<void> {
    await this.database.run(
      `INSERT INTO derived_objects (store_key, account_id, kind, file_name, content_type, expires_at)
       SELECT r.store_key, 0, 'rendition', r.kind, r.content_type, $4 FROM unnest($1::text[], $2::text[], $3::text[]) AS r (store_key, kind, content_type)`,
      [renditions.map((r) => r.storeKey), renditions.map((r) => r.kind), renditions.map((r) => r.contentType), expiresAt],
    );
  }

  /** Nobody will use these objects. */
  async giveUp(storeKeys: readonly string[], now: Date): Promise<void> {
    await this.database.run('UPDATE derived_objects SET ready = false, expires_at = least(expires_at, $2) WHERE store_key = ANY($1::text[])', [
      storeKeys,
      now,
    ]);
  }

  /**
   * Makes what was written the renditions of a preview, in place of earlier ones. Must run in a transaction. False when the content is gone, another
   * run has taken the work over, or an object has expired: then nothing is changed.
   */
  async publish(work: Work, renditions: readonly Rendition[], metainfo: object | null, now: Date): Promise<boolean> {
    const kinds = renditions.map((rendition) => rendition.kind);
    const mine = await this.database.run(
      `UPDATE previews SET state = 'ready', kinds = $4, metainfo = $5, reason = NULL, ended_at = $6, lease_until = NULL
        WHERE blob_id = $1 AND format = $2 AND state = 'processing' AND attempts = $3
          AND (SELECT count(*) FROM derived_objects WHERE store_key = ANY($7::text[])) = cardinality($7::text[])`,
      [work.blobId, work.making, work.attempt, kinds, metainfo && JSON.stringify(metainfo), now, renditions.map((r) => r.storeKey)],
    );
    if (mine === 0) return false;
    await this.database.run(
      `UPDATE derived_objects d SET ready = true, size_bytes = r.size_bytes, expires_at = 'infinity'
         FROM unnest($1::text[], $2::bigint[]) AS r (store_key, size_bytes) WHERE d.store_key = r.store_key`,
      [renditions.map((r) => r.storeKey), renditions.map((r) => r.sizeBytes)],
    );
    await this.database.run('DELETE FROM renditions WHERE blob_id = $1 AND format = $2 AND NOT kind = ANY($3::text[])', [
      work.blobId,
      work.making,
      kinds,
    ]);
    await this.database.run(
      `INSERT INTO renditions (blob_id, format, kind, store_key, content_type, size_bytes)
       SELECT $1, $2, r.* FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[]) AS r
       ON CONFLICT (blob_id, format, kind) DO UPDATE
          SET store_key = excluded.store_key, content_type = excluded.content_type, size_bytes = excluded.size_bytes`,
      [work.blobId, work.making, kinds, renditions.map((r) => r.storeKey), renditions.map((r) => r.contentType), renditions.map((r) => r.sizeBytes)],
    );
    return true;
  }
}
