import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { MediaBytes } from '../ledger/media-bytes.js';
import type { NodeKind } from '../node.js';

/** One node to copy and the id and folder its copy gets. */
export interface CopyPair {
  readonly sourceId: string;
  readonly copyId: string;
  readonly parentId: string;
}

export interface CopyTarget {
  readonly spaceId: string;
  readonly authorId: number;
  readonly nowMs: number;
}

export interface CopiedBatch {
  /** Ids of the copies that were made; a name that was taken meanwhile is left out. */
  readonly ids: readonly string[];
  readonly added: MediaBytes;
}

// Client dates are copied as they are; favourites, links and earlier versions stay behind. What the statement reads of a file and of its
// current version is one snapshot, whatever happens to the source meanwhile.
const INSERT_COPIES = (inPlace: boolean) => `
  WITH item AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS i (source_id, copy_id, parent_id)
  ), made AS (
    INSERT INTO nodes (id, space_id, parent_id, kind, name, name_key, current_version_no, blob_id, size_bytes, md5, mime_type,
                       client_created_ms, client_modified_ms, created_ms, modified_ms, author_id${inPlace ? '' : ', removal, removed_at'})
    SELECT i.copy_id, $4, i.parent_id, n.kind, coalesce($7, n.name), coalesce($8, n.name_key), CASE n.kind WHEN 'file' THEN 1 ELSE 0 END, n.blob_id, n.size_bytes, n.md5,
           n.mime_type, n.client_created_ms, n.client_modified_ms, coalesce(n.client_created_ms, $6), n.modified_ms, $5${inPlace ? '' : `, 'staged', to_timestamp($6::bigint / 1000.0)`}
      FROM item i JOIN nodes n ON n.id = i.source_id
    ON CONFLICT (parent_id, name_key) WHERE removal IS NULL DO NOTHING
    RETURNING id, parent_id, kind, blob_id, size_bytes, md5, mime_type, client_created_ms, client_modified_ms
  ), version AS (
    INSERT INTO versions (node_id, no, id, space_id, blob_id, size_bytes, md5, mime_type, media, origin, client_created_ms, client_modified_ms, author_id, created_at)
    SELECT m.id, 1, m.id, $4, m.blob_id, m.size_bytes, m.md5, m.mime_type,
           CASE WHEN split_part(m.mime_type, '/', 1) IN ('image', 'audio', 'video') THEN split_part(m.mime_type, '/', 1) ELSE 'other' END,
           'copy', m.client_created_ms, m.client_modified_ms, $5, to_timestamp($6::bigint / 1000.0)
      FROM made m WHERE m.kind = 'file'
    RETURNING size_bytes, media
  ), counted AS (
    UPDATE nodes p SET child_files = p.child_files + d.files, child_folders = p.child_folders + d.folders, child_bytes = p.child_bytes + d.bytes
      FROM (SELECT parent_id, count(*) FILTER (WHERE kind = 'file') AS files, count(*) FILTER (WHERE kind = 'folder') AS folders, sum(size_bytes) AS bytes
              FROM made GROUP BY parent_id) d
     WHERE p.id = d.parent_id AND $9
  )
  SELECT (SELECT coalesce(json_agg(id), '[]') FROM made) AS ids,
         json_build_object('image', coalesce(sum(size_bytes) FILTER (WHERE media = 'image'), 0), 'audio', coalesce(sum(size_bytes) FILTER (WHERE media = 'audio'), 0),
                           'video', coalesce(sum(size_bytes) FILTER (WHERE media = 'video'), 0), 'other', coalesce(sum(size_bytes) FILTER (WHERE media = 'other'), 0)) AS added
    FROM version`;

const IN_PLACE = INSERT_COPIES(true);
const STAGED = INSERT_COPIES(false);

/** Copying of nodes: rows only, the bytes stay where they are. */
@Injectable()
export class CopyRepository {
  constructor(private readonly database: Database) {}

  /** Some live children of a folder that are no mounts, by id after `afterId`. */
  async childIds(folderId: string, afterId: string | null, limit: number): Promise<{ id: string; kind: NodeKind; childCount: number }[]> {
    return this.database.query(
      `SELECT id, kind, child_files + child_folders AS "childCount" FROM nodes
        WHERE parent_id = $1 AND removal IS NULL AND mount_of IS NULL AND ($2::uuid IS NULL OR id > $2::uuid) ORDER BY id LIMIT $3`,
      [folderId, afterId, limit],
    );
  }

  /** All live children of many folders that are no mounts, up to `limit` in all; the folders are small. */
  async childrenOf(folderIds: readonly string[], limit: number): Promise<{ id: string; parentId: string; kind: NodeKind; childCount: number }[]> {
    return this.database.query(
      `SELECT id, parent_id AS "parentId", kind, child_files + child_folders AS "childCount" FROM nodes
        WHERE parent_id = ANY($1::uuid[]) AND removal IS NULL AND mount_of IS NULL LIMIT $2`,
      [folderIds, limit],
    );
  }

  /** Copies into folders that are copies themselves, and counts them there. */
  async insertBelow(pairs: readonly CopyPair[], target: CopyTarget): Promise<CopiedBatch> {
    return this.insert(IN_PLACE, pairs, target, null, true);
  }

  /** Copies one file into a live folder under a name of its own; the caller counts it. No id in the answer: the name is taken. */
  async insertFile(pair: CopyPair, target: CopyTarget, name: { name: string; nameKey: string }): Promise<CopiedBatch> {
    return this.insert(IN_PLACE, [pair], target, name, false);
  }

  /** Copies the row of a folder as a root that nobody sees yet. */
  async insertStaged(pair: CopyPair, target: CopyTarget): Promise<void> {
    await this.insert(STAGED, [pair], target, null, false);
  }

  /** Notes progress on a staged copy, so that nobody takes it for abandoned; false when somebody has. */
  async touchStaged(id: string, at: Date): Promise<boolean> {
    return (await this.database.run(`UPDATE nodes SET removed_at = $2 WHERE id = $1 AND removal = 'staged'`, [id, at])) === 1;
  }

  /** Shows a finished copy in its folder; false when it has been taken for abandoned. NAME_TAKEN, PARENT_NOT_FOUND. */
  async attach(id: string, parentId: string, name: string, nameKey: string): Promise<boolean> {
    const changed = await this.database.run(
      `UPDATE nodes SET removal = NULL, removed_at = NULL, parent_id = $2, name = $3, name_key = $4 WHERE id = $1 AND removal = 'staged'`,
      [id, parentId, name, nameKey],
    );
    return changed === 1;
  }

  /** Hands a staged copy to the purge. */
  async abandon(id: string, at: Date): Promise<void> {
    await this.database.run(`UPDATE nodes SET removal = 'purging', removed_at = $2 WHERE id = $1 AND removal = 'staged'`, [id, at]);
  }

  private async insert(
    text: string,
    pairs: readonly CopyPair[],
    { spaceId, authorId, nowMs }: CopyTarget,
    name: { name: string; nameKey: string } | null,
    count: boolean,
  ): Promise<CopiedBatch> {
    const row = await this.database.queryOne<CopiedBatch>(text, [
      pairs.map((p) => p.sourceId),
      pairs.map((p) => p.copyId),
      pairs.map((p) => p.parentId),
      spaceId,
      authorId,
      nowMs,
      name?.name ?? null,
      name?.nameKey ?? null,
      count,
    ]);
    return row!;
  }
}
