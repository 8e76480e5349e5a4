import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

type Cell = string | number | boolean | null;

/** A table of a report: its columns, and its rows in the order of their ids. */
export interface ReportTable {
  readonly columns: readonly string[];
  /** A page of rows behind `afterId`, the id first. One statement. */
  page(afterId: number, companyId: number | null, limit: number): Promise<readonly (readonly Cell[])[]>;
  count(companyId: number | null): Promise<number>;
}

const TIME = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

const USERS = {
  columns: [
    ['userid', 'a.id'],
    ['name', 'a.name'],
    [
      'logins',
      `coalesce((SELECT string_agg(l.kind || ':' || l.value, ' ' ORDER BY l.created_at, l.id) FROM logins l WHERE l.account_id = a.id), '')`,
    ],
    ['status', 'a.state'],
    ['role', 'a.role'],
    ['company_id', 'coalesce(a.company_id, 0)'],
    ['company_name', `coalesce(c.name, '')`],
    ['is_company_admin', 'a.is_company_admin'],
    ['region', 'a.region'],
    ['lang', 'a.lang'],
    ['registration_date', TIME('a.created_at')],
    ['last_login', TIME('a.last_login_at')],
    ['storage_size', 'coalesce(q.used_bytes, 0)'],
    ['quota_size', 'coalesce(q.soft_limit_bytes, q.limit_bytes, 0)'],
    ['hard_quota_size', 'coalesce(q.limit_bytes, 0)'],
  ],
  from: `accounts a LEFT JOIN companies c ON c.id = a.company_id LEFT JOIN quotas q ON q.owner_kind = 'account' AND q.owner_id = a.id`,
  company: 'a.company_id',
} as const;

const COMPANIES = {
  columns: [
    ['company_id', 'a.id'],
    ['name', 'a.name'],
    ['domain', `coalesce(a.domain, '')`],
    ['status', 'a.status'],
    ['plan', 'a.plan'],
    ['owner_id', 'coalesce(a.owner_id, 0)'],
    ['owner_name', `coalesce(o.name, '')`],
    ['employees_count', `(SELECT count(*) FROM accounts m WHERE m.company_id = a.id AND m.state <> 'deleted')`],
    ['quota_employees_count', 'a.quota_employees_count'],
    ['registration_date', TIME('a.created_at')],
    ['storage_size', 'coalesce(q.used_bytes, 0)'],
    ['quota_size', 'coalesce(q.soft_limit_bytes, q.limit_bytes, 0)'],
    ['hard_quota_size', 'coalesce(q.limit_bytes, 0)'],
  ],
  from: `companies a LEFT JOIN accounts o ON o.id = a.owner_id LEFT JOIN quotas q ON q.owner_kind = 'company' AND q.owner_id = a.id`,
  company: 'a.id',
} as const;

/** What reports list. */
@Injectable()
export class ReportRepository {
  readonly users = this.table(USERS);
  readonly companies = this.table(COMPANIES);

  constructor(private readonly database: Database) {}

  private table({ columns, from, company }: { columns: readonly (readonly [string, string])[]; from: string; company: string }): ReportTable {
    const list = columns.map(([name, value]) => `${value} AS ${name}`).join(', ');
    const where = `($1::bigint IS NULL OR ${company} = $1)`;
    return {
      columns: columns.map(([name]) => name),
      page: async (afterId, companyId, limit) => {
        const text = `SELECT ${list} FROM ${from} WHERE ${where} AND a.id > $2 ORDER BY a.id LIMIT $3`;
        const rows = await this.database.query<Record<string, Cell>>(text, [companyId, afterId, limit]);
        return rows.map((row) => columns.map(([name]) => row[name] ?? null));
      },
      count: async (companyId) =>
        (await this.database.queryOne<{ count: number }>(`SELECT count(*) FROM ${from} WHERE ${where}`, [companyId]))!.count,
    };
  }
}
