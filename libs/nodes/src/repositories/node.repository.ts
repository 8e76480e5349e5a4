import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { type News, plainNews, WOKEN_FEEDS } from '../changes/repositories/feed-sql.js';
import { segmentKeys } from '../names.js';
import { MAX_DEPTH, type NodeView, type PlacedNode, type Resolution } from '../node.js';
import type { FolderDelta } from './folder-delta.js';
import { MountRepository, seenThrough } from './mount.repository.js';
import { NODE_COLUMNS, nodeColumns, type NodeRow, type PlacedRow, toNode, toPlaced } from './node-columns.js';

export interface FolderToInsert {
  readonly id: string;
  readonly parentId: string;
  readonly name: string;
  readonly nameKey: string;
  readonly clientCreatedMs: number | null;
  readonly clientModifiedMs: number | null;
  /** Folders that are inserted below it in the same statement: 0 or 1. */
  readonly childFolders: number;
}

const JOINS = 'JOIN nodes n ON n.id = w.row_id JOIN spaces s ON s.id = n.space_id LEFT JOIN favorites f ON f.node_id = n.id AND f.account_id';

// The way down. A step onto a mount goes on in the folder it stands for (`id`), when that is in place, and remembers the mount (`row_id`) for
// its name and `entry` as the deepest folder entered in this way. There is at most one mount on a way, so it is no deeper than two trees.
const STEP = (carried: string, key: string, mounts = ''): string => `
    SELECT ${carried}coalesce(c.mount_of, c.id), c.id, w.depth + 1, w.chain || coalesce(c.mount_of, c.id), w.path || '/' || c.name,
           coalesce(c.mount_of, w.entry), CASE WHEN c.mount_of IS NULL THEN w.entry_depth ELSE w.depth + 1 END, w.in_share OR c.shared OR c.mount_of IS NOT NULL,
           w.limited OR c.limit_bytes IS NOT NULL OR c.mount_of IS NOT NULL
      FROM walk w JOIN nodes c ON c.parent_id = w.id AND c.name_key = ${key} AND c.removal IS NULL AND (c.mount_of IS NULL OR ${mounts}node_is_live(c.mount_of))
     WHERE w.depth < ${2 * MAX_DEPTH}`;
const WALK = 'id, row_id, depth, chain, path, entry, entry_depth, in_share, limited';
const FROM_ROOT = `r.id, r.id, 0, ARRAY[r.id], '', NULL::uuid, 0, r.shared, r.limit_bytes IS NOT NULL`;

// What few nodes need is asked by functions: a subquery costs its preparation on every run, a function only where it is called.
const DEPTH = 'CASE WHEN w.entry IS NULL THEN w.depth ELSE w.depth - w.entry_depth + node_depth(w.entry) END';
/** A folder above it on the way is offered to its owner's company; asked only where something on the way is shared. */
const PUBLISHED = (inShare: string): string => `${inShare} AND way_is_published(w.chain) AS "inPublished"`;
const WAY = (viewer: string): string =>
  `${nodeColumns(viewer)}, w.chain, w.path, ${DEPTH} AS depth, w.in_share AS "inShare", ${PUBLISHED('w.in_share')}, w.limited, w.entry, w.entry_depth AS "entryDepth"`;

const RESOLVE = `
  WITH RECURSIVE walk (${WALK}) AS (
    SELECT ${FROM_ROOT} FROM nodes r WHERE r.space_id = $1 AND r.parent_id IS NULL
    UNION ALL ${STEP('', '($2::text[])[w.depth + 1]')}
  )
  SELECT ${WAY('$3')} FROM (SELECT * FROM walk ORDER BY depth DESC LIMIT 1) w ${JOINS} = $3`;

const RESOLVE_MANY = `
  WITH RECURSIVE walk (turn, keys, ${WALK}) AS (
    SELECT p.turn, p.keys, ${FROM_ROOT}
      FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS p (keys, turn), nodes r WHERE r.space_id = $1 AND r.parent_id IS NULL
    UNION ALL ${STEP('w.turn, w.keys, ', '(w.keys ->> w.depth)')}
  )
  SELECT ${WAY('$3')} FROM (SELECT DISTINCT ON (turn) * FROM walk ORDER BY turn, depth DESC) w ${JOINS} = $3 ORDER BY w.turn`;

/** From any node that is in place; whoever has no home ($3 null) meets no mounts. `depth` is counted from the root of the space. */
const RESOLVE_FROM = `
  WITH RECURSIVE above AS (
    SELECT r.id, r.parent_id, r.removal, r.shared, r.limit_bytes, 0 AS depth FROM nodes r WHERE r.id = $1
    UNION ALL
    SELECT p.id, p.parent_id, p.removal, p.shared, p.limit_bytes, a.depth + 1 FROM above a JOIN nodes p ON p.id = a.parent_id WHERE a.depth < ${MAX_DEPTH}
  ), start AS (
    SELECT bool_or(shared) AS shared, bool_or(limit_bytes IS NOT NULL) AS limited, max(depth) AS depth FROM above HAVING bool_and(removal IS NULL)
  ), walk (turn, keys, ${WALK}) AS (
    SELECT p.turn, p.keys, r.id, r.id, 0, ARRAY[r.id], '', NULL::uuid, 0, start.shared, start.limited
      FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS p (keys, turn), start, nodes r WHERE r.id = $1
    UNION ALL ${STEP('w.turn, w.keys, ', '(w.keys ->> w.depth)', '$3::bigint IS NOT NULL AND ')}
  )
  SELECT ${nodeColumns('$3')}, w.chain, w.path, CASE WHEN w.entry IS NULL THEN start.depth + w.depth ELSE ${DEPTH} END AS depth, w.in_share AS "inShare",
         ${PUBLISHED('w.in_share')}, w.limited, w.entry, w.entry_depth AS "entryDepth"
    FROM (SELECT DISTINCT ON (turn) * FROM walk ORDER BY turn, depth DESC) w CROSS JOIN start ${JOINS} = $3 ORDER BY w.turn`;

const LOCATE = `
  WITH RECURSIVE walk AS (
    SELECT n.id AS start, n.parent_id AS up, ARRAY[n.id] AS chain, CASE WHEN n.parent_id IS NULL THEN '' ELSE '/' || n.name END AS path,
           n.removal IS NULL AS live, CASE WHEN n.shared THEN n.id END AS share, n.limit_bytes IS NOT NULL AS limited, 0 AS depth
      FROM nodes n WHERE n.id = ANY($1::uuid[]) AND n.mount_of IS NULL
    UNION ALL
    SELECT w.start, p.parent_id, p.id || w.chain, CASE WHEN p.parent_id IS NULL THEN '' ELSE '/' || p.name END || w.path, w.live AND p.removal IS NULL,
           CASE WHEN w.share IS NULL AND p.shared THEN p.id ELSE w.share END, w.limited OR p.limit_bytes IS NOT NULL, w.depth + 1
      FROM walk w JOIN nodes p ON p.id = w.up WHERE w.depth < ${MAX_DEPTH}
  )
  SELECT ${NODE_COLUMNS}, w.chain, w.path, w.live, w.depth, w.share IS NOT NULL AS "inShare", ${PUBLISHED('w.share IS NOT NULL')}, w.limited, w.share
    FROM (SELECT *, start AS row_id FROM walk WHERE up IS NULL) w ${JOINS} = $2`;

const NEW_FOLDER = `
    INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, client_created_ms, client_modified_ms, created_ms, modified_ms, author_id, child_folders)
    SELECT i.id, $1, i.parent_id, 'folder', i.name, i.name_key, i.created_ms, i.modified_ms, coalesce(i.created_ms, $10), coalesce(i.modified_ms, $10), $9, i.folders`;
const INSERT_FOLDERS = `
  WITH RECURSIVE item AS (
    SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::int[])
      AS i (id, parent_id, name, name_key, created_ms, modified_ms, folders)
  ), top AS (
    ${NEW_FOLDER} FROM item i WHERE i.id = ($2::uuid[])[1]
    ON CONFLICT (parent_id, name_key) WHERE removal IS NULL DO NOTHING RETURNING id
  ), below AS (
    ${NEW_FOLDER} FROM item i, top WHERE i.id <> top.id
  ), listed AS (
    UPDATE nodes p SET revision = p.revision + 1, child_folders = p.child_folders + 1 FROM top WHERE p.id = ($3::uuid[])[1]
  ), made AS (
    SELECT i.id, NULL::jsonb AS facts FROM item i, top
  ), ${plainNews('$11', 'made')}
  SELECT ${WOKEN_FEEDS} AS woken, audit_write($12) FROM top`;

interface ResolvedRow extends PlacedRow {
  entry: string | null;
  entryDepth: number;
}

/** Rows of `nodes` one by one and by set: finding them by path and id, and writing them. */
@Injectable()
export class NodeRepository {
  constructor(
    private readonly database: Database,
    private readonly mounts: MountRepository,
  ) {}

  /** Where a path leads among live nodes and through mounts, in one statement however deep. `viewerId` decides the favourite mark. */
  async resolvePath(spaceId: string, path: readonly string[], viewerId: number | null): Promise<Resolution> {
    const row = await this.database.queryOne<ResolvedRow>(RESOLVE, [spaceId, segmentKeys(path), viewerId]);
    if (!row) throw new Error(`space ${spaceId} has no root`);
    return resolution(row, path);
  }

  /** The same for many paths, in their order, in one statement. */
  async resolveMany(spaceId: string, paths: readonly (readonly string[])[], viewerId: number | null): Promise<Resolution[]> {
    if (paths.length === 0) return [];
    const rows = await this.database.query<ResolvedRow>(RESOLVE_MANY, [spaceId, JSON.stringify(paths.map(segmentKeys)), viewerId]);
    if (rows.length !== paths.length) throw new Error(`space ${spaceId} has no root`);
    return rows.map((row, index) => resolution(row, paths[index]!));
  }

  /** Where a path below a node leads; null when that is not in place. Like `resolveManyFrom`. */
  async resolveFrom(startId: string, path: readonly string[], viewerId: number | null): Promise<Resolution | null> {
    return (await this.resolveManyFrom(startId, [path], viewerId))?.[0] ?? null;
  }

  /**
   * Where paths that begin at a node lead, null when it, or a folder above it, is not in place. With `viewerId` the answer has his own paths,
   * through the mount above the start (one more statement); without one paths begin at the start, and mounts are not there.
   */
  async resolveManyFrom(startId: string, paths: readonly (readonly string[])[], viewerId: number | null): Promise<Resolution[] | null> {
    if (paths.length === 0) return [];
    const rows = await this.database.query<ResolvedRow>(RESOLVE_FROM, [startId, JSON.stringify(paths.map(segmentKeys)), viewerId]);
    if (rows.length !== paths.length) return null;
    const found = rows.map((row, index) => resolution(row, paths[index]!));
    if (viewerId === null || rows.every((row) => row.ownerId === viewerId || row.entry !== null)) return found;
    const mount = (await this.mounts.above(viewerId, [startId])).get(startId);
    if (!mount) return found;
    return found.map((each) => ({ ...each, placed: seenThrough(each.placed, new Map([[startId, mount]]), null) }));
  }

  /**
   * Nodes with their way and whether they are live, by id, in one statement, and a second one when some belong to others: to `viewerId` a node
   * of somebody else is where his mount is. Without a viewer all paths are those of the owner. Unknown ids, and those of mounts, are absent.
   */
  async locate(ids: readonly string[], viewerId: number | null): Promise<Map<string, PlacedNode>> {
    if (ids.length === 0) return new Map();
    const rows = await this.database.query<PlacedRow & { live: boolean; share: string | null }>(LOCATE, [ids, viewerId]);
    const own = viewerId === null || rows.every((row) => row.ownerId === viewerId);
    const mounts = own ? null : await this.mounts.above(viewerId, [...new Set(rows.flatMap((row) => (row.ownerId === viewerId ? [] : row.chain)))]);
    return new Map(
      rows.map(({ live, share, ...row }) => {
        const placed = toPlaced(row, live);
        return [row.id, mounts === null || row.ownerId === viewerId ? placed : seenThrough(placed, mounts, share)];
      }),
    );
  }

  /** Nodes without their way; a mount by its own id. Unknown ids are absent. */
  async byIds(ids: readonly string[], viewerId: number | null = null): Promise<NodeView[]> {
    if (ids.length === 0) return [];
    const rows = await this.database.query<NodeRow>(`SELECT ${nodeColumns('$2')} FROM unnest($1::uuid[]) AS w (row_id) ${JOINS} = $2`, [
      ids,
      viewerId,
    ]);
    return rows.map(toNode);
  }

  /** The live child of this name, or null. A mount of what is not in place has its name all the same, and is found. */
  async findChild(parentId: string, nameKey: string, viewerId: number | null = null): Promise<NodeView | null> {
    const row = await this.database.queryOne<NodeRow>(
      `SELECT ${nodeColumns('$3')} FROM (SELECT id AS row_id FROM nodes WHERE parent_id = $1 AND name_key = $2 AND removal IS NULL) w ${JOINS} = $3`,
      [parentId, nameKey, viewerId],
    );
    return row && toNode(row);
  }

  /** Which of these keys live children of the folder have. */
  async takenKeys(parentId: string, keys: readonly string[]): Promise<Set<string>> {
    if (keys.length === 0) return new Set();
    const rows = await this.database.query<{ key: string }>(
      'SELECT name_key AS key FROM nodes WHERE parent_id = $1 AND name_key = ANY($2::text[]) AND removal IS NULL',
      [parentId, keys],
    );
    return new Set(rows.map((row) => row.key));
  }

  /** Which of these keys live children of the folder have, and whether those are shared or mounts. */
  async occupied(parentId: string, keys: readonly string[]): Promise<{ key: string; shared: boolean }[]> {
    if (keys.length === 0) return [];
    return this.database.query<{ key: string; shared: boolean }>(
      `SELECT name_key AS key, shared OR mount_of IS NOT NULL AS shared FROM nodes WHERE parent_id = $1 AND name_key = ANY($2::text[]) AND removal IS NULL`,
      [parentId, keys],
    );
  }

  /** Which of these places a live node has, as `parentId/nameKey`. */
  async takenPlaces(places: readonly { readonly parentId: string; readonly nameKey: string }[]): Promise<Set<string>> {
    if (places.length === 0) return new Set();
    const rows = await this.database.query<{ place: string }>(
      `SELECT n.parent_id || '/' || n.name_key AS place
         FROM unnest($1::uuid[], $2::text[]) AS p (parent_id, name_key) JOIN nodes n ON n.parent_id = p.parent_id AND n.name_key = p.name_key AND n.removal IS NULL`,
      [places.map((p) => p.parentId), places.map((p) => p.nameKey)],
    );
    return new Set(rows.map((row) => row.place));
  }

  /**
   * Inserts folders from the top down, notes them in the listing above and tells `news` of them, in one statement: where everybody makes folders
   * in one place, the place is held no longer than that. The first may lose against a sibling of its name, which is waited for: then nothing is
   * inserted or told. `woken` are the feeds that were told. PARENT_NOT_FOUND when the parent has been erased meanwhile.
   */
  async insertFolders(
    spaceId: string,
    folders: readonly FolderToInsert[],
    authorId: number,
    nowMs: number,
    news: News,
  ): Promise<{ inserted: boolean; woken: readonly string[] }> {
    const row = await this.database.changeOne<{ woken: string[] | null }>(INSERT_FOLDERS, [
      spaceId,
      folders.map((f) => f.id),
      folders.map((f) => f.parentId),
      folders.map((f) => f.name),
      folders.map((f) => f.nameKey),
      folders.map((f) => f.clientCreatedMs),
      folders.map((f) => f.clientModifiedMs),
      folders.map((f) => f.childFolders),
      authorId,
      nowMs,
      news,
    ]);
    return { inserted: row !== null, woken: row?.woken ?? [] };
  }

  /** Notes that listings changed. The last write of its transaction: parents are where writers meet. Deltas of one folder are summed. */
  async bumpFolders(deltas: readonly FolderDelta[]): Promise<void> {
    const [first, ...more] = deltas;
    if (!first) return;
    if (more.every(({ folderId }) => folderId === first.folderId)) return this.bumpFolder(deltas);
    await this.database.run(
      `UPDATE nodes n SET revision = n.revision + 1, child_files = n.child_files + d.files, child_folders = n.child_folders + d.folders, child_bytes = n.child_bytes + d.bytes
         FROM (SELECT id, sum(files) AS files, sum(folders) AS folders, sum(bytes) AS bytes
                 FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) AS i (id, files, folders, bytes) GROUP BY id ORDER BY id) d
        WHERE n.id = d.id`,
      [deltas.map((d) => d.folderId), deltas.map((d) => d.files), deltas.map((d) => d.folders), deltas.map((d) => d.bytes)],
    );
  }

  /** One folder, as by most changes: by its key it is planned once, an array would be planned on each run. */
  private async bumpFolder(deltas: readonly FolderDelta[]): Promise<void> {
    const sum = (of: (delta: FolderDelta) => number): number => deltas.reduce((total, delta) => total + of(delta), 0);
    await this.database.run(
      `UPDATE nodes SET revision = revision + 1, child_files = child_files + $2, child_folders = child_folders + $3, child_bytes = child_bytes + $4 WHERE id = $1`,
      [deltas[0]!.folderId, sum(({ files }) => files), sum(({ folders }) => folders), sum(({ bytes }) => bytes)],
    );
  }

  /** Gives a live node another name; null when it is no longer what and where `seen` tells. NAME_TAKEN. */
  async rename(seen: NodeView, name: string, nameKey: string, mimeType: string | null): Promise<{ parentId: string; revision: number } | null> {
    return this.database.queryOne(
      `UPDATE nodes SET name = $2, name_key = $3, mime_type = $4, revision = revision + 1
        WHERE id = $1 AND removal IS NULL AND name = $5 AND parent_id = $6 RETURNING parent_id AS "parentId", revision`,
      [seen.id, name, nameKey, mimeType, seen.name, seen.parentId],
    );
  }

  /** Puts a live node into another folder; null when it is not there any more. NAME_TAKEN, PARENT_NOT_FOUND. Needs the lock of the space. */
  async reparent(id: string, parentId: string): Promise<{ kind: 'folder' | 'file'; sizeBytes: number; revision: number } | null> {
    return this.database.queryOne(
      `UPDATE nodes SET parent_id = $2, revision = revision + 1 WHERE id = $1 AND removal IS NULL RETURNING kind, size_bytes AS "sizeBytes", revision`,
      [id, parentId],
    );
  }

  /** Keeps nodes as they are, in one order for everybody, to the end of the transaction. */
  async hold(ids: readonly string[]): Promise<void> {
    await this.database.run('SELECT 1 FROM nodes WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE', [ids]);
  }

  /** Puts live nodes, which are held, into another folder under these names; what is not live is missing in the answer. Needs the lock of the space. NAME_TAKEN. */
  async reparentMany(
    parentId: string,
    items: readonly { readonly id: string; readonly name: string; readonly nameKey: string; readonly mimeType: string | null }[],
  ): Promise<Map<string, { kind: 'folder' | 'file'; sizeBytes: number; revision: number }>> {
    const rows = await this.database.query<{ id: string; kind: 'folder' | 'file'; sizeBytes: number; revision: number }>(
      `UPDATE nodes n SET parent_id = $1, name = i.name, name_key = i.name_key, mime_type = i.mime_type, revision = n.revision + 1
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS i (id, name, name_key, mime_type)
        WHERE n.id = i.id AND n.removal IS NULL RETURNING n.id, n.kind, n.size_bytes AS "sizeBytes", n.revision`,
      [parentId, items.map(({ id }) => id), items.map(({ name }) => name), items.map((item) => item.nameKey), items.map(({ mimeType }) => mimeType)],
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Marks or unmarks nodes for one account; toggles when `value` is undefined. Returns whether the node is marked now. */
  async setFavorite(accountId: number, nodeId: string, value: boolean | undefined): Promise<boolean> {
    if (value !== true && (await this.database.run('DELETE FROM favorites WHERE account_id = $1 AND node_id = $2', [accountId, nodeId])) === 1)
      return false;
    if (value === false) return false;
    await this.database.run('INSERT INTO favorites (account_id, node_id) VALUES ($1, $2) ON CONFLICT DO NOTHING', [accountId, nodeId]);
    return true;
  }
}

function resolution({ entry, entryDepth, ...row }: ResolvedRow, path: readonly string[]): Resolution {
  const placed = toPlaced(row, true);
  return { placed, missing: path.slice(placed.chain.length - 1), startId: entry ?? placed.chain[0]!, rest: path.slice(entryDepth) };
}
