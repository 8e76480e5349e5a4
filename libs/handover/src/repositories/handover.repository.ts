import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { MAX_DEPTH, type MediaBytes } from '#libs/nodes';

/** A folder that is being given to one of its members. */
export interface Handover {
  readonly nodeId: string;
  readonly ownerId: number;
  readonly memberId: number;
  readonly mountId: string;
  /** What the member called the folder before, and what it is called meanwhile. */
  readonly mountName: string;
  readonly waitingName: string;
  readonly taskId: string;
}

/** Where a trashed node goes in the trash of its new owner. */
export interface TrashPlace {
  readonly id: string;
  readonly trashName: string;
  readonly restorePath: string;
  readonly restoreKey: string;
}

export interface NewPlace {
  readonly spaceId: string;
  readonly parentId: string;
  readonly name: string;
  readonly nameKey: string;
}

/**
 * Everything at and below a node, whether in place or in the trash. Children are looked up parent by parent (OFFSET 0): joined freely, a table that
 * grew since its last ANALYZE is walked whole for each of them.
 */
const ALL = `
  below AS (
    SELECT n.id, n.kind, 0 AS depth FROM nodes n WHERE n.id = $1
    UNION ALL
    SELECT c.id, c.kind, b.depth + 1 FROM below b CROSS JOIN LATERAL (SELECT n.id, n.kind FROM nodes n WHERE n.parent_id = b.id OFFSET 0) c
     WHERE b.kind = 'folder' AND b.depth < ${MAX_DEPTH}
  )`;

const SUMS = `
  coalesce(sum(size_bytes) FILTER (WHERE media = 'image'), 0)::bigint AS image, coalesce(sum(size_bytes) FILTER (WHERE media = 'audio'), 0)::bigint AS audio,
  coalesce(sum(size_bytes) FILTER (WHERE media = 'video'), 0)::bigint AS video, coalesce(sum(size_bytes) FILTER (WHERE media = 'other'), 0)::bigint AS other`;

const COLUMNS = `node_id AS "nodeId", owner_id AS "ownerId", member_id AS "memberId", mount_id AS "mountId", mount_name AS "mountName",
  waiting_name AS "waitingName", task_public_id AS "taskId"`;

/** Rows of `handovers`, and the rows that change hands with a folder. */
@Injectable()
export class HandoverRepository {
  constructor(private readonly database: Database) {}

  async find(nodeId: string): Promise<Handover | null> {
    return this.database.queryOne<Handover & Record<string, unknown>>(`SELECT ${COLUMNS} FROM handovers WHERE node_id = $1`, [nodeId]);
  }

  /** Notes a handover; one that was noted for the folder before is replaced. */
  async put({ nodeId, ownerId, memberId, mountId, mountName, waitingName, taskId }: Handover, at: Date): Promise<void> {
    await this.database.run(
      `INSERT INTO handovers (node_id, owner_id, member_id, mount_id, mount_name, waiting_name, task_public_id, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (node_id) DO UPDATE SET owner_id = excluded.owner_id, member_id = excluded.member_id, mount_id = excluded.mount_id,
         mount_name = excluded.mount_name, waiting_name = excluded.waiting_name, task_public_id = excluded.task_public_id, created_at = excluded.created_at`,
      [nodeId, ownerId, memberId, mountId, mountName, waitingName, taskId, at],
    );
  }

  async remove(nodeId: string): Promise<void> {
    await this.database.run('DELETE FROM handovers WHERE node_id = $1', [nodeId]);
  }

  /** Waits until this transaction alone may change who has these folders: their shares' rows, then the locks of the access lib, by id. */
  async lockShares(nodeIds: readonly string[]): Promise<void> {
    await this.database.run('SELECT 1 FROM shares WHERE node_id = ANY($1::uuid[]) ORDER BY node_id FOR UPDATE', [nodeIds]);
    for (const nodeId of [...new Set(nodeIds)].sort()) await this.database.lock(`share:${nodeId}`);
  }

  /** Bytes of all versions at and below a node, the trash included. */
  async bytesBelow(nodeId: string): Promise<MediaBytes> {
    const row = await this.database.queryOne<MediaBytes & Record<string, unknown>>(
      `WITH RECURSIVE ${ALL} SELECT ${SUMS} FROM versions v JOIN below b ON b.id = v.node_id`,
      [nodeId],
    );
    return row!;
  }

  /** Ids and trash names of what was trashed out of the folder. */
  async trashedBelow(nodeId: string): Promise<{ id: string; name: string; kind: 'folder' | 'file' }[]> {
    return this.database.query(
      `WITH RECURSIVE ${ALL} SELECT n.id, n.name, n.kind FROM below b JOIN nodes n ON n.id = b.id AND n.removal = 'trashed' ORDER BY n.id`,
      [nodeId],
    );
  }

  /**
   * Gives a folder, with all at and below it, another space, itself a place there, and what is trashed in it a place in the trash there, in one
   * statement. False when the folder is not in place any more. NAME_TAKEN, PARENT_NOT_FOUND.
   */
  async cross(nodeId: string, to: NewPlace, trashed: readonly TrashPlace[]): Promise<boolean> {
    const changed = await this.database.run(
      `WITH RECURSIVE ${ALL}, trashed AS (
         SELECT * FROM unnest($6::uuid[], $7::text[], $8::text[], $9::text[]) AS t (id, trash_name, restore_path, restore_key)
       ), moved AS (
         UPDATE nodes n
            SET space_id = $2,
                parent_id = CASE WHEN n.id = $1 THEN $3 ELSE n.parent_id END, name = CASE WHEN n.id = $1 THEN $4 ELSE n.name END,
                name_key = CASE WHEN n.id = $1 THEN $5 ELSE n.name_key END, revision = n.revision + CASE WHEN n.id = $1 THEN 1 ELSE 0 END,
                trash_name = coalesce(t.trash_name, n.trash_name), restore_path = coalesce(t.restore_path, n.restore_path),
                restore_key = coalesce(t.restore_key, n.restore_key)
           FROM below b LEFT JOIN trashed t ON t.id = b.id
          WHERE n.id = b.id AND EXISTS (SELECT 1 FROM nodes r WHERE r.id = $1 AND r.removal IS NULL) RETURNING n.id
       )
       SELECT 1 FROM moved WHERE id = $1`,
      [
        nodeId,
        to.spaceId,
        to.parentId,
        to.name,
        to.nameKey,
        trashed.map((item) => item.id),
        trashed.map((item) => item.trashName),
        trashed.map((item) => item.restorePath),
        trashed.map((item) => item.restoreKey),
      ],
    );
    return changed === 1;
  }

  /** Gives the versions at and below a node to another space. Returns their bytes. */
  async crossVersions(nodeId: string, spaceId: string): Promise<MediaBytes> {
    const row = await this.database.queryOne<MediaBytes & Record<string, unknown>>(
      `WITH RECURSIVE ${ALL}, moved AS (
         UPDATE versions v SET space_id = $2 FROM below b WHERE v.node_id = b.id RETURNING v.size_bytes, v.media
       )
       SELECT ${SUMS} FROM moved`,
      [nodeId, spaceId],
    );
    return row!;
  }

  /** Ends what an account has published at and below a node; the nodes' marks follow by themselves. */
  async endLinksOf(nodeId: string, issuerId: number): Promise<void> {
    await this.database.run(`WITH RECURSIVE ${ALL} DELETE FROM links l WHERE l.issuer_id = $2 AND l.node_id IN (SELECT id FROM below)`, [
      nodeId,
      issuerId,
    ]);
  }

  /** Ends everything by which an account was a member of these folders, or wanted to be; its mounts stay. */
  async endMember(nodeIds: readonly string[], accountId: number): Promise<void> {
    await this.database.run('DELETE FROM grants WHERE node_id = ANY($1::uuid[]) AND account_id = $2', [nodeIds, accountId]);
    await this.database.run(
      'DELETE FROM invitations i USING grants g WHERE g.id = i.grant_id AND g.node_id = ANY($1::uuid[]) AND i.account_id = $2',
      [nodeIds, accountId],
    );
    await this.database.run('DELETE FROM share_requests WHERE node_id = ANY($1::uuid[]) AND account_id = $2', [nodeIds, accountId]);
  }

  /**
   * Makes shares those of another owner. What was offered to the people of a company that he is not in is offered no more; a share that is left
   * without anybody ends.
   */
  async ownShares(nodeIds: readonly string[], ownerId: number, keepsOffer: boolean): Promise<void> {
    await this.database.run('UPDATE grants SET granted_by = $2 WHERE node_id = ANY($1::uuid[])', [nodeIds, ownerId]);
    await this.database.run(
      `UPDATE shares SET shared_by = $2, public_name = CASE WHEN $3 THEN public_name END, folder_hash = CASE WHEN $3 THEN folder_hash END,
              published_at = CASE WHEN $3 THEN published_at END WHERE node_id = ANY($1::uuid[])`,
      [nodeIds, ownerId, keepsOffer],
    );
    if (!keepsOffer) await this.database.run('DELETE FROM share_requests WHERE node_id = ANY($1::uuid[])', [nodeIds]);
    await this.endEmptyShares(nodeIds);
  }

  /** Puts the shares of some folders on their copies, with grants, answers, requests, hashes and mounts. `pairs`: folder and copy. */
  async moveShares(pairs: readonly { readonly from: string; readonly to: string }[]): Promise<void> {
    if (pairs.length === 0) return;
    // One statement: requests point to the share, and both change their folder at once.
    await this.database.run(
      `WITH pair AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS p (source, copy)),
       share AS (UPDATE shares h SET node_id = p.copy FROM pair p WHERE h.node_id = p.source),
       request AS (UPDATE share_requests r SET node_id = p.copy FROM pair p WHERE r.node_id = p.source),
       given AS (UPDATE grants g SET node_id = p.copy FROM pair p WHERE g.node_id = p.source),
       mount AS (UPDATE nodes m SET mount_of = p.copy, revision = m.revision + 1 FROM pair p WHERE m.mount_of = p.source)
       UPDATE nodes n SET shared = (n.id = p.copy) FROM pair p WHERE n.id IN (p.source, p.copy)`,
      [pairs.map((pair) => pair.from), pairs.map((pair) => pair.to)],
    );
  }

  /** Makes a folder a shared one; nothing when it is. */
  async makeShare(nodeId: string, hash: string, ownerId: number, at: Date): Promise<void> {
    await this.database.run(
      `WITH made AS (
         INSERT INTO shares (node_id, hash, shared_by, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (node_id) DO NOTHING RETURNING node_id
       )
       UPDATE nodes n SET shared = true FROM made WHERE n.id = made.node_id`,
      [nodeId, hash, ownerId, at],
    );
  }

  /** Shares that nobody has any part in any more. */
  private async endEmptyShares(nodeIds: readonly string[]): Promise<void> {
    await this.database.run(
      `WITH gone AS (
         DELETE FROM shares h WHERE h.node_id = ANY($1::uuid[]) AND NOT h.open AND NOT h.public_view AND h.folder_hash IS NULL
            AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.node_id = h.node_id) RETURNING h.node_id
       )
       UPDATE nodes n SET shared = false FROM gone WHERE n.id = gone.node_id`,
      [nodeIds],
    );
  }
}
