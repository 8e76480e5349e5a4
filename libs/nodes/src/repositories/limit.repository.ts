import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { MAX_DEPTH } from '../node.js';

/** Folders that may hold only so much. */
@Injectable()
export class LimitRepository {
  constructor(private readonly database: Database) {}

  /** Whether a space has a folder with a limit at all. */
  async anyIn(spaceId: string): Promise<boolean> {
    const row = await this.database.queryOne<{ any: boolean }>(
      'SELECT EXISTS (SELECT 1 FROM nodes WHERE space_id = $1 AND limit_bytes IS NOT NULL) AS any',
      [spaceId],
    );
    return row!.any;
  }

  /** How much a folder may hold in all; null = not limited. */
  async set(folderId: string, limitBytes: number | null): Promise<void> {
    await this.database.run('UPDATE nodes SET limit_bytes = $2 WHERE id = $1', [folderId, limitBytes]);
  }

  /**
   * The folders with a limit at and above a folder, without those at and above `butAbove`, in the order of their ids. It ends at one look at an
   * index when the space has no folder with a limit.
   */
  async above(folderId: string, butAbove: string | null): Promise<{ id: string; limitBytes: number }[]> {
    return this.database.query(
      `WITH RECURSIVE up AS (
         SELECT n.id AS start, n.id, n.parent_id, n.limit_bytes, 0 AS depth FROM nodes n
          WHERE n.id IN ($1::uuid, $2::uuid) AND EXISTS (SELECT 1 FROM nodes l WHERE l.space_id = n.space_id AND l.limit_bytes IS NOT NULL)
         UNION ALL
         SELECT u.start, p.id, p.parent_id, p.limit_bytes, u.depth + 1 FROM up u JOIN nodes p ON p.id = u.parent_id WHERE u.depth < ${MAX_DEPTH}
       )
       SELECT u.id, u.limit_bytes AS "limitBytes" FROM up u
        WHERE u.start = $1 AND u.limit_bytes IS NOT NULL AND NOT EXISTS (SELECT 1 FROM up o WHERE o.start = $2 AND o.id = u.id) ORDER BY u.id`,
      [folderId, butAbove],
    );
  }
}
