import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Rows of `declared_types`. */
@Injectable()
export class DeclaredTypeRepository {
  constructor(private readonly database: Database) {}

  async put(nodeId: string, versionNo: number, contentType: string): Promise<void> {
    await this.database.run(
      `INSERT INTO declared_types (node_id, version_no, content_type) VALUES ($1, $2, $3)
       ON CONFLICT (node_id) DO UPDATE SET version_no = excluded.version_no, content_type = excluded.content_type`,
      [nodeId, versionNo, contentType],
    );
  }

  /** What was declared of the current versions of these files, by file. One statement. */
  async ofCurrent(nodeIds: readonly string[]): Promise<Map<string, string>> {
    if (nodeIds.length === 0) return new Map();
    const rows = await this.database.query<{ id: string; contentType: string }>(
      `SELECT n.id, t.content_type AS "contentType" FROM declared_types t JOIN nodes n ON n.id = t.node_id AND n.current_version_no = t.version_no
        WHERE t.node_id = ANY($1::uuid[])`,
      [nodeIds],
    );
    return new Map(rows.map(({ id, contentType }) => [id, contentType]));
  }
}
