import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { MAX_DEPTH } from '#libs/nodes';

export type MigrationStatus = 'requested' | 'accepted' | 'done' | 'failed';

/** A request to copy a folder, or everything, of one account into the home of another. */
export interface Migration {
  readonly id: string;
  readonly hash: string;
  readonly ownerId: number;
  readonly receiverId: number;
  /** Null when the folder has been erased. */
  readonly nodeId: string | null;
  /** In the owner's home; empty for everything. */
  readonly srcPath: string;
  /** In the receiver's home; empty until it is accepted. */
  readonly dstPath: string;
  readonly invitation: string;
  /** The source goes to the trash afterwards. */
  readonly cleanup: boolean;
  readonly status: MigrationStatus;
}

export interface MigrationFilter {
  readonly accountId: number;
  readonly whose: 'my' | 'others' | 'all';
  /** Null: of all sources. */
  readonly srcPath: string | null;
  /** Null: in every status. */
  readonly statuses: readonly MigrationStatus[] | null;
  readonly limit: number;
}

type Row = Migration & Record<string, unknown>;

const COLUMNS = `id, hash, owner_id AS "ownerId", receiver_id AS "receiverId", node_id AS "nodeId", src_path AS "srcPath", dst_path AS "dstPath",
  invitation, cleanup, status`;

/** Rows of `content_migrations`. */
@Injectable()
export class MigrationRepository {
  constructor(private readonly database: Database) {}

  /** The new request, or the one that waits for the same receiver and folder already, with what is asked now. */
  async request(row: Migration, at: Date): Promise<Migration> {
    const { id, hash, ownerId, receiverId, nodeId, srcPath, invitation, cleanup } = row;
    const made = await this.database.queryOne<Row>(
      `INSERT INTO content_migrations (id, hash, owner_id, receiver_id, node_id, src_path, invitation, cleanup, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (node_id, receiver_id) WHERE status = 'requested'
       DO UPDATE SET src_path = excluded.src_path, invitation = excluded.invitation, cleanup = excluded.cleanup
       RETURNING ${COLUMNS}`,
      [id, hash, ownerId, receiverId, nodeId, srcPath, invitation, cleanup, at],
    );
    return made!;
  }

  /** Newest first. */
  async list({ accountId, whose, srcPath, statuses, limit }: MigrationFilter): Promise<Migration[]> {
    return this.database.query<Row>(
      `SELECT ${COLUMNS} FROM content_migrations
        WHERE (($2 <> 'others' AND owner_id = $1) OR ($2 <> 'my' AND receiver_id = $1)) AND ($3::text IS NULL OR src_path = $3)
          AND ($4::text[] IS NULL OR status = ANY($4::text[]))
        ORDER BY created_at DESC, id DESC LIMIT $5`,
      [accountId, whose, srcPath, statuses, limit],
    );
  }

  /** The request behind a hash, held until the end of the transaction. */
  async holdByHash(hash: string): Promise<Migration | null> {
    return this.database.queryOne<Row>(`SELECT ${COLUMNS} FROM content_migrations WHERE hash = $1 FOR UPDATE`, [hash]);
  }

  async hold(id: string): Promise<Migration | null> {
    return this.database.queryOne<Row>(`SELECT ${COLUMNS} FROM content_migrations WHERE id = $1 FOR UPDATE`, [id]);
  }

  async find(id: string): Promise<Migration | null> {
    return this.database.queryOne<Row>(`SELECT ${COLUMNS} FROM content_migrations WHERE id = $1`, [id]);
  }

  /** `dstPath` null: as it is. */
  async setStatus(id: string, status: MigrationStatus, dstPath: string | null, finishedAt: Date | null): Promise<void> {
    await this.database.run('UPDATE content_migrations SET status = $2, dst_path = coalesce($3, dst_path), finished_at = $4 WHERE id = $1', [
      id,
      status,
      dstPath,
      finishedAt,
    ]);
  }

  async remove(id: string): Promise<void> {
    await this.database.run('DELETE FROM content_migrations WHERE id = $1', [id]);
  }

  /** Changes with everything that comes, goes or changes in the folders in place at and below one. */
  async fingerprint(folderId: string): Promise<string> {
    const row = await this.database.queryOne<{ print: string | null }>(
      `WITH RECURSIVE below AS (
         SELECT n.id, n.revision, 0 AS depth FROM nodes n WHERE n.id = $1
         UNION ALL
         SELECT c.id, c.revision, b.depth + 1 FROM below b
           CROSS JOIN LATERAL (SELECT n.id, n.revision FROM nodes n WHERE n.parent_id = b.id AND n.kind = 'folder' AND n.removal IS NULL OFFSET 0) c
          WHERE b.depth < ${MAX_DEPTH}
       )
       SELECT md5(string_agg(id || ':' || revision, ',' ORDER BY id)) AS print FROM below`,
      [folderId],
    );
    return row?.print ?? '';
  }

  /** Grants on a folder that somebody has accepted or may still accept. */
  async grantsOn(
    nodeId: string,
  ): Promise<{ accountId: number | null; groupId: number | null; companyId: number | null; write: boolean; delete: boolean; download: boolean }[]> {
    return this.database.query(
      `SELECT g.account_id AS "accountId", g.group_id AS "groupId", q.company_id AS "companyId", g.can_write AS write, g.can_delete AS delete,
              g.can_download AS download
         FROM grants g LEFT JOIN groups q ON q.id = g.group_id LEFT JOIN accounts a ON a.id = g.account_id
        WHERE g.node_id = $1 AND (g.group_id IS NOT NULL OR (a.state IN ('active', 'pending')
          AND EXISTS (SELECT 1 FROM invitations i WHERE i.grant_id = g.id AND i.state <> 'declined'))) ORDER BY g.id`,
      [nodeId],
    );
  }
}
