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

/** `step` joins a child folder `f` to the folder `w`. */
const figures = (step: string, levels: number): string => `
  WITH RECURSIVE walk AS (
    SELECT id, child_files, child_folders, child_bytes, 0 AS depth FROM nodes WHERE id = $1
    UNION ALL
    SELECT f.id, f.child_files, f.child_folders, f.child_bytes, w.depth + 1 FROM walk w ${step} WHERE w.child_folders > 0 AND w.depth < ${levels}
  )
  SELECT coalesce(sum(child_files), 0)::bigint AS files, greatest(count(*) - 1, 0)::bigint AS folders, coalesce(sum(child_bytes), 0)::bigint AS bytes,
         coalesce(max(depth + CASE WHEN child_files + child_folders > 0 THEN 1 ELSE 0 END), 0) AS height
    FROM walk`;

const FIGURES = figures(`JOIN nodes f ON f.parent_id = w.id AND f.kind = 'folder' AND f.removal IS NULL AND f.mount_of IS NULL`, MAX_DEPTH);
const FIGURES_WITH_MOUNTS = figures(
  `JOIN nodes c ON c.parent_id = w.id AND c.kind = 'folder' AND c.removal IS NULL AND (c.mount_of IS NULL OR node_is_live(c.mount_of))
   JOIN nodes f ON f.id = coalesce(c.mount_of, c.id)`,
  2 * MAX_DEPTH,
);

/** Walks over the live folders of a subtree. Files are never visited: their folders know how many and how large they are. */
@Injectable()
export class SubtreeRepository {
  constructor(private readonly database: Database) {}

  /** What lies below a folder, from the counters of the folders; mounts are left out. */
  async figures(folderId: string): Promise<SubtreeFigures> {
    return (await this.database.queryOne<SubtreeFigures & Record<string, unknown>>(FIGURES, [folderId]))!;
  }

  /** The same with what lies behind mounts, as their owner sees it. */
  async figuresWithMounts(folderId: string): Promise<SubtreeFigures> {
    return (await this.database.queryOne<SubtreeFigures & Record<string, unknown>>(FIGURES_WITH_MOUNTS, [folderId]))!;
  }
}
