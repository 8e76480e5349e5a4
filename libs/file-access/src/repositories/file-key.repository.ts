import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export interface NewFileKey {
  readonly id: string;
  readonly nodeId: string;
  readonly issuerId: number;
  readonly secretSha256: Buffer;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** How many ended keys go with each new one, so that no job has to sweep them. */
const SWEPT = 20;

/** Rows of `file_keys`. */
@Injectable()
export class FileKeyRepository {
  constructor(private readonly database: Database) {}

  async insert({ id, nodeId, issuerId, secretSha256, createdAt, expiresAt }: NewFileKey): Promise<void> {
    await this.database.run(
      `WITH ended AS (
         DELETE FROM file_keys WHERE id IN (SELECT id FROM file_keys WHERE expires_at < $5 ORDER BY expires_at LIMIT ${SWEPT} FOR UPDATE SKIP LOCKED)
       )
       INSERT INTO file_keys (id, node_id, issuer_id, secret_sha256, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
      [id, nodeId, issuerId, secretSha256, createdAt, expiresAt],
    );
  }

  /** The key of this file; whether it still opens anything is for libs/access to say. */
  find(nodeId: string, secretSha256: Buffer): Promise<{ id: string; issuerId: number } | null> {
    return this.database.queryOne('SELECT id, issuer_id AS "issuerId" FROM file_keys WHERE node_id = $1 AND secret_sha256 = $2', [
      nodeId,
      secretSha256,
    ]);
  }

  /** Keys of a file that are good at `at`. */
  async count(nodeId: string, at: Date): Promise<number> {
    const row = await this.database.queryOne<{ count: number }>('SELECT count(*) AS count FROM file_keys WHERE node_id = $1 AND expires_at > $2', [
      nodeId,
      at,
    ]);
    return row?.count ?? 0;
  }
}
