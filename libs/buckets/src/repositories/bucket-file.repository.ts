import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { MAX_DEPTH } from '#libs/nodes';

import type { BucketFile } from '../bucket.js';

export type BucketFileRow = Omit<BucketFile, 'bucket'>;

export interface FileFacts {
  readonly public: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A file and the place that it gets. */
export interface Relocation {
  readonly id: string;
  readonly parentId: string;
  readonly name: string;
  readonly nameKey: string;
  readonly mimeType: string | null;
}

/** Only folders that can hold what begins with the prefix are walked into, and each is read by the index: without OFFSET 0 it is planned as a read of the whole table. */
const LIST = `
  WITH RECURSIVE walk AS (
    SELECT $1::uuid AS id, '' AS path, 0 AS depth
    UNION ALL
    SELECT n.id, w.path || n.name || '/', w.depth + 1
      FROM walk w JOIN nodes n ON n.parent_id = w.id AND n.kind = 'folder' AND n.removal IS NULL AND n.mount_of IS NULL
     WHERE w.depth < ${MAX_DEPTH} AND (starts_with(w.path || n.name || '/', $2) OR starts_with($2, w.path || n.name || '/'))
  ), found AS MATERIALIZED (
    SELECT n.id, (w.path || n.name) COLLATE "C" AS path
      FROM walk w CROSS JOIN LATERAL (SELECT c.id, c.name FROM nodes c WHERE c.parent_id = w.id AND c.kind = 'file' AND c.removal IS NULL OFFSET 0) n
     WHERE starts_with(w.path || n.name, $2)
  ), page AS (
    SELECT id, path FROM found ORDER BY path, id LIMIT $3 OFFSET $4
  )
  SELECT (SELECT count(*) FROM found)::bigint AS total, coalesce((
    SELECT json_agg(json_build_object('id', n.id, 'path', p.path, 'name', n.name, 'sizeBytes', n.size_bytes, 'mimeType', n.mime_type,
        'public', coalesce(f.public, false), 'metadata', coalesce(f.metadata, '{}'), 'createdMs', n.created_ms, 'modifiedMs', n.modified_ms) ORDER BY p.path, n.id)
      FROM page p JOIN nodes n ON n.id = p.id LEFT JOIN bucket_files f ON f.node_id = n.id), '[]') AS files`;

/** Files in buckets: their tree is that of `nodes`, and `bucket_files` says what else they are. */
@Injectable()
export class BucketFileRepository {
  constructor(private readonly database: Database) {}

  /** Files below a root whose path begins with `prefix`, in the order of their paths, and how many there are; one statement. */
  async list(rootId: string, prefix: string, limit: number, offset: number): Promise<{ total: number; files: readonly BucketFileRow[] }> {
    return (await this.database.queryOne<{ total: number; files: BucketFileRow[] }>(LIST, [rootId, prefix, limit, offset]))!;
  }

  /** What is said of these files beside what every file is; files of which nothing is said are absent. */
  async facts(ids: readonly string[]): Promise<Map<string, FileFacts>> {
    const rows = await this.database.query<FileFacts & { id: string }>(
      'SELECT node_id AS id, public, metadata FROM bucket_files WHERE node_id = ANY($1::uuid[])',
      [ids],
    );
    return new Map(rows.map(({ id, ...facts }) => [id, facts]));
  }

  async setFacts(
    id: string,
    facts: { readonly public?: boolean | undefined; readonly metadata?: Readonly<Record<string, unknown>> | undefined },
  ): Promise<void> {
    await this.database.run(
      `INSERT INTO bucket_files AS f (node_id, public, metadata) VALUES ($1, coalesce($2, false), coalesce($3::jsonb, '{}'))
       ON CONFLICT (node_id) DO UPDATE SET public = coalesce($2, f.public), metadata = coalesce($3::jsonb, f.metadata)`,
      [id, facts.public ?? null, facts.metadata === undefined ? null : JSON.stringify(facts.metadata)],
    );
  }

  async copyFacts(fromId: string, toId: string): Promise<void> {
    await this.database.run('INSERT INTO bucket_files (node_id, public, metadata) SELECT $2, public, metadata FROM bucket_files WHERE node_id = $1', [
      fromId,
      toId,
    ]);
  }

  /** Puts live files into their new places, all at once; the revision of each that was there. NAME_TAKEN. */
  async relocate(moves: readonly Relocation[]): Promise<Map<string, number>> {
    const rows = await this.database.query<{ id: string; revision: number }>(
      `UPDATE nodes n SET parent_id = i.parent_id, name = i.name, name_key = i.name_key, mime_type = i.mime_type, revision = n.revision + 1
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[]) AS i (id, parent_id, name, name_key, mime_type)
        WHERE n.id = i.id AND n.removal IS NULL AND n.kind = 'file' RETURNING n.id, n.revision`,
      [moves.map((m) => m.id), moves.map((m) => m.parentId), moves.map((m) => m.name), moves.map((m) => m.nameKey), moves.map((m) => m.mimeType)],
    );
    return new Map(rows.map(({ id, revision }) => [id, revision]));
  }

  /**
   * Removes a folder that holds nothing any more, and no root; whoever puts something into it in this moment is waited for, and it stays. The folder
   * above it, when it was removed.
   */
  async removeEmpty(folderId: string): Promise<{ parentId: string; spaceId: string; name: string } | null> {
    return this.database.queryOne(
      `DELETE FROM nodes f WHERE f.id = $1 AND f.kind = 'folder' AND f.parent_id IS NOT NULL AND f.removal IS NULL AND f.child_files = 0 AND f.child_folders = 0
          AND NOT EXISTS (SELECT 1 FROM nodes c WHERE c.parent_id = $1)
       RETURNING f.parent_id AS "parentId", f.space_id AS "spaceId", f.name`,
      [folderId],
    );
  }
}
