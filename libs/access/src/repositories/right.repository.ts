import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { Right } from '../right.js';
import { ACCEPTED, WAYS_UP } from './chain-sql.js';

/** What grants give on one node; `live` is false for what lies in the trash, below a folder of the grant that is in place. */
export interface RightRow extends Right {
  readonly id: string;
  /** What is given by grants on the folders above alone. */
  readonly writeAround: boolean;
  readonly deleteAround: boolean;
  readonly live: boolean;
}

/** One reason why somebody has a right on a node. */
export interface ReasonRow extends Right {
  readonly accountId: number;
  /** Null for the owner. */
  readonly grantId: string | null;
  /** Where the grant is: the node itself or a folder above it. */
  readonly nodeId: string;
  readonly groupId: number | null;
  readonly live: boolean;
}

const RIGHTS = 'g.can_write AS write, g.can_delete AS delete, g.can_download AS download';

/** What grants give to accounts, read from the ways up from nodes. */
@Injectable()
export class RightRepository {
  constructor(private readonly database: Database) {}

  /** The rights of one account on nodes of others, in one statement; nodes that it has none on are absent. */
  async ofAccount(accountId: number, nodeIds: readonly string[]): Promise<RightRow[]> {
    if (nodeIds.length === 0) return [];
    return this.database.query<RightRow>(
      `WITH RECURSIVE ${WAYS_UP}
       SELECT w.start AS id, w.live, bool_or(g.can_write) AS write, bool_or(g.can_delete) AS delete, bool_or(g.can_download) AS download,
              bool_or(g.can_write AND w.depth > 0) AS "writeAround", bool_or(g.can_delete AND w.depth > 0) AS "deleteAround"
         FROM way w JOIN grants g ON g.node_id = w.id ${ACCEPTED} AND i.account_id = $2
        WHERE w.open AND NOT w.gone GROUP BY w.start, w.live`,
      [nodeIds, accountId],
    );
  }

  /** Everybody who has a right on the node, with each reason: the owner first, then nearer grants before farther ones. */
  async reasons(nodeId: string): Promise<ReasonRow[]> {
    return this.database.query<ReasonRow>(
      `WITH RECURSIVE ${WAYS_UP}
       SELECT s.account_id AS "accountId", NULL::uuid AS "grantId", w.id AS "nodeId", NULL::bigint AS "groupId", w.live,
              true AS write, true AS delete, true AS download, -1 AS depth
         FROM way w JOIN spaces s ON s.id = w.space_id WHERE w.depth = 0
       UNION ALL
       SELECT i.account_id, g.id, w.id, g.group_id, w.live, ${RIGHTS}, w.depth
         FROM way w JOIN grants g ON g.node_id = w.id ${ACCEPTED}
        WHERE w.open AND NOT w.gone
        ORDER BY depth, "accountId", "grantId"`,
      [[nodeId]],
    );
  }
}
