import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { MAX_DEPTH, type Media } from '#libs/nodes';

/** Bytes of current versions: in place, and in the trash. */
export interface PlacedBytes {
  readonly liveBytes: number;
  readonly trashBytes: number;
}

/** Figures over a whole home. Folders know the number and size of their files, so only folders are visited. */
@Injectable()
export class OverviewRepository {
  constructor(private readonly database: Database) {}

  async placedBytes(spaceId: string, rootId: string): Promise<PlacedBytes> {
    const row = await this.database.queryOne<{ live: number; trash: number }>(
      `WITH RECURSIVE walk AS (
         SELECT id, child_folders, child_bytes, CASE WHEN kind = 'file' THEN size_bytes ELSE 0 END AS own, id <> $2 AS in_trash, 0 AS depth
           FROM nodes WHERE id = $2 OR (space_id = $1 AND removal = 'trashed')
         UNION ALL
         SELECT c.id, c.child_folders, c.child_bytes, 0, w.in_trash, w.depth + 1
           FROM walk w JOIN nodes c ON c.parent_id = w.id AND c.kind = 'folder' AND c.removal IS NULL
          WHERE w.child_folders > 0 AND w.depth < ${MAX_DEPTH}
       )
       SELECT coalesce(sum(child_bytes + own) FILTER (WHERE NOT in_trash), 0)::bigint AS live,
              coalesce(sum(child_bytes + own) FILTER (WHERE in_trash), 0)::bigint AS trash FROM walk`,
      [spaceId, rootId],
    );
    return { liveBytes: row?.live ?? 0, trashBytes: row?.trash ?? 0 };
  }

  /** Number and bytes of the live files by kind of content. */
  fileTypes(rootId: string): Promise<{ media: Media; files: number; bytes: number }[]> {
    return this.database.query(
      `WITH RECURSIVE folders AS (
         SELECT id, 0 AS depth FROM nodes WHERE id = $1
         UNION ALL
         SELECT c.id, f.depth + 1 FROM folders f JOIN nodes c ON c.parent_id = f.id AND c.kind = 'folder' AND c.removal IS NULL WHERE f.depth < ${MAX_DEPTH}
       )
       SELECT v.media, count(*) AS files, sum(n.size_bytes)::bigint AS bytes
         FROM folders f
         JOIN nodes n ON n.parent_id = f.id AND n.kind = 'file' AND n.removal IS NULL
         JOIN versions v ON v.node_id = n.id AND v.no = n.current_version_no
        GROUP BY v.media`,
      [rootId],
    );
  }
}
