import { Injectable } from '@nestjs/common';

import { Database, UnitOfWork } from '#libs/database';
import { MAX_DEPTH, type NodeKind } from '#libs/nodes';

/** One node on the walk. A folder comes before what is in it; siblings come in the order of their name keys. */
export interface TreeRow {
  /** Which of the roots it belongs to, from 1. */
  readonly root: number;
  /** Levels below that root: 0 for the root itself. */
  readonly depth: number;
  readonly kind: NodeKind;
  readonly name: string;
  readonly modifiedMs: number;
  readonly mimeType: string | null;
  /** Null for folders, as are size and checksum. */
  readonly storeKey: string | null;
  readonly sizeBytes: number | null;
  readonly crc32: number | null;
}

/**
 * The place is the keys of the names on the way, parted by a character that no name can hold and that sorts before all others: its order is
 * folder before content, and the same whenever and however the statement is run. That is what makes the rest of an archive fit its beginning.
 */
const DECLARE = `
  DECLARE archive_walk NO SCROLL CURSOR FOR
  WITH RECURSIVE walk AS (
    SELECT r.turn, 0 AS depth, n.id, n.kind, n.name, n.modified_ms, n.mime_type, n.blob_id, ''::text COLLATE "C" AS place
      FROM unnest($1::uuid[]) WITH ORDINALITY AS r (id, turn) JOIN nodes n ON n.id = r.id
    UNION ALL
    SELECT w.turn, w.depth + 1, coalesce(c.mount_of, c.id), c.kind, c.name, c.modified_ms, c.mime_type, c.blob_id, (w.place || E'\\x01' || c.name_key) COLLATE "C"
      FROM walk w JOIN nodes c ON c.parent_id = w.id AND c.removal IS NULL AND (c.mount_of IS NULL OR (c.mount_of = ANY($2::uuid[]) AND node_is_live(c.mount_of)))
     WHERE w.kind = 'folder' AND w.depth < ${2 * MAX_DEPTH}
  )
  SELECT w.turn AS root, w.depth, w.kind, w.name, w.modified_ms AS "modifiedMs", w.mime_type AS "mimeType",
         b.store_key AS "storeKey", b.size_bytes AS "sizeBytes", b.crc32
    FROM walk w LEFT JOIN blobs b ON b.id = w.blob_id
   ORDER BY w.turn, w.place`;
const BATCH = 2_000;

/** Reads whole subtrees in the order in which they are archived. */
@Injectable()
export class ArchiveTreeRepository {
  constructor(
    private readonly database: Database,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Calls `take` for every live node below the roots, as all of them stood at one moment: one statement, read through a cursor, so that memory
   * stays the same however large the trees are. The roots themselves are taken as they are, whatever their removal. Of mounts only those of the
   * folders `mountedIds` are entered, under their own names; the others are as if absent.
   */
  async walk(rootIds: readonly string[], mountedIds: readonly string[], take: (row: TreeRow) => void): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.database.run(DECLARE, [rootIds, mountedIds]);
      for (let count = BATCH; count === BATCH;) {
        const rows = await this.database.query<TreeRow>(`FETCH FORWARD ${BATCH} FROM archive_walk`);
        rows.forEach(take);
        count = rows.length;
      }
      await this.database.run('CLOSE archive_walk');
    });
  }
}
