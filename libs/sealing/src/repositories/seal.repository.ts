import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { Seal } from '../cipher.js';

interface SealRow {
  memory_kib: number;
  passes: number;
  lanes: number;
  salt: Buffer;
  nonce: Buffer;
  tag: Buffer;
}

/** Rows of `sealed_blobs`. */
@Injectable()
export class SealRepository {
  constructor(private readonly database: Database) {}

  /** Notes the seal of the blob that an upload has become. False when there is no such blob. */
  async keepOfUpload(tempName: string, { memoryKib, passes, lanes, salt, nonce, tag }: Seal): Promise<boolean> {
    const kept = await this.database.run(
      `INSERT INTO sealed_blobs (blob_id, memory_kib, passes, lanes, salt, nonce, tag)
       SELECT b.id, $2, $3, $4, $5, $6, $7 FROM upload_sessions s JOIN blobs b ON b.store_key = s.store_key WHERE s.temp_name = $1`,
      [tempName, memoryKib, passes, lanes, salt, nonce, tag],
    );
    return kept === 1;
  }

  async ofBlob(blobId: string): Promise<Seal | null> {
    const row = await this.database.queryOne<SealRow>('SELECT memory_kib, passes, lanes, salt, nonce, tag FROM sealed_blobs WHERE blob_id = $1', [
      blobId,
    ]);
    return row && { memoryKib: row.memory_kib, passes: row.passes, lanes: row.lanes, salt: row.salt, nonce: row.nonce, tag: row.tag };
  }

  /** Those of the files whose current content is sealed. */
  async sealedOf(fileIds: readonly string[]): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      'SELECT n.id FROM nodes n JOIN sealed_blobs s ON s.blob_id = n.blob_id WHERE n.id = ANY($1::uuid[])',
      [fileIds],
    );
    return rows.map(({ id }) => id);
  }
}
