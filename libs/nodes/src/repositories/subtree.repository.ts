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

const BYTES = `
  WITH RECURSIVE walk AS (
    SELECT id AS start, id, child_folders, child_bytes, 0 AS depth FROM nodes WHERE id = ANY($1::uuid[])
    UNION ALL
    SELECT w.start, f.id, f.child_folders, f.child_bytes, w.depth + 1
      FROM walk w JOIN nodes c ON c.parent_id = w.id AND c.kind = 'folder' AND c.removal IS NULL AND (c.mount_of IS NULL OR ($2 AND node_is_live(c.mount_of)))
      JOIN nodes f ON f.id = coalesce(c.mount_of, c.id)
     WHERE w.child_folders > 0 AND w.depth < ${2 * MAX_DEPTH}
  )
  SELECT start AS id, sum(child_bytes)::bigint AS bytes FROM walk GROUP BY start`;

const HIGHEST = `
  WITH RECURSIVE walk AS (
    SELECT id, child_files, child_folders, 0 AS depth FROM nodes WHERE id = ANY($1::uuid[])
    UNION ALL
    SELECT f.id, f.child_files, f.child_folders, w.depth + 1
      FROM walk w JOIN nodes f ON f.parent_id = w.id AND f.kind = 'folder' AND f.removal IS NULL AND f.mount_of IS NULL
     WHERE w.child_folders > 0 AND w.depth < ${MAX_DEPTH}
  )
  SELECT coalesce(max(depth + CASE WHEN child_files + child_folders > 0 THEN 1 ELSE 0 END), 0) AS height FROM walk`;

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

  /** Bytes below each of the folders, in one statement however many; with what lies behind mounts where `withMounts`. Unknown ids are absent. */
  async bytesBelow(folderIds: readonly string[], withMounts: boolean): Promise<Map<string, number>> {
    if (folderIds.length === 0) return new Map();
    const rows = await this.database.query<{ id: string; bytes: number }>(BYTES, [folderIds, withMounts]);
    return new Map(rows.map(({ id, bytes }) => [id, bytes]));
  }

  /** Levels below the folder of these that has most of them. */
  async highest(folderIds: readonly string[]): Promise<number> {
    if (folderIds.length === 0) return 0;
    return (await this.database.queryOne<{ height: number }>(HIGHEST, [folderIds]))!.height;
  }
}
