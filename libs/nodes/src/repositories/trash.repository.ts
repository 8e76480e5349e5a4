import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { restoreKeys, segmentKeys } from '../names.js';
import { MAX_DEPTH, type NodeKind, type NodeView, type PlacedNode } from '../node.js';
import type { NodeOrder } from './listing.repository.js';
import { NODE_COLUMNS, type PlacedRow, toPlaced } from './node-columns.js';

export interface ToTrash {
  readonly id: string;
  readonly trashName: string;
  readonly restorePath: string;
  readonly restoreKey: string;
}

/** What a row was when its removal changed: the figures that its folder's counters have to follow. */
export interface ChangedRow {
  readonly id: string;
  readonly kind: NodeKind;
  readonly sizeBytes: number;
  readonly revision: number;
}

export interface TrashPage {
  readonly dirsOnly: boolean;
  readonly orderBy: NodeOrder;
  readonly descending: boolean;
  readonly offset: number;
  /** 0 = all. */
  readonly limit: number;
  readonly viewerId: number | null;
}

const CHANGED = 'n.id, n.kind, n.size_bytes AS "sizeBytes", n.revision';
const CLEARED = 'trash_name = NULL, restore_path = NULL, restore_key = NULL';
const SORT = { name: 'n.name_key', modified: 'n.modified_ms', size: 'n.size_bytes' } as const;

const RESOLVE_REMOVED = `
  WITH RECURSIVE ask AS (
    SELECT p.turn, p.item -> 'restoreKeys' AS restore_keys, p.item -> 'nameKeys' AS name_keys FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS p (item, turn)
  ), walk AS (
    SELECT a.turn, a.name_keys, n.id, k.depth::int AS depth, n.restore_path AS path, n.removed_at, ARRAY[n.id] AS chain
      FROM ask a CROSS JOIN LATERAL jsonb_array_elements_text(a.restore_keys) WITH ORDINALITY AS k (key, depth)
      JOIN LATERAL (SELECT * FROM nodes t WHERE t.space_id = $1 AND t.restore_key = k.key AND t.removal = 'trashed' ORDER BY t.removed_at DESC LIMIT 1) n ON true
    UNION ALL
    SELECT w.turn, w.name_keys, c.id, w.depth + 1, w.path || '/' || c.name, w.removed_at, w.chain || c.id
      FROM walk w JOIN nodes c ON c.parent_id = w.id AND c.name_key = (w.name_keys ->> w.depth) AND c.removal IS NULL
     WHERE w.depth < ${MAX_DEPTH}
  )
  SELECT ${NODE_COLUMNS}, w.chain, w.path, w.turn, w.depth, false AS "inShare", true AS limited
    FROM (SELECT DISTINCT ON (turn) * FROM walk WHERE depth = jsonb_array_length(name_keys) ORDER BY turn, removed_at DESC) w
    JOIN nodes n ON n.id = w.id JOIN spaces s ON s.id = n.space_id LEFT JOIN favorites f ON f.node_id = n.id AND f.account_id = $3`;

/** Rows that are in the trash, on their way into it or out of it. */
@Injectable()
export class TrashRepository {
  private readonly statements = new Map<string, string>();

  constructor(private readonly database: Database) {}

  /** Which of these names the trash of the space knows already. */
  async takenNames(spaceId: string, names: readonly string[]): Promise<Set<string>> {
    const rows = await this.database.query<{ name: string }>(
      `SELECT trash_name AS name FROM nodes WHERE space_id = $1 AND removal = 'trashed' AND trash_name = ANY($2::text[])`,
      [spaceId, names],
    );
    return new Set(rows.map((row) => row.name));
  }

  /** Trashes live nodes; those that are not there any more are left out of the answer. */
  async markTrashed(items: readonly ToTrash[], removedBy: number | null, at: Date): Promise<ChangedRow[]> {
    return this.database.query<ChangedRow>(
      `UPDATE nodes n SET removal = 'trashed', removed_at = $5, removed_by = $6, trash_name = i.trash_name, restore_path = i.restore_path, restore_key = i.restore_key,
              revision = n.revision + 1
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS i (id, trash_name, restore_path, restore_key)
        WHERE n.id = i.id AND n.removal IS NULL RETURNING ${CHANGED}`,
      [items.map((i) => i.id), items.map((i) => i.trashName), items.map((i) => i.restorePath), items.map((i) => i.restoreKey), at, removedBy],
    );
  }

  /** Hands live nodes to the purge: they lose their place at once. */
  async markPurging(ids: readonly string[], rootId: string, removedBy: number | null, at: Date): Promise<ChangedRow[]> {
    return this.database.query<ChangedRow>(
      `UPDATE nodes n SET removal = 'purging', parent_id = $2, removed_at = $3, removed_by = $4, revision = n.revision + 1
        WHERE n.id = ANY($1::uuid[]) AND n.removal IS NULL RETURNING ${CHANGED}`,
      [ids, rootId, at, removedBy],
    );
  }

  /** Hands trashed nodes to the purge: the given ones, or (`ids` null) up to `limit` of those removed at `before` or earlier. Returns how many. */
  async purgeTrashed(spaceId: string, ids: readonly string[] | null, before: Date, limit: number, at: Date): Promise<number> {
    return this.database.run(
      `WITH chosen AS (
         SELECT id FROM nodes WHERE space_id = $1 AND removal = 'trashed' AND ($2::uuid[] IS NULL OR id = ANY($2::uuid[])) AND removed_at <= $3
          ORDER BY removed_at, id LIMIT $4 FOR UPDATE
       )
       UPDATE nodes n SET removal = 'purging', parent_id = s.root_id, removed_at = $5, ${CLEARED}
         FROM chosen, spaces s WHERE n.id = chosen.id AND s.id = $1`,
      [spaceId, ids, before, limit, at],
    );
  }

  /** Puts trashed nodes into folders, under their old names; those that are not in the trash any more are left out. NAME_TAKEN. */
  async putBack(items: readonly { readonly id: string; readonly parentId: string }[]): Promise<ChangedRow[]> {
    return this.database.query<ChangedRow>(
      `UPDATE nodes n SET removal = NULL, removed_at = NULL, removed_by = NULL, parent_id = i.parent_id, ${CLEARED}, revision = n.revision + 1
         FROM unnest($1::uuid[], $2::uuid[]) AS i (id, parent_id) WHERE n.id = i.id AND n.removal = 'trashed' RETURNING ${CHANGED}`,
      [items.map((i) => i.id), items.map((i) => i.parentId)],
    );
  }

  /** Of the trashed nodes with one of these restore keys, the most recently trashed of each, by key. */
  async newestByKey(spaceId: string, keys: readonly string[], viewerId: number | null): Promise<Map<string, NodeView>> {
    const rows = await this.database.query<NodeView & { key: string }>(
      `SELECT DISTINCT ON (n.restore_key) ${NODE_COLUMNS}, n.restore_key AS key
         FROM nodes n JOIN spaces s ON s.id = n.space_id LEFT JOIN favorites f ON f.node_id = n.id AND f.account_id = $3
        WHERE n.space_id = $1 AND n.removal = 'trashed' AND n.restore_key = ANY($2::text[]) ORDER BY n.restore_key, n.removed_at DESC, n.id DESC`,
      [spaceId, keys, viewerId],
    );
    return new Map(rows.map(({ key, ...node }) => [key, node]));
  }

  /** Trashed nodes by the names the trash knows them by. */
  async byTrashNames(spaceId: string, names: readonly string[]): Promise<NodeView[]> {
    return this.database.query<NodeView>(
      `SELECT ${NODE_COLUMNS} FROM nodes n JOIN spaces s ON s.id = n.space_id LEFT JOIN favorites f ON f.node_id = n.id AND f.account_id = s.account_id
        WHERE n.space_id = $1 AND n.removal = 'trashed' AND n.trash_name = ANY($2::text[])`,
      [spaceId, names],
    );
  }

  /**
   * What is at each path counting the trash, in one statement: a trashed node that was there, or something inside of one. The most recently
   * trashed wins. The way (`chain`) begins at the trashed node.
   */
  async resolveRemoved(spaceId: string, paths: readonly (readonly string[])[], viewerId: number | null): Promise<(PlacedNode | null)[]> {
    if (paths.length === 0) return [];
    const asked = paths.map((path) => ({ restoreKeys: restoreKeys(path), nameKeys: segmentKeys(path) }));
    const rows = await this.database.query<PlacedRow & { turn: number }>(RESOLVE_REMOVED, [spaceId, JSON.stringify(asked), viewerId]);
    const byTurn = new Map(rows.map(({ turn, ...row }) => [turn, toPlaced(row, false)]));
    return paths.map((_, index) => byTurn.get(index + 1) ?? null);
  }

  /** One page of the trash. */
  async list(spaceId: string, page: TrashPage): Promise<NodeView[]> {
    const key = `${page.orderBy} ${page.descending} ${page.dirsOnly}`;
    let text = this.statements.get(key);
    if (text === undefined) {
      const direction = page.descending ? 'DESC' : 'ASC';
      text = `SELECT ${NODE_COLUMNS}
                FROM (SELECT n.id, ${SORT[page.orderBy]} AS value FROM nodes n
                       WHERE n.space_id = $1 AND n.removal = 'trashed'${page.dirsOnly ? ` AND n.kind = 'folder'` : ''}
                       ORDER BY value ${direction}, n.id ${direction} LIMIT $2::bigint OFFSET $3::bigint) t
                JOIN nodes n ON n.id = t.id JOIN spaces s ON s.id = n.space_id LEFT JOIN favorites f ON f.node_id = n.id AND f.account_id = $4
               ORDER BY t.value ${direction}, t.id ${direction}`;
      this.statements.set(key, text);
    }
    return this.database.query<NodeView>(text, [spaceId, page.limit === 0 ? null : page.limit, page.offset, page.viewerId]);
  }
}
