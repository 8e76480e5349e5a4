import { Injectable } from '@nestjs/common';

import { type OwnPolicies, ownPolicies, OwnPoliciesRepository } from '#libs/accounts';
import { Database } from '#libs/database';
import { DomainError } from '#libs/kernel';

/** What membership means for a person's programs. Kept and shown here; the libs that give bytes out enforce it. */
export type GroupPolicies = OwnPolicies;

export interface Group extends GroupPolicies {
  readonly id: number;
  readonly companyId: number;
  readonly name: string;
  readonly membersCount: number;
}

/** Statements are prepared under their text, so each order is a text of its own. */
const ORDERS = {
  name: 'g.name_key, g.id',
  '-name': 'g.name_key DESC, g.id DESC',
  members_count: '"membersCount", g.id',
  '-members_count': '"membersCount" DESC, g.id',
} as const;

const GROUP = `
  g.id, g.company_id AS "companyId", g.name, (SELECT count(*) FROM group_members m JOIN accounts a ON a.id = m.account_id
    WHERE m.group_id = g.id AND a.state <> 'deleted') AS "membersCount",
  ${ownPolicies('g')}`;

type GroupRow = Group & Record<string, unknown>;

/** Groups of companies and who is in them. */
@Injectable()
export class GroupRepository {
  constructor(
    private readonly database: Database,
    private readonly policies: OwnPoliciesRepository,
  ) {}

  /** The new group's id, or null when the company has a group of this name. */
  async insert(companyId: number, name: string, nameKey: string, now: Date): Promise<number | null> {
    const row = await this.database.queryOne<{ id: number }>(
      `INSERT INTO groups (company_id, name, name_key, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT ON CONSTRAINT uq_groups_name DO NOTHING RETURNING id`,
      [companyId, name, nameKey, now],
    );
    return row?.id ?? null;
  }

  find(id: number): Promise<Group | null> {
    return this.database.queryOne<GroupRow>(`SELECT ${GROUP} FROM groups g WHERE g.id = $1`, [id]);
  }

  /** Keeps the group from being changed or removed, and its members from changing, until the transaction ends. Null when there is none. */
  async lock(id: number): Promise<Group | null> {
    const held = await this.database.queryOne('SELECT 1 FROM groups WHERE id = $1 FOR UPDATE', [id]);
    return held === null ? null : this.find(id);
  }

  async idByName(companyId: number, nameKey: string): Promise<number | null> {
    const row = await this.database.queryOne<{ id: number }>('SELECT id FROM groups WHERE company_id = $1 AND name_key = $2', [companyId, nameKey]);
    return row?.id ?? null;
  }

  list(companyId: number, order: keyof typeof ORDERS, offset: number, limit: number): Promise<Group[]> {
    return this.database.query<GroupRow>(`SELECT ${GROUP} FROM groups g WHERE g.company_id = $1 ORDER BY ${ORDERS[order]} OFFSET $2 LIMIT $3`, [
      companyId,
      offset,
      limit,
    ]);
  }

  async count(companyId: number): Promise<number> {
    return (await this.database.queryOne<{ count: number }>('SELECT count(*) FROM groups WHERE company_id = $1', [companyId]))!.count;
  }

  /** GROUP_EXISTS when another group of the company has the name. */
  async rename(id: number, name: string, nameKey: string): Promise<void> {
    await this.database.run('UPDATE groups SET name = $2, name_key = $3 WHERE id = $1', [id, name, nameKey]);
  }

  /** Absent policies stay as they are. */
  async setPolicies(id: number, change: Partial<GroupPolicies>): Promise<void> {
    await this.policies.change('groups', id, change);
  }

  async remove(id: number): Promise<void> {
    await this.database.run('DELETE FROM groups WHERE id = $1', [id]);
  }

  // --- members ---

  /** Which of these accounts belong to the company and exist; the others cannot be in its groups. Their rows are kept from changes of company. */
  async ofCompany(companyId: number, accountIds: readonly number[]): Promise<Set<number>> {
    const rows = await this.database.query<{ id: number }>(
      `SELECT id FROM accounts WHERE id = ANY($2::bigint[]) AND company_id = $1 AND state <> 'deleted' ORDER BY id FOR SHARE`,
      [companyId, accountIds],
    );
    return new Set(rows.map((row) => row.id));
  }

  /** Those of the accounts that were not in the group before. */
  async addMembers(groupId: number, accountIds: readonly number[], now: Date): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>(
      'INSERT INTO group_members (group_id, account_id, added_at) SELECT $1, id, $3 FROM unnest($2::bigint[]) AS i (id) ON CONFLICT DO NOTHING RETURNING account_id AS id',
      [groupId, accountIds, now],
    );
    return rows.map((row) => row.id);
  }

  /** Those of the accounts that were in the group. */
  async removeMembers(groupId: number, accountIds: readonly number[]): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>(
      'DELETE FROM group_members WHERE group_id = $1 AND account_id = ANY($2::bigint[]) RETURNING account_id AS id',
      [groupId, accountIds],
    );
    return rows.map((row) => row.id);
  }

  async removeAllMembers(groupId: number): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>('DELETE FROM group_members WHERE group_id = $1 RETURNING account_id AS id', [groupId]);
    return rows.map((row) => row.id);
  }

  /** Members of each of the groups in the order of their ids, from `offset` up to `limit` of each, in one statement. */
  members(groupIds: readonly number[], offset: number, limit: number): Promise<{ groupId: number; accountId: number }[]> {
    return this.database.query(
      `SELECT w.id AS "groupId", m.account_id AS "accountId"
         FROM unnest($1::bigint[]) WITH ORDINALITY AS w (id, turn)
        CROSS JOIN LATERAL (
          SELECT gm.account_id FROM group_members gm JOIN accounts a ON a.id = gm.account_id
           WHERE gm.group_id = w.id AND a.state <> 'deleted' ORDER BY gm.account_id OFFSET $2 LIMIT $3) m
        ORDER BY w.turn, m.account_id`,
      [groupIds, offset, limit],
    );
  }
}

/** The refusal for a group that is not there, or not the asking administrator's. */
export function groupNotFound(): DomainError {
  return new DomainError('GROUP_NOT_FOUND', 'There is no such group.');
}
