import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { Right } from '../right.js';
import { ACCEPTED } from './chain-sql.js';

/** To whom a grant is given. */
export type Subject = { readonly accountId: number } | { readonly groupId: number };

export interface Grant extends Right {
  readonly id: string;
  readonly nodeId: string;
  readonly accountId: number | null;
  readonly groupId: number | null;
}

/** A mount whose owner has no accepted grant on its folder any more, and where it stands. */
export interface LostMount {
  readonly id: string;
  readonly spaceId: string;
  readonly accountId: number;
  readonly parentId: string;
  readonly name: string;
  readonly targetId: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly path: string;
}

const COLUMNS = `g.id, g.node_id AS "nodeId", g.account_id AS "accountId", g.group_id AS "groupId", g.can_write AS write, g.can_delete AS delete, g.can_download AS download`;

const LOST = `
  WITH RECURSIVE lost AS (
    SELECT m.id, m.space_id, s.account_id, m.parent_id, m.name, m.mount_of, m.created_ms, m.modified_ms
      FROM nodes m JOIN spaces s ON s.id = m.space_id
     WHERE m.mount_of = ANY($1::uuid[]) AND ($2::bigint[] IS NULL OR s.account_id = ANY($2::bigint[]))
       AND NOT EXISTS (SELECT 1 FROM grants g ${ACCEPTED} AND i.account_id = s.account_id WHERE g.node_id = m.mount_of)
  ), walk AS (
    SELECT l.id AS start, l.parent_id AS up, '/' || l.name AS path, 0 AS depth FROM lost l
    UNION ALL
    SELECT w.start, p.parent_id, CASE WHEN p.parent_id IS NULL THEN '' ELSE '/' || p.name END || w.path, w.depth + 1
      FROM walk w JOIN nodes p ON p.id = w.up WHERE w.depth < 128
  )
  SELECT l.id, l.space_id AS "spaceId", l.account_id AS "accountId", l.parent_id AS "parentId", l.name, l.mount_of AS "targetId",
         l.created_ms AS "createdMs", l.modified_ms AS "modifiedMs", w.path
    FROM lost l JOIN walk w ON w.start = l.id AND w.up IS NULL ORDER BY l.id`;

/** Rows of `grants`, and what hangs on them. */
@Injectable()
export class GrantRepository {
  constructor(private readonly database: Database) {}

  /** Waits until this transaction alone may change who has a folder. More than one folder: in the order of their ids, so that nobody waits in a ring. */
  async lock(nodeIds: readonly string[]): Promise<void> {
    for (const nodeId of [...new Set(nodeIds)].sort()) await this.database.lock(`share:${nodeId}`);
  }

  /** The company of a group, whose members stay as they are until the transaction ends; null for an unknown group. Before `lock`. */
  async holdGroup(groupId: number): Promise<number | null> {
    const row = await this.database.queryOne<{ companyId: number }>('SELECT company_id AS "companyId" FROM groups WHERE id = $1 FOR SHARE', [
      groupId,
    ]);
    return row?.companyId ?? null;
  }

  async groupMembers(groupId: number): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>('SELECT account_id AS id FROM group_members WHERE group_id = $1 ORDER BY account_id', [
      groupId,
    ]);
    return rows.map((row) => row.id);
  }

  /** False when the subject has a grant there already. */
  async insert(grant: Grant, grantedBy: number, at: Date): Promise<boolean> {
    const { id, nodeId, accountId, groupId, write, delete: canDelete, download } = grant;
    const inserted = await this.database.run(
      `INSERT INTO grants (id, node_id, account_id, group_id, can_write, can_delete, can_download, granted_by, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
      [id, nodeId, accountId, groupId, write, canDelete, download, grantedBy, at],
    );
    return inserted === 1;
  }

  async find(nodeId: string, subject: Subject): Promise<Grant | null> {
    const [accountId, groupId] = 'accountId' in subject ? [subject.accountId, null] : [null, subject.groupId];
    return this.database.queryOne<Grant & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM grants g WHERE g.node_id = $1 AND (g.account_id = $2 OR g.group_id = $3)`,
      [nodeId, accountId, groupId],
    );
  }

  /** The grants of groups, on whatever node. */
  async ofGroup(groupId: number): Promise<Grant[]> {
    return this.database.query<Grant & Record<string, unknown>>(`SELECT ${COLUMNS} FROM grants g WHERE g.group_id = $1 ORDER BY g.node_id`, [
      groupId,
    ]);
  }

  async setRight(id: string, { write, delete: canDelete, download }: Right): Promise<void> {
    await this.database.run('UPDATE grants SET can_write = $2, can_delete = $3, can_download = $4 WHERE id = $1', [id, write, canDelete, download]);
  }

  /** Removes grants with all answers to them. */
  async remove(ids: readonly string[]): Promise<void> {
    await this.database.run('DELETE FROM grants WHERE id = ANY($1::uuid[])', [ids]);
  }

  /** Removes every grant on a folder. */
  async removeAll(nodeId: string): Promise<void> {
    await this.database.run('DELETE FROM grants WHERE node_id = $1', [nodeId]);
  }

  /** Mounts of these folders that stand for nothing any more; of these accounts, or (`accountIds` null) of all. */
  async lostMounts(nodeIds: readonly string[], accountIds: readonly number[] | null): Promise<LostMount[]> {
    return this.database.query<LostMount & Record<string, unknown>>(LOST, [nodeIds, accountIds]);
  }
}
