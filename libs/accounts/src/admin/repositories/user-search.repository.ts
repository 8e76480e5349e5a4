import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

const MS = (column: string): string => `floor(extract(epoch FROM ${column}) * 1000)`;
const HOLDS = (text: string) => (value: string) => `strpos(lower(${text}), lower(${value})) > 0`;
const SIZE = 'coalesce(q.used_bytes, 0)';

/** Each filter with the condition it makes of the parameter that holds its value. */
const FILTERS = {
  userId: (value: string) => `a.id = ${value}::bigint`,
  companyId: (value: string) => `a.company_id = ${value}::bigint`,
  login: (value: string) =>
    `EXISTS (SELECT 1 FROM logins l WHERE l.account_id = a.id AND strpos(lower(l.kind || ':' || l.value), lower(${value})) > 0)`,
  name: HOLDS('a.name'),
  companyName: HOLDS('c.name'),
  role: (value: string) => `a.role = ${value}`,
  region: (value: string) => `a.region = ${value}`,
  hasRegion: (value: string) => `(a.region <> '') = ${value}::boolean`,
  isActive: (value: string) => `(a.state = 'active') = ${value}::boolean`,
  isDeleted: (value: string) => `(a.state = 'deleted') = ${value}::boolean`,
  deletedMs: (value: string) => `${MS('a.deleted_at')} = ${value}::float8`,
  blockedMs: (value: string) => `${MS('a.blocked_at')} = ${value}::float8`,
  registeredFromMs: (value: string) => `${MS('a.created_at')} >= ${value}::float8`,
  registeredToMs: (value: string) => `${MS('a.created_at')} <= ${value}::float8`,
  lastLoginFromMs: (value: string) => `${MS('a.last_login_at')} >= ${value}::float8`,
  lastLoginToMs: (value: string) => `${MS('a.last_login_at')} <= ${value}::float8`,
  storedFromBytes: (value: string) => `${SIZE} >= ${value}::bigint`,
  storedToBytes: (value: string) => `${SIZE} <= ${value}::bigint`,
} as const;

type NumberFilter = 'userId' | 'companyId' | `${string}Ms` | `${string}Bytes`;
type FlagFilter = 'hasRegion' | 'isActive' | 'isDeleted';

/** What accounts must be; absent and empty fields do not matter. Texts of names and logins fit when they hold the filter's, whatever the case. */
export type UserFilter = {
  readonly [F in keyof typeof FILTERS]?: (F extends NumberFilter ? number : F extends FlagFilter ? boolean : string) | undefined;
};

export const USER_ORDERS = {
  userId: 'a.id',
  name: 'lower(a.name)',
  registered: 'a.created_at',
  lastLogin: `coalesce(a.last_login_at, '-infinity')`,
  deleted: `coalesce(a.deleted_at, '-infinity')`,
  stored: SIZE,
  role: 'a.role',
  companyId: 'coalesce(a.company_id, 0)',
} as const;
export type UserOrder = keyof typeof USER_ORDERS;

export interface UserPage {
  readonly filter: UserFilter;
  readonly orderBy: UserOrder;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** Finds accounts, deleted ones too. */
@Injectable()
export class UserSearchRepository {
  constructor(private readonly database: Database) {}

  /** The ids of one page in its order, and how many accounts fit in all. Two statements. */
  async page({ filter, orderBy, descending, offset, limit }: UserPage): Promise<{ ids: number[]; count: number }> {
    const values: unknown[] = [];
    // Of whom all is erased, nobody is left.
    const conditions: string[] = ['a.erased_at IS NULL'];
    for (const name of Object.keys(FILTERS) as (keyof typeof FILTERS)[]) {
      const wanted = filter[name];
      if (wanted === undefined || wanted === '') continue;
      values.push(wanted);
      conditions.push(FILTERS[name](`$${values.length}`));
    }
    const from = `FROM accounts a LEFT JOIN companies c ON c.id = a.company_id LEFT JOIN quotas q ON q.owner_kind = 'account' AND q.owner_id = a.id
      WHERE ${conditions.join(' AND ')}`;
    const direction = descending ? 'DESC' : 'ASC';
    const total = await this.database.queryOne<{ count: number }>(`SELECT count(*) AS count ${from}`, values);
    const rows = await this.database.query<{ id: number }>(
      `SELECT a.id ${from} ORDER BY ${USER_ORDERS[orderBy]} ${direction}, a.id ${direction} LIMIT $${values.length + 1} OFFSET $${values.length + 2}`,
      [...values, limit, offset],
    );
    return { ids: rows.map((row) => row.id), count: total!.count };
  }
}
