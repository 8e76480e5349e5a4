import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { MAX_DEPTH } from '#libs/nodes';

/** What one account uses, in bytes; null where nothing was ever stored. */
export interface RosterFigures {
  readonly accountId: number;
  readonly limitBytes: number | null;
  readonly softLimitBytes: number | null;
  readonly usedBytes: number | null;
  readonly reservedBytes: number;
  readonly imageBytes: number;
  readonly audioBytes: number;
  readonly videoBytes: number;
  readonly liveBytes: number;
  readonly trashBytes: number;
}

/** Figures of many accounts in one statement: quota, and the bytes of current versions in place and in the trash. Only folders are visited. */
@Injectable()
export class RosterRepository {
  constructor(private readonly database: Database) {}

  figures(accountIds: readonly number[]): Promise<RosterFigures[]> {
    return this.database.query<RosterFigures & Record<string, unknown>>(
      `WITH RECURSIVE home AS (
         SELECT s.id, s.account_id FROM spaces s WHERE s.account_id = ANY($1::bigint[]) AND s.kind = 'account'
       ), walk AS (
         SELECT n.id, h.account_id, n.child_folders, n.child_bytes, CASE WHEN n.kind = 'file' THEN n.size_bytes ELSE 0 END AS own,
                n.parent_id IS NOT NULL AS in_trash, 0 AS depth
           FROM home h JOIN nodes n ON n.space_id = h.id AND (n.parent_id IS NULL OR n.removal = 'trashed')
         UNION ALL
         SELECT c.id, w.account_id, c.child_folders, c.child_bytes, 0, w.in_trash, w.depth + 1
           FROM walk w JOIN nodes c ON c.parent_id = w.id AND c.kind = 'folder' AND c.removal IS NULL
          WHERE w.child_folders > 0 AND w.depth < ${MAX_DEPTH}
       ), placed AS (
         SELECT account_id, coalesce(sum(child_bytes + own) FILTER (WHERE NOT in_trash), 0)::bigint AS live,
                coalesce(sum(child_bytes + own) FILTER (WHERE in_trash), 0)::bigint AS trash FROM walk GROUP BY account_id
       )
       SELECT w.id AS "accountId", q.limit_bytes AS "limitBytes", q.soft_limit_bytes AS "softLimitBytes", q.used_bytes AS "usedBytes",
              coalesce(q.reserved_bytes, 0) AS "reservedBytes", coalesce(q.image_bytes, 0) AS "imageBytes", coalesce(q.audio_bytes, 0) AS "audioBytes",
              coalesce(q.video_bytes, 0) AS "videoBytes", coalesce(p.live, 0) AS "liveBytes", coalesce(p.trash, 0) AS "trashBytes"
         FROM unnest($1::bigint[]) AS w (id)
         LEFT JOIN quotas q ON q.owner_kind = 'account' AND q.owner_id = w.id
         LEFT JOIN placed p ON p.account_id = w.id`,
      [accountIds],
    );
  }
}
