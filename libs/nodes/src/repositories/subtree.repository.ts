import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { MAX_DEPTH } from '../node.js';

export interface SubtreeFigures {
  readonly files: number;
  /** Folders below, without the folder itself. */
  readonly folders: number;
  /** Size of the current versions. */
  readonly bytes: number;
  /** Levels below the folder: 0 when it is empty. */
  readonly height: number;
}

/** Walks over the live folders of a subtree. Files are never visited: their folders know how many and how large they are. */
@Injectable()
export class SubtreeRepository {
  constructor(private readonly database: Database) {}

  /** What lies below a folder, from the counters of the folders. */
  async figures(folderId: string): Promise<SubtreeFigures> {
    const row = await this.database.queryOne<SubtreeFigures>(
      `WITH RECURSIVE walk AS (
         SELECT id, child_files, child_folders, child_bytes, 0 AS depth FROM nodes WHERE id = $1
         UNION ALL
         SELECT c.id, c.child_files, c.child_folders, c.child_bytes, w.depth + 1
           FROM walk w JOIN nodes c ON c.parent_id = w.id AND c.kind = 'folder' AND c.removal IS NULL
          WHERE w.child_folders > 0 AND w.depth < ${MAX_DEPTH}
       )
       SELECT coalesce(sum(child_files), 0)::bigint AS files, coalesce(sum(child_folders), 0)::bigint AS folders, coalesce(sum(child_bytes), 0)::bigint AS bytes,
              coalesce(max(depth + CASE WHEN child_files + child_folders > 0 THEN 1 ELSE 0 END), 0) AS height
         FROM walk`,
      [folderId],
    );
    return row!;
  }
}
