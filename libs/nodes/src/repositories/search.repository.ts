import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { Media } from '../ledger/media-bytes.js';
import { nameKey } from '../names.js';
import { type LocatedNode, MAX_DEPTH, type NodeView } from '../node.js';
import type { NodeOrder } from './listing.repository.js';
import { NODE_COLUMNS, nodeColumns, type NodeRow, toNode } from './node-columns.js';

export interface SearchPage {
  readonly spaceId: string;
  /** Part of a name; case and composition do not matter. */
  readonly query: string;
  /** Only below this folder, which the viewer has at `underPath`. */
  readonly underId: string | null;
  readonly underPath: string;
  readonly media: Media | 'folder' | null;
  /** Only files whose MIME type fits this regular expression; never text from outside. */
  readonly mimePattern: string | null;
  /** Null: newest in the space first, which needs no sorting. */
  readonly orderBy: NodeOrder | null;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
  readonly viewerId: number | null;
}

/** How many hits, the newest, are put in an order other than their age. */
const MAX_ORDERED_HITS = 20_000;

const SORT = { name: 'name_key', modified: 'modified_ms', size: 'size_bytes' } as const;

/** The way up from the folder of a node: its path and ids, nearest first, when all of it is live, else no row. */
const wayUp = (node: string): string => `
  WITH RECURSIVE up AS (
    SELECT p.id, p.parent_id, CASE WHEN p.parent_id IS NULL THEN '' ELSE '/' || p.name END AS path, ARRAY[p.id] AS chain, 0 AS depth
      FROM nodes p WHERE p.id = ${node}.parent_id AND p.removal IS NULL
    UNION ALL
    SELECT p.id, p.parent_id, CASE WHEN p.parent_id IS NULL THEN '' ELSE '/' || p.name END || u.path, u.chain || p.id, u.depth + 1
      FROM up u JOIN nodes p ON p.id = u.parent_id AND p.removal IS NULL WHERE u.depth < ${MAX_DEPTH}
  )
  SELECT path, chain FROM up WHERE parent_id IS NULL`;

/** The part of a way up `w` that is below the folder at its position `at`, as `/a/b`. */
const below = (at: string): string =>
  `coalesce('/' || nullif(array_to_string((string_to_array(w.path, '/'))[cardinality(w.chain) - ${at} + 2:], '/'), ''), '')`;

/** The mounts of the asking account in the space, below the folder asked for, with their paths; none when it is somebody else's space. */
const MOUNTS = `
  mounts AS MATERIALIZED (
    SELECT m.mount_of AS target_id, t.space_id, w.path || '/' || m.name AS path
      FROM nodes m JOIN spaces ms ON ms.id = m.space_id AND ms.account_id = $6 JOIN nodes t ON t.id = m.mount_of CROSS JOIN LATERAL (${wayUp('m')}) w
     WHERE m.space_id = $1 AND m.mount_of IS NOT NULL AND ($3::uuid IS NULL OR $3::uuid = ANY(w.chain)) AND node_is_live(m.mount_of)
  )`;

interface Hit extends NodeRow {
  /** Where it is: below `under` when the hit is in the space itself, else the viewer's whole path. */
  readonly folder: string;
  readonly inside: boolean;
}

/** Search by name. */
@Injectable()
export class SearchRepository {
  private readonly statements = new Map<string, string>();

  constructor(private readonly database: Database) {}

  /**
   * Live nodes whose name holds the query, with their paths, in one statement: of the space, and of what is mounted in it when it is the viewer's.
   * Paths below `underId` begin with `underPath`. Ancestors are looked up for hits only until the page is full, or for those that are ordered.
   */
  async byName(page: SearchPage): Promise<LocatedNode[]> {
    const key = `${page.orderBy} ${page.descending} ${page.media} ${page.mimePattern !== null}`;
    let text = this.statements.get(key);
    if (text === undefined) this.statements.set(key, (text = statementText(page)));
    const rows = await this.database.query<Hit>(text, [
      page.spaceId,
      `%${escapeLike(nameKey(page.query))}%`,
      page.underId,
      page.limit,
      page.offset,
      page.viewerId,
      ...(page.mimePattern === null ? [] : [page.mimePattern]),
    ]);
    const start = page.underPath === '/' ? '' : page.underPath;
    return rows.map(({ folder, inside, ...row }) => ({ ...toNode(row), path: `${inside ? start : ''}${folder}/${row.name}` }));
  }

  /** Live favourites of an account, most recently marked first, in one statement. Paths are those of their owners. */
  async favorites(accountId: number, limit: number | null, offset: number): Promise<LocatedNode[]> {
    const rows = await this.database.query<NodeView & { folder: string }>(
      `SELECT ${NODE_COLUMNS}, coalesce(w.path, '') AS folder
         FROM favorites f JOIN nodes h ON h.id = f.node_id AND h.removal IS NULL
         LEFT JOIN LATERAL (${wayUp('h')}) w ON true
         JOIN nodes n ON n.id = h.id JOIN spaces s ON s.id = n.space_id
        WHERE f.account_id = $1 AND (w.chain IS NOT NULL OR h.parent_id IS NULL)
        ORDER BY f.created_at DESC, f.node_id DESC LIMIT $2::bigint OFFSET $3::bigint`,
      [accountId, limit, offset],
    );
    return rows.map(({ folder, ...node }) => ({ ...node, path: node.parentId === null ? '/' : `${folder}/${node.name}` }));
  }
}

function statementText({ orderBy, descending, media, mimePattern }: SearchPage): string {
  const column = orderBy === null ? 'id' : SORT[orderBy];
  const direction = descending ? 'DESC' : 'ASC';
  const order = column === 'id' ? `h.id ${direction}` : `h.${column} ${direction}, h.id ${direction}`;
  const kinds = `split_part(h.mime_type, '/', 1)`;
  let only = '';
  if (media === 'folder') only = `AND h.kind = 'folder'`;
  else if (media === 'other') only = `AND h.kind = 'file' AND ${kinds} NOT IN ('image', 'audio', 'video')`;
  else if (media !== null) only = `AND ${kinds} = '${media}'`;
  if (mimePattern !== null) only += ` AND h.mime_type ~ $7`;
  // Newest first is read off an index and ends when the page is full. Another order has to see the hits first: the newest of them are put in
  // order, so that a query that fits everything stays affordable.
  const hits = (space: string): string => {
    const where = `h.space_id = ${space} AND h.removal IS NULL AND h.parent_id IS NOT NULL AND h.name_key LIKE $2 ${only}
               AND (h.mount_of IS NULL OR ($6::bigint IS NOT NULL AND node_is_live(h.mount_of)))`;
    return column === 'id'
      ? `SELECT h.id, h.parent_id FROM nodes h WHERE ${where} ORDER BY ${order}`
      : `SELECT * FROM (SELECT h.id, h.parent_id, h.${column} FROM nodes h WHERE ${where} ORDER BY h.id DESC LIMIT ${MAX_ORDERED_HITS}) h ORDER BY ${order}`;
  };
  // Each part ends when it has the hits of all pages up to this one; together they have them too.
  const page = `ORDER BY ${order} LIMIT $4::bigint + $5::bigint`;
  const inside = `SELECT h.id, h.${column} AS value, true AS inside,
             CASE WHEN $3::uuid IS NULL THEN w.path ELSE ${below('array_position(w.chain, $3::uuid)')} END AS folder
        FROM (${hits('$1')}) h CROSS JOIN LATERAL (${wayUp('h')}) w WHERE $3::uuid IS NULL OR $3::uuid = ANY(w.chain) ${page}`;
  const mounted = `SELECT h.id, h.${column} AS value, false AS inside, b.path || ${below('b.at')} AS folder
        FROM (SELECT DISTINCT space_id FROM mounts) x CROSS JOIN LATERAL (${hits('x.space_id')}) h CROSS JOIN LATERAL (${wayUp('h')}) w
       CROSS JOIN LATERAL (
         SELECT m.path, array_position(w.chain, m.target_id) AS at FROM mounts m WHERE m.target_id = ANY(w.chain) ORDER BY at LIMIT 1
       ) b ${page}`;
  return `WITH ${MOUNTS}
    SELECT ${nodeColumns('$6')}, h.folder, h.inside
      FROM (SELECT * FROM ((${inside}) UNION ALL (${mounted})) h ORDER BY h.value ${direction}, h.id ${direction} LIMIT $4::bigint OFFSET $5::bigint) h
      JOIN nodes n ON n.id = h.id JOIN spaces s ON s.id = n.space_id LEFT JOIN favorites f ON f.node_id = n.id AND f.account_id = $6
     ORDER BY h.value ${direction}, h.id ${direction}`;
}

/** The text as a pattern that matches itself: no wildcard of the user's stays one. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
