import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Who a group is, for programs that name groups by UUID. */
export interface GroupIdentity {
  readonly id: number;
  readonly publicId: string;
  readonly name: string;
  readonly companyId: number;
  /** The account that owns the group's company; null when the company has no owner. */
  readonly companyOwnerId: number | null;
}

const IDENTITY = 'g.id, g.public_id AS "publicId", g.name, g.company_id AS "companyId", c.owner_id AS "companyOwnerId"';
const FROM = 'FROM groups g JOIN companies c ON c.id = g.company_id';

type Row = GroupIdentity & Record<string, unknown>;

/** Groups by their public ids and by their members. */
@Injectable()
export class GroupIdentityRepository {
  constructor(private readonly database: Database) {}

  ofPublicIds(publicIds: readonly string[]): Promise<GroupIdentity[]> {
    return this.database.query<Row>(`SELECT ${IDENTITY} ${FROM} WHERE g.public_id = ANY($1::uuid[])`, [publicIds]);
  }

  ofIds(ids: readonly number[]): Promise<GroupIdentity[]> {
    return this.database.query<Row>(`SELECT ${IDENTITY} ${FROM} WHERE g.id = ANY($1::bigint[])`, [ids]);
  }

  /** The groups of an account by name. */
  ofMember(accountId: number, limit: number): Promise<GroupIdentity[]> {
    return this.database.query<Row>(
      `SELECT ${IDENTITY} ${FROM} JOIN group_members m ON m.group_id = g.id WHERE m.account_id = $1 ORDER BY g.name_key, g.id LIMIT $2`,
      [accountId, limit],
    );
  }

  async isMember(groupId: number, accountId: number): Promise<boolean> {
    return (
      (await this.database.queryOne('SELECT 1 AS found FROM group_members WHERE group_id = $1 AND account_id = $2', [groupId, accountId])) !== null
    );
  }
}
