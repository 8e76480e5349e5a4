import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** How a file is open by its id; what is open to nobody has no row. */
export interface FileAccessRow {
  readonly nodeId: string;
  readonly mode: 'public' | 'password' | 'email';
  /** Of the link that opens it; null for `email`. */
  readonly hash: string | null;
}

/** An account to which a file is open. `email` is empty when it has none. */
export interface Recipient {
  readonly accountId: number;
  readonly publicId: string;
  readonly name: string;
  readonly email: string;
}

/** Rows of `file_access`. */
@Injectable()
export class FileAccessRepository {
  constructor(private readonly database: Database) {}

  /** Waits until this transaction alone changes to whom the file is open. */
  async lock(nodeId: string): Promise<void> {
    await this.database.lock(`file-access:${nodeId}`);
  }

  /** How these files are open at `at`, by what their owners have given: a link of somebody else, or one that has ended, opens none. One statement. */
  async find(nodeIds: readonly string[], at: Date): Promise<Map<string, FileAccessRow>> {
    if (nodeIds.length === 0) return new Map();
    const rows = await this.database.query<FileAccessRow & Record<string, unknown>>(
      `SELECT f.node_id AS "nodeId", l.hash, CASE WHEN f.link_id IS NULL THEN 'email' WHEN l.password_hash IS NULL THEN 'public' ELSE 'password' END AS mode
         FROM file_access f JOIN nodes n ON n.id = f.node_id JOIN spaces s ON s.id = n.space_id LEFT JOIN links l ON l.id = f.link_id
        WHERE f.node_id = ANY($1::uuid[])
          AND (f.link_id IS NULL OR (l.issuer_id = s.account_id AND l.rights = 'download' AND (l.expires_at IS NULL OR l.expires_at > $2)))`,
      [nodeIds, at],
    );
    return new Map(rows.map((row) => [row.nodeId, row]));
  }

  /** Opens the file to those who have grants on it. */
  async openToGranted(nodeId: string): Promise<void> {
    await this.database.run('INSERT INTO file_access (node_id, link_id) VALUES ($1, NULL) ON CONFLICT (node_id) DO UPDATE SET link_id = NULL', [
      nodeId,
    ]);
  }

  /** Opens the file as far as a link opens; false when that is gone. */
  async openByLink(nodeId: string, linkId: string): Promise<boolean> {
    const changed = await this.database.run(
      `INSERT INTO file_access (node_id, link_id) SELECT $1, l.id FROM links l WHERE l.id = $2 FOR KEY SHARE
       ON CONFLICT (node_id) DO UPDATE SET link_id = excluded.link_id`,
      [nodeId, linkId],
    );
    return changed === 1;
  }

  async remove(nodeId: string): Promise<void> {
    await this.database.run('DELETE FROM file_access WHERE node_id = $1', [nodeId]);
  }

  /** The accounts that have a grant on one of these files, by file, in the order in which they were given. One statement. */
  async recipients(nodeIds: readonly string[]): Promise<Map<string, Recipient[]>> {
    const found = new Map<string, Recipient[]>();
    if (nodeIds.length === 0) return found;
    const rows = await this.database.query<Recipient & { nodeId: string } & Record<string, unknown>>(
      `SELECT g.node_id AS "nodeId", a.id AS "accountId", a.public_id AS "publicId", a.name,
              coalesce((SELECT l.value FROM logins l WHERE l.account_id = a.id AND l.kind = 'email' ORDER BY l.created_at, l.id LIMIT 1), '') AS email
         FROM grants g JOIN accounts a ON a.id = g.account_id AND a.state <> 'deleted'
        WHERE g.node_id = ANY($1::uuid[]) ORDER BY g.created_at, g.id`,
      [nodeIds],
    );
    for (const { nodeId, ...recipient } of rows) found.set(nodeId, [...(found.get(nodeId) ?? []), recipient]);
    return found;
  }

  /** A file that is in place in the home of an account, whoever asks; null for anything else. */
  file(id: string): Promise<{ id: string; spaceId: string; sizeBytes: number; versionNo: number } | null> {
    return this.database.queryOne(
      `SELECT n.id, n.space_id AS "spaceId", n.size_bytes AS "sizeBytes", n.current_version_no AS "versionNo" FROM nodes n JOIN spaces s ON s.id = n.space_id
        WHERE n.id = $1 AND n.kind = 'file' AND s.kind = 'account' AND node_is_live(n.id)`,
      [id],
    );
  }
}
