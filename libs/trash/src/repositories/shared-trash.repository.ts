import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { MAX_DEPTH, type NodeOrder } from '#libs/nodes';

/** Something in the trash that was below a folder. */
export interface TrashedBelow {
  readonly id: string;
  /** Where it was, seen from that folder: `/a/b`. */
  readonly way: string;
}

export interface BelowPage {
  readonly dirsOnly: boolean;
  readonly orderBy: NodeOrder;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

const SORT = { name: 'n.name_key', modified: 'n.modified_ms', size: 'n.size_bytes' } as const;

/**
 * The folders that things in the trash of a space ($1) have been taken from, as far as these are the folder $2 or below it, with the way from
 * there. A trash has many items and few places, and the way up from a place is short.
 */
const PLACES = `
  WITH RECURSIVE up AS (
    SELECT d.parent_id AS start, d.parent_id AS id, '' AS way, 0 AS depth
      FROM (SELECT DISTINCT parent_id FROM nodes WHERE space_id = $1 AND removal = 'trashed') d
    UNION ALL
    SELECT u.start, n.parent_id, '/' || n.name || u.way, u.depth + 1 FROM up u JOIN nodes n ON n.id = u.id
     WHERE u.id <> $2::uuid AND n.parent_id IS NOT NULL AND u.depth < ${MAX_DEPTH}
  ), place AS (
    SELECT start AS id, way FROM up WHERE id = $2::uuid
  )`;

/** What a shared folder has in the trash of its owner, and what else the trash has to know of sharing. */
@Injectable()
export class SharedTrashRepository {
  private readonly statements = new Map<string, string>();

  constructor(private readonly database: Database) {}

  /** One page of what was taken from below a folder, each by itself. */
  async listBelow(spaceId: string, folderId: string, { dirsOnly, orderBy, descending, offset, limit }: BelowPage): Promise<TrashedBelow[]> {
    const key = `${orderBy} ${descending} ${dirsOnly}`;
    let text = this.statements.get(key);
    if (text === undefined) {
      const direction = descending ? 'DESC' : 'ASC';
      text = `${PLACES}
        SELECT n.id, p.way || '/' || n.name AS way FROM place p JOIN nodes n ON n.parent_id = p.id AND n.removal = 'trashed'${dirsOnly ? ` AND n.kind = 'folder'` : ''}
         ORDER BY ${SORT[orderBy]} ${direction}, n.id ${direction} LIMIT $3::bigint OFFSET $4::bigint`;
      this.statements.set(key, text);
    }
    return this.database.query<TrashedBelow & Record<string, unknown>>(text, [spaceId, folderId, limit, offset]);
  }

  /** Those of the items that were taken from below the folder. */
  async below(spaceId: string, folderId: string, ids: readonly string[]): Promise<Map<string, string>> {
    if (ids.length === 0) return new Map();
    const rows = await this.database.query<TrashedBelow & Record<string, unknown>>(
      `${PLACES}
       SELECT n.id, p.way || '/' || n.name AS way FROM place p JOIN nodes n ON n.parent_id = p.id WHERE n.id = ANY($3::uuid[]) AND n.removal = 'trashed'`,
      [spaceId, folderId, ids],
    );
    return new Map(rows.map(({ id, way }) => [id, way]));
  }

  /** What was last taken out of each folder under each name, by `folderId/nameKey`. */
  async newestIn(places: readonly { readonly folderId: string; readonly nameKey: string }[]): Promise<Map<string, string>> {
    if (places.length === 0) return new Map();
    const rows = await this.database.query<{ place: string; id: string }>(
      `SELECT DISTINCT ON (p.folder_id, p.name_key) p.folder_id || '/' || p.name_key AS place, n.id
         FROM unnest($1::uuid[], $2::text[]) AS p (folder_id, name_key)
         JOIN nodes f ON f.id = p.folder_id
         JOIN nodes n ON n.parent_id = p.folder_id AND n.space_id = f.space_id AND n.name_key = p.name_key AND n.removal = 'trashed'
        ORDER BY p.folder_id, p.name_key, n.removed_at DESC, n.id DESC`,
      [places.map((place) => place.folderId), places.map((place) => place.nameKey)],
    );
    return new Map(rows.map(({ place, id }) => [place, id]));
  }

  /** Up to `limit` ids of what was trashed at `before` or earlier: the given ones, or any. */
  async dueIds(spaceId: string, ids: readonly string[] | null, before: Date, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `SELECT id FROM nodes WHERE space_id = $1 AND removal = 'trashed' AND ($2::uuid[] IS NULL OR id = ANY($2::uuid[])) AND removed_at <= $3
        ORDER BY removed_at, id LIMIT $4 FOR UPDATE`,
      [spaceId, ids, before, limit],
    );
    return rows.map((row) => row.id);
  }
}
