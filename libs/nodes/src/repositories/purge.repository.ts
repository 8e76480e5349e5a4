import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { NodeKind } from '../node.js';

/** Erasing of what is marked 'purging'. The marked rows are the checkpoint: nothing else has to be remembered. */
@Injectable()
export class PurgeRepository {
  constructor(private readonly database: Database) {}

  /**
   * Marks up to `limit` of the things of a space that are not marked yet: what lies in the root, what is in the trash, and copies that were being made.
   * Returns how many. Needs the lock of the space.
   */
  async markAll(spaceId: string, rootId: string, limit: number, now: Date): Promise<number> {
    return this.database.run(
      `WITH chosen AS (
         SELECT id, kind, size_bytes, parent_id = $2 AND removal IS NULL AS listed FROM nodes
          WHERE space_id = $1 AND id <> $2 AND mount_of IS NULL AND (removal IN ('trashed', 'staged') OR (parent_id = $2 AND removal IS NULL))
          LIMIT $3 FOR UPDATE
       ), counted AS (
         UPDATE nodes r SET child_files = r.child_files - c.files, child_folders = r.child_folders - c.folders, child_bytes = r.child_bytes - c.bytes
           FROM (SELECT count(*) FILTER (WHERE kind = 'file') AS files, count(*) FILTER (WHERE kind = 'folder') AS folders,
                        coalesce(sum(size_bytes) FILTER (WHERE kind = 'file'), 0)::bigint AS bytes FROM chosen WHERE listed) c
          WHERE r.id = $2
       )
       UPDATE nodes n SET removal = 'purging', removed_at = $4, parent_id = $2, trash_name = NULL, restore_path = NULL, restore_key = NULL
         FROM chosen WHERE n.id = chosen.id`,
      [spaceId, rootId, limit, now],
    );
  }

  /** How many rows of a tree are left beside its root. */
  async countNodes(spaceId: string): Promise<number> {
    return (await this.database.queryOne<{ count: number }>('SELECT count(*) - 1 AS count FROM nodes WHERE space_id = $1', [spaceId]))!.count;
  }

  /** Some of the rows to erase in a space, oldest first. */
  async roots(spaceId: string, limit: number): Promise<{ id: string; kind: NodeKind }[]> {
    return this.database.query(`SELECT id, kind FROM nodes WHERE space_id = $1 AND removal = 'purging' ORDER BY removed_at, id LIMIT $2`, [
      spaceId,
      limit,
    ]);
  }

  /**
   * Takes up to `limit` children out of folders that are being erased: folders become rows to erase themselves, and what was trashed on its
   * own stays in the trash. Returns how many. Needs the lock of the space.
   */
  async flatten(spaceId: string, folderIds: readonly string[], limit: number, at: Date): Promise<number> {
    return this.database.run(
      `WITH child AS (
         SELECT id FROM nodes WHERE space_id = $1 AND parent_id = ANY($2::uuid[]) AND (kind = 'folder' OR removal = 'trashed') LIMIT $3 FOR UPDATE
       )
       UPDATE nodes n SET parent_id = s.root_id, removal = coalesce(n.removal, 'purging'), removed_at = coalesce(n.removed_at, $4)
         FROM child, spaces s WHERE n.id = child.id AND s.id = $1`,
      [spaceId, folderIds, limit, at],
    );
  }

  /** Whether `flatten` has something to do for these folders. */
  async needsFlatten(spaceId: string, folderIds: readonly string[]): Promise<boolean> {
    const row = await this.database.queryOne<{ found: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM nodes WHERE space_id = $1 AND parent_id = ANY($2::uuid[]) AND (kind = 'folder' OR removal = 'trashed')) AS found`,
      [spaceId, folderIds],
    );
    return row!.found;
  }

  /** Locks rows that are still to be erased, without waiting for those that somebody else holds. */
  async lockRoots(ids: readonly string[]): Promise<{ id: string; kind: NodeKind }[]> {
    return this.database.query(`SELECT id, kind FROM nodes WHERE id = ANY($1::uuid[]) AND removal = 'purging' ORDER BY id FOR UPDATE SKIP LOCKED`, [
      ids,
    ]);
  }

  /** Locks up to `limit` files in the given folders. */
  async lockFilesIn(spaceId: string, folderIds: readonly string[], limit: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `SELECT id FROM nodes WHERE space_id = $1 AND parent_id = ANY($2::uuid[]) AND kind = 'file' AND removal IS NULL LIMIT $3 FOR UPDATE`,
      [spaceId, folderIds, limit],
    );
    return rows.map((row) => row.id);
  }

  /** Deletes files whose versions are gone. */
  async deleteFiles(ids: readonly string[]): Promise<number> {
    return this.database.run(`DELETE FROM nodes WHERE id = ANY($1::uuid[]) AND kind = 'file'`, [ids]);
  }

  /** Deletes those of the folders that are empty. Must hold their locks, so that nothing is put into them meanwhile. */
  async deleteEmptyFolders(spaceId: string, ids: readonly string[]): Promise<number> {
    return this.database.run(
      `DELETE FROM nodes n WHERE n.id = ANY($2::uuid[]) AND n.removal = 'purging' AND NOT EXISTS (SELECT 1 FROM nodes c WHERE c.space_id = $1 AND c.parent_id = n.id)`,
      [spaceId, ids],
    );
  }

  /** Copies that made no progress since `before` will never be finished: hands them to the purge. Returns their spaces. */
  async abandonStaged(before: Date, at: Date): Promise<void> {
    await this.database.run(`UPDATE nodes SET removal = 'purging', removed_at = $2 WHERE removal = 'staged' AND removed_at < $1`, [before, at]);
  }

  /** Spaces that hold something to erase. */
  async spacesToPurge(): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(`SELECT DISTINCT space_id AS id FROM nodes WHERE removal = 'purging'`);
    return rows.map((row) => row.id);
  }

  /** Spaces whose trash holds something removed before the given time. */
  async spacesWithTrashBefore(before: Date): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `SELECT DISTINCT space_id AS id FROM nodes WHERE removal = 'trashed' AND removed_at <= $1`,
      [before],
    );
    return rows.map((row) => row.id);
  }
}
