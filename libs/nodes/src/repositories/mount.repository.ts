import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { newId } from '#libs/kernel';

import { nameKey } from '../names.js';
import { MAX_DEPTH, type PlacedNode } from '../node.js';
import type { FolderDelta } from './folder-delta.js';

/** Where a shared folder stands in somebody's home. */
export interface Mount {
  readonly id: string;
  readonly spaceId: string;
  /** Whose home it is. */
  readonly accountId: number;
  readonly parentId: string;
  readonly name: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** The shared folder. */
  readonly targetId: string;
}

/** A mount with the way to it in that home: ids of the folders, `targetId` last, and the path. */
export interface PlacedMount extends Mount {
  readonly chain: readonly string[];
  readonly path: string;
}

export interface NewMount {
  readonly spaceId: string;
  readonly parentId: string;
  readonly name: string;
  readonly targetId: string;
  /** Whose tree it is in. */
  readonly accountId: number;
  readonly nowMs: number;
}

const COLUMNS = `m.id, m.space_id AS "spaceId", s.account_id AS "accountId", m.parent_id AS "parentId", m.name, m.created_ms AS "createdMs",
  m.modified_ms AS "modifiedMs", m.mount_of AS "targetId"`;

/** Mounts that a condition on `m` and `s` finds, with their ways; those in a trashed folder are left out. */
const placed = (condition: string): string => `
  WITH RECURSIVE walk AS (
    SELECT m.id AS start, m.parent_id AS up, ARRAY[m.mount_of] AS chain, '/' || m.name AS path, 0 AS depth
      FROM nodes m JOIN spaces s ON s.id = m.space_id WHERE m.mount_of IS NOT NULL AND ${condition}
    UNION ALL
    SELECT w.start, p.parent_id, p.id || w.chain, CASE WHEN p.parent_id IS NULL THEN '' ELSE '/' || p.name END || w.path, w.depth + 1
      FROM walk w JOIN nodes p ON p.id = w.up AND p.removal IS NULL WHERE w.depth < ${MAX_DEPTH}
  )
  SELECT ${COLUMNS}, w.chain, w.path FROM walk w JOIN nodes m ON m.id = w.start JOIN spaces s ON s.id = m.space_id WHERE w.up IS NULL`;

const BY_SPACE = placed('m.space_id = $1');
const ABOVE = placed(`s.account_id = $1 AND s.kind = 'account' AND m.mount_of = ANY($2::uuid[])`);

/** Rows by which shared folders stand in the trees of those who have accepted them. */
@Injectable()
export class MountRepository {
  constructor(private readonly database: Database) {}

  /**
   * Puts a mount into a folder and counts it there, in one statement. Returns its id; null when this folder is mounted in the space already, or
   * the name is taken: then nothing is written. PARENT_NOT_FOUND.
   */
  async insert(mount: NewMount): Promise<string | null> {
    const id = newId(mount.nowMs);
    const inserted = await this.database.run(
      `WITH made AS (
         INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, created_ms, modified_ms, author_id, mount_of)
         VALUES ($1, $2, $3, 'folder', $4, $5, $6, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING parent_id
       ), listed AS (
         UPDATE nodes p SET revision = p.revision + 1, child_folders = p.child_folders + 1 FROM made WHERE p.id = made.parent_id
       )
       SELECT 1 FROM made`,
      [id, mount.spaceId, mount.parentId, mount.name, nameKey(mount.name), mount.nowMs, mount.accountId, mount.targetId],
    );
    return inserted === 1 ? id : null;
  }

  /** Takes mounts (by their own ids) out of their folders and counts them off there, in one statement. Those that are gone are left out of the answer. */
  async remove(ids: readonly string[]): Promise<Mount[]> {
    if (ids.length === 0) return [];
    return this.delete('d.id = ANY($1::uuid[])', ids);
  }

  /** The same for all mounts of these folders. */
  async removeOf(targetIds: readonly string[]): Promise<Mount[]> {
    if (targetIds.length === 0) return [];
    return this.delete('d.mount_of = ANY($1::uuid[])', targetIds);
  }

  /** The same for the mounts that stand directly in these folders. */
  async removeFrom(folderIds: readonly string[]): Promise<Mount[]> {
    if (folderIds.length === 0) return [];
    return this.delete('d.parent_id = ANY($1::uuid[])', folderIds);
  }

  /** The mounts of these folders in all spaces, also those in trashed folders. */
  async byTarget(targetIds: readonly string[]): Promise<Mount[]> {
    if (targetIds.length === 0) return [];
    return this.database.query<Mount & { chain: string[] }>(
      `SELECT ${COLUMNS} FROM nodes m JOIN spaces s ON s.id = m.space_id WHERE m.mount_of = ANY($1::uuid[]) ORDER BY m.id`,
      [targetIds],
    );
  }

  /** The mounts of a space that are in place there, with their ways, whether or not what they stand for is in place. */
  async bySpace(spaceId: string): Promise<PlacedMount[]> {
    return this.database.query<Mount & { chain: string[]; path: string }>(BY_SPACE, [spaceId]);
  }

  /** Of these folders, those that are mounted in the account's home, with their ways there, by the folder's id. */
  async above(accountId: number, targetIds: readonly string[]): Promise<Map<string, PlacedMount>> {
    if (targetIds.length === 0) return new Map();
    const rows = await this.database.query<Mount & { chain: string[]; path: string }>(ABOVE, [accountId, targetIds]);
    return new Map(rows.map((row) => [row.targetId, row]));
  }

  /** The mounts that lie in these folders of a space, at any depth. One look at an index when the space has none. */
  async within(spaceId: string, folderIds: readonly string[]): Promise<Mount[]> {
    if (folderIds.length === 0) return [];
    return this.database.query<Mount & { chain: string[] }>(
      `WITH RECURSIVE up AS (
         SELECT m.id AS start, m.parent_id AS id, 0 AS depth FROM nodes m WHERE m.space_id = $2 AND m.mount_of IS NOT NULL
         UNION ALL
         SELECT u.start, p.parent_id, u.depth + 1 FROM up u JOIN nodes p ON p.id = u.id WHERE u.depth < ${MAX_DEPTH}
       )
       SELECT ${COLUMNS} FROM nodes m JOIN spaces s ON s.id = m.space_id WHERE m.id IN (SELECT start FROM up WHERE id = ANY($1::uuid[])) ORDER BY m.id`,
      [folderIds, spaceId],
    );
  }

  /** Whether one of these folders of a space, or one below them in place, is shared. One look at an index when the space has none. */
  async holdShares(spaceId: string, folderIds: readonly string[]): Promise<boolean> {
    return (await this.sharedWithin(spaceId, folderIds)).length > 0;
  }

  /** The shared ones among these folders of a space and all below them. One look at an index when the space has none. */
  async sharedWithin(spaceId: string, folderIds: readonly string[]): Promise<string[]> {
    if (folderIds.length === 0) return [];
    const rows = await this.database.query<{ id: string }>(
      `WITH RECURSIVE up AS (
         SELECT n.id AS start, n.id, n.parent_id, 0 AS depth FROM nodes n WHERE n.space_id = $2 AND n.shared
         UNION ALL
         SELECT u.start, p.id, p.parent_id, u.depth + 1 FROM up u JOIN nodes p ON p.id = u.parent_id WHERE u.depth < ${MAX_DEPTH}
       )
       SELECT DISTINCT start AS id FROM up WHERE id = ANY($1::uuid[])`,
      [folderIds, spaceId],
    );
    return rows.map((row) => row.id);
  }

  /**
   * The listings, in other people's homes, that show these folders of a space or shared ones below them: give the answer to `bumpFolders` when
   * the folders lose or get back their place.
   */
  async listingsOf(spaceId: string, folderIds: readonly string[]): Promise<FolderDelta[]> {
    const mounts = await this.byTarget(await this.sharedWithin(spaceId, folderIds));
    return mounts.map(({ parentId }) => ({ folderId: parentId, files: 0, folders: 0, bytes: 0 }));
  }

  private delete(condition: string, ids: readonly string[]): Promise<Mount[]> {
    return this.database.query<Mount & { chain: string[] }>(
      `WITH m AS (
         DELETE FROM nodes d WHERE ${condition} AND d.mount_of IS NOT NULL RETURNING d.*
       ), listed AS (
         UPDATE nodes p SET revision = p.revision + 1, child_folders = p.child_folders - g.gone
           FROM (SELECT parent_id, count(*) AS gone FROM m GROUP BY parent_id ORDER BY parent_id) g WHERE p.id = g.parent_id
       )
       SELECT ${COLUMNS} FROM m JOIN spaces s ON s.id = m.space_id`,
      [ids],
    );
  }
}

/**
 * A node of another space as somebody sees it who has the given mounts: its way begins in his home. Without a mount above it the way begins at
 * the nearest shared folder, `/`; nothing of the owner's tree above that is told.
 */
export function seenThrough(placed: PlacedNode, mounts: ReadonlyMap<string, PlacedMount>, nearestShare: string | null): PlacedNode {
  const { node, chain } = placed;
  const names = node.path === '/' ? [] : node.path.slice(1).split('/');
  const last = chain.length - 1;
  // names[i] is the name of chain[i + 1]
  const below = (index: number): string =>
    names
      .slice(index)
      .map((name) => `/${name}`)
      .join('');
  for (let index = last; index >= 0; index--) {
    const mount = mounts.get(chain[index]!);
    if (!mount) continue;
    const way = { ...placed, chain: [...mount.chain, ...chain.slice(index + 1)] };
    if (index < last) return { ...way, node: { ...node, path: mount.path + below(index) } };
    const { id, spaceId, parentId, name, createdMs, modifiedMs, path } = mount;
    return { ...way, node: { ...node, parentId, name, createdMs, modifiedMs, path, mount: { id, spaceId } } };
  }
  const start = nearestShare === null ? last : Math.max(chain.indexOf(nearestShare), 0);
  return { ...placed, chain: chain.slice(start), node: { ...node, path: below(start) || '/' } };
}
