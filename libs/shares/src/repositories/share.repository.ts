import { Injectable } from '@nestjs/common';

import { newHash } from '#libs/access';
import { Database } from '#libs/database';

/** A folder that its owner shares. */
export interface Share {
  readonly nodeId: string;
  readonly ownerId: number;
  readonly ownerCompanyId: number | null;
  readonly hash: string;
  /** Whoever knows the hash may accept it, and may write then. */
  readonly open: boolean;
  readonly openCanWrite: boolean;
  /** Whoever knows the hash may read. */
  readonly publicView: boolean;
  readonly message: string;
  readonly publicName: string | null;
  readonly folderHash: string | null;
}

/** What a client may change of a share; absent fields stay as they are. */
export interface ShareChange {
  readonly open?: boolean;
  readonly openCanWrite?: boolean;
  readonly publicView?: boolean;
  readonly message?: string;
}

const COLUMNS = `h.node_id AS "nodeId", s.account_id AS "ownerId", a.company_id AS "ownerCompanyId", h.hash, h.open, h.open_can_write AS "openCanWrite", h.public_view AS "publicView",
  h.message, h.public_name AS "publicName", h.folder_hash AS "folderHash"`;
const FROM = 'shares h JOIN nodes n ON n.id = h.node_id JOIN spaces s ON s.id = n.space_id JOIN accounts a ON a.id = s.account_id';

/** Rows of `shares`. `nodes.shared` is true exactly while there is one. */
@Injectable()
export class ShareRepository {
  constructor(private readonly database: Database) {}

  async find(nodeId: string): Promise<Share | null> {
    return this.database.queryOne<Share & Record<string, unknown>>(`SELECT ${COLUMNS} FROM ${FROM} WHERE h.node_id = $1`, [nodeId]);
  }

  async byHash(hash: string): Promise<Share | null> {
    return this.database.queryOne<Share & Record<string, unknown>>(`SELECT ${COLUMNS} FROM ${FROM} WHERE h.hash = $1`, [hash]);
  }

  /** Makes the row and marks the folder; false when it is shared already. */
  async insert(nodeId: string, sharedBy: number, message: string, at: Date): Promise<boolean> {
    const inserted = await this.database.run(
      `WITH made AS (
         INSERT INTO shares (node_id, hash, message, shared_by, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (node_id) DO NOTHING RETURNING node_id
       ), marked AS (
         UPDATE nodes n SET shared = true FROM made WHERE n.id = made.node_id
       )
       SELECT 1 FROM made`,
      [nodeId, newHash(), message, sharedBy, at],
    );
    return inserted === 1;
  }

  async change(nodeId: string, { open, openCanWrite, publicView, message }: ShareChange): Promise<void> {
    await this.database.run(
      `UPDATE shares SET open = coalesce($2, open), open_can_write = coalesce($3, open_can_write), public_view = coalesce($4, public_view),
              message = coalesce($5, message) WHERE node_id = $1`,
      [nodeId, open ?? null, openCanWrite ?? null, publicView ?? null, message ?? null],
    );
  }

  /** Nobody gets in by the hash any more, nor by the one it had. */
  async closeHash(nodeId: string): Promise<void> {
    await this.database.run('UPDATE shares SET open = false, open_can_write = false, public_view = false, hash = $2 WHERE node_id = $1', [
      nodeId,
      newHash(),
    ]);
  }

  /** Removes the row and the mark; false when the folder is not shared. */
  async remove(nodeId: string): Promise<boolean> {
    const removed = await this.database.run(
      `WITH gone AS (DELETE FROM shares WHERE node_id = $1 RETURNING node_id), marked AS (
         UPDATE nodes n SET shared = false FROM gone WHERE n.id = gone.node_id
       )
       SELECT 1 FROM gone`,
      [nodeId],
    );
    return removed === 1;
  }

  /** Removes the row when nothing is left of the share: no grant, no open hash, no name in the company. */
  async removeIfEmpty(nodeId: string): Promise<boolean> {
    const isEmpty = await this.database.queryOne(
      `SELECT 1 FROM shares h WHERE h.node_id = $1 AND NOT h.open AND NOT h.public_view AND h.folder_hash IS NULL
          AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.node_id = h.node_id)`,
      [nodeId],
    );
    return isEmpty !== null && (await this.remove(nodeId));
  }

  /** Keeps the share, where there is one, for this transaction alone. Before groups are held and grants locked, everywhere. */
  async hold(nodeId: string): Promise<void> {
    await this.database.run('SELECT 1 FROM shares WHERE node_id = $1 FOR UPDATE', [nodeId]);
  }

  /** The company of a group; null for an unknown one. */
  async companyOfGroup(groupId: number): Promise<number | null> {
    const row = await this.database.queryOne<{ companyId: number }>('SELECT company_id AS "companyId" FROM groups WHERE id = $1', [groupId]);
    return row?.companyId ?? null;
  }
}
