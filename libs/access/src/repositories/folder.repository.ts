import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { WAYS_UP } from './chain-sql.js';

/** A folder as its owner knows it. */
export interface OwnedFolder {
  readonly id: string;
  readonly spaceId: string;
  readonly ownerId: number;
  readonly kind: 'folder' | 'file';
  readonly name: string;
  /** In the owner's home. */
  readonly path: string;
  /** It and all above it are in place. */
  readonly live: boolean;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

/** Nodes with their owners and the owners' paths. */
@Injectable()
export class FolderRepository {
  constructor(private readonly database: Database) {}

  /** The nodes by id, in one statement; unknown ids are absent. */
  async find(ids: readonly string[]): Promise<Map<string, OwnedFolder>> {
    if (ids.length === 0) return new Map();
    const rows = await this.database.query<OwnedFolder & Record<string, unknown>>(
      `WITH RECURSIVE ${WAYS_UP}
       SELECT n.id, n.space_id AS "spaceId", s.account_id AS "ownerId", n.kind, n.name, w.live, n.created_ms AS "createdMs", n.modified_ms AS "modifiedMs",
              coalesce((SELECT string_agg('/' || a.name, '' ORDER BY u.depth DESC) FROM up u JOIN nodes a ON a.id = u.id WHERE u.start = n.id AND u.parent_id IS NOT NULL), '/') AS path
         FROM way w JOIN nodes n ON n.id = w.start JOIN spaces s ON s.id = n.space_id WHERE w.depth = 0`,
      [ids],
    );
    return new Map(rows.map((row) => [row.id, row]));
  }
}
