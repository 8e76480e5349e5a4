import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { MediaBytes } from '../ledger/media-bytes.js';
import { MAX_DEPTH, type NodeKind } from '../node.js';

export interface CrossedRow {
  readonly kind: NodeKind;
  readonly sizeBytes: number;
  readonly revision: number;
}

// Children are looked up parent by parent (OFFSET 0): joined freely, a table that grew since its last ANALYZE is walked whole for each of them.
const FOLDERS = `
  below AS (
    SELECT n.id, 0 AS depth FROM nodes n WHERE n.id = $1 AND n.removal IS NULL
    UNION ALL
    SELECT c.id, b.depth + 1 FROM below b CROSS JOIN LATERAL (SELECT n.id FROM nodes n WHERE n.parent_id = b.id AND n.kind = 'folder' AND n.removal IS NULL OFFSET 0) c
     WHERE b.depth < ${MAX_DEPTH}
  )`;

const ALL = `
  below AS (
    SELECT n.id, n.kind, 0 AS depth FROM nodes n WHERE n.id = $1
    UNION ALL
    SELECT c.id, c.kind, b.depth + 1 FROM below b CROSS JOIN LATERAL (SELECT n.id, n.kind FROM nodes n WHERE n.parent_id = b.id OFFSET 0) c
     WHERE b.kind = 'folder' AND b.depth < ${MAX_DEPTH}
  )`;

/** Rows that go from one space to another. */
@Injectable()
export class CrossingRepository {
  constructor(private readonly database: Database) {}

  /**
   * Holds a node and the folders below it, so that nothing is put into them by anybody else until the end. Returns the ids; one that was made
   * meanwhile is in the answer of the next call.
   */
  async holdFolders(rootId: string): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `WITH RECURSIVE ${FOLDERS} SELECT n.id FROM nodes n WHERE n.id IN (SELECT id FROM below) ORDER BY n.id FOR UPDATE`,
      [rootId],
    );
    return rows.map((row) => row.id);
  }

  /** Holds single folders, whose counts are about to change. */
  async holdParents(ids: readonly string[]): Promise<void> {
    await this.database.run('SELECT 1 FROM nodes WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE', [ids]);
  }

  /** Leaves what was trashed out of these folders in the trash of its space, below the root there. */
  async leaveTrashed(folderIds: readonly string[], spaceId: string): Promise<void> {
    await this.database.run(
      `UPDATE nodes n SET parent_id = s.root_id FROM spaces s WHERE s.id = $2 AND n.parent_id = ANY($1::uuid[]) AND n.removal IS NOT NULL`,
      [folderIds, spaceId],
    );
  }

  /** Ends the links on a node and below it, as erasing it would end them; the nodes' marks follow by themselves. */
  async endLinks(rootId: string): Promise<void> {
    await this.database.run(
      `WITH RECURSIVE ${ALL} DELETE FROM links l WHERE l.node_id IN (SELECT n.id FROM below b JOIN nodes n ON n.id = b.id AND n.linked)`,
      [rootId],
    );
  }

  /**
   * Gives a node, with all that is below it, another space and itself another folder there, in one statement. Null when it is not in place any
   * more. NAME_TAKEN, PARENT_NOT_FOUND.
   */
  async cross(rootId: string, spaceId: string, parentId: string): Promise<CrossedRow | null> {
    return this.database.queryOne<CrossedRow & Record<string, unknown>>(
      `WITH RECURSIVE ${ALL}, moved AS (
         UPDATE nodes n
            SET space_id = $2, parent_id = CASE WHEN n.id = $1 THEN $3 ELSE n.parent_id END,
                revision = n.revision + CASE WHEN n.id = $1 THEN 1 ELSE 0 END
           FROM below b WHERE n.id = b.id RETURNING n.id, n.kind, n.size_bytes, n.revision
       )
       SELECT kind, size_bytes AS "sizeBytes", revision FROM moved WHERE id = $1`,
      [rootId, spaceId, parentId],
    );
  }

  /** Gives the versions below a node to the space where it is now. Returns their bytes. */
  async crossVersions(rootId: string, spaceId: string): Promise<MediaBytes> {
    const row = await this.database.queryOne<MediaBytes & Record<string, unknown>>(
      `WITH RECURSIVE ${ALL}, moved AS (
         UPDATE versions v SET space_id = $2 FROM below b WHERE v.node_id = b.id RETURNING v.size_bytes, v.media
       )
       SELECT coalesce(sum(size_bytes) FILTER (WHERE media = 'image'), 0)::bigint AS image, coalesce(sum(size_bytes) FILTER (WHERE media = 'audio'), 0)::bigint AS audio,
              coalesce(sum(size_bytes) FILTER (WHERE media = 'video'), 0)::bigint AS video, coalesce(sum(size_bytes) FILTER (WHERE media = 'other'), 0)::bigint AS other
         FROM moved`,
      [rootId, spaceId],
    );
    return row!;
  }
}
