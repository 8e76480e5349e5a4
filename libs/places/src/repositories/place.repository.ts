import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { EntryCounts } from '../facts.js';

export type PlaceOwner = { readonly accountId: number } | { readonly groupId: number };
export type FolderPlace = 'home' | 'incoming';

/** Rows of `places`, and what listings count. */
@Injectable()
export class PlaceRepository {
  constructor(private readonly database: Database) {}

  async lock(owner: PlaceOwner, kind: FolderPlace): Promise<void> {
    await this.database.lock(`place:${kind}:${'groupId' in owner ? `g${owner.groupId}` : `a${owner.accountId}`}`);
  }

  /** The folder that stands for the place; whether it is still there is not asked. */
  async find(owner: PlaceOwner, kind: FolderPlace): Promise<string | null> {
    const [accountId, groupId] = columns(owner);
    const row = await this.database.queryOne<{ nodeId: string }>(
      'SELECT node_id AS "nodeId" FROM places WHERE kind = $1 AND account_id IS NOT DISTINCT FROM $2 AND group_id IS NOT DISTINCT FROM $3',
      [kind, accountId, groupId],
    );
    return row?.nodeId ?? null;
  }

  /** Needs the lock. */
  async put(owner: PlaceOwner, kind: FolderPlace, nodeId: string): Promise<void> {
    const [accountId, groupId] = columns(owner);
    await this.database.run('DELETE FROM places WHERE kind = $1 AND account_id IS NOT DISTINCT FROM $2 AND group_id IS NOT DISTINCT FROM $3', [
      kind,
      accountId,
      groupId,
    ]);
    await this.database.run('INSERT INTO places (kind, account_id, group_id, node_id) VALUES ($1, $2, $3, $4)', [kind, accountId, groupId, nodeId]);
  }

  /** Which of these nodes stand for a place, and whose. */
  of(nodeIds: readonly string[]): Promise<{ nodeId: string; kind: FolderPlace; accountId: number | null; groupId: number | null }[]> {
    return this.database.query(
      'SELECT node_id AS "nodeId", kind, account_id AS "accountId", group_id AS "groupId" FROM places WHERE node_id = ANY($1::uuid[])',
      [nodeIds],
    );
  }

  /** Ids of nodes that are shared with a group, at most `limit`. */
  async sharedWith(groupId: number, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>('SELECT node_id AS id FROM grants WHERE group_id = $1 ORDER BY created_at, id LIMIT $2', [
      groupId,
      limit,
    ]);
    return rows.map((row) => row.id);
  }

  /** Counts by node id; nodes without any are absent. One statement. */
  async counts(nodeIds: readonly string[]): Promise<Map<string, EntryCounts>> {
    if (nodeIds.length === 0) return new Map();
    const rows = await this.database.query<EntryCounts & { id: string } & Record<string, unknown>>(
      `SELECT c.id, sum(c.grants)::int AS grants, sum(c.links)::int AS links, sum(c.comments)::int AS comments FROM (
         SELECT node_id AS id, count(*) AS grants, 0 AS links, 0 AS comments FROM grants WHERE node_id = ANY($1::uuid[]) GROUP BY node_id
         UNION ALL SELECT node_id, 0, count(*), 0 FROM links WHERE node_id = ANY($1::uuid[]) GROUP BY node_id
         UNION ALL SELECT node_id, 0, 0, count(*) FROM comments WHERE node_id = ANY($1::uuid[]) GROUP BY node_id
       ) c GROUP BY c.id`,
      [nodeIds],
    );
    return new Map(rows.map(({ id, grants, links, comments }) => [id, { grants, links, comments }]));
  }
}

function columns(owner: PlaceOwner): [accountId: number | null, groupId: number | null] {
  return 'groupId' in owner ? [null, owner.groupId] : [owner.accountId, null];
}
