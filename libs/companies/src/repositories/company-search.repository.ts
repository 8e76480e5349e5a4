import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { Company } from '../company.js';
import { COMPANY, COMPANY_TABLES, companyOf, type CompanyRow } from './company.repository.js';

/** Statements are prepared under their text, so each order is a text of its own. */
const ORDERS = {
  company_id: ['c.id', 'c.id DESC'],
  name: ['lower(c.name), c.id', 'lower(c.name) DESC, c.id DESC'],
  domain: ['c.domain, c.id', 'c.domain DESC NULLS LAST, c.id DESC'],
  status: ['c.status, c.id', 'c.status DESC, c.id DESC'],
  owner_id: ['c.owner_id, c.id', 'c.owner_id DESC NULLS LAST, c.id DESC'],
  registration_date: ['c.created_at, c.id', 'c.created_at DESC, c.id DESC'],
  employees_count: ['"employeesCount", c.id', '"employeesCount" DESC, c.id DESC'],
  quota_employees_count: ['c.quota_employees_count, c.id', 'c.quota_employees_count DESC, c.id DESC'],
  storage_size: ['"usedBytes", c.id', '"usedBytes" DESC, c.id DESC'],
} as const;
export type CompanyOrder = keyof typeof ORDERS;
export const COMPANY_ORDERS = Object.keys(ORDERS) as CompanyOrder[];

/** Absent = does not filter. Texts are compared whole and without case; times in ms, sizes in bytes. */
export interface CompanyFilter {
  readonly companyIds?: readonly number[] | undefined;
  readonly statuses?: readonly string[] | undefined;
  readonly names?: readonly string[] | undefined;
  readonly ownerIds?: readonly number[] | undefined;
  readonly domains?: readonly string[] | undefined;
  readonly registeredMs?: number | undefined;
  readonly employeesCount?: number | undefined;
  readonly quotaEmployeesCount?: number | undefined;
  readonly usedBytes?: number | undefined;
  readonly usedBytesFrom?: number | undefined;
  readonly usedBytesTo?: number | undefined;
}

export interface CompanyPage {
  readonly filter: CompanyFilter;
  readonly orderBy: CompanyOrder;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

const FITS = `($1::bigint[] IS NULL OR c.id = ANY($1)) AND ($2::text[] IS NULL OR c.status = ANY($2)) AND ($3::text[] IS NULL OR lower(c.name) = ANY($3))
  AND ($4::bigint[] IS NULL OR c.owner_id = ANY($4)) AND ($5::text[] IS NULL OR lower(c.domain) = ANY($5))
  AND ($6::float8 IS NULL OR floor(extract(epoch FROM c.created_at) * 1000) = $6) AND ($7::bigint IS NULL OR c.quota_employees_count = $7)
  AND ($8::bigint IS NULL OR coalesce(q.used_bytes, 0) = $8) AND ($9::bigint IS NULL OR coalesce(q.used_bytes, 0) >= $9)
  AND ($10::bigint IS NULL OR coalesce(q.used_bytes, 0) <= $10)
  AND ($11::bigint IS NULL OR (SELECT count(*) FROM accounts e WHERE e.company_id = c.id AND e.state <> 'deleted') = $11)`;

/** Companies as administrators of the system look for them. */
@Injectable()
export class CompanySearchRepository {
  constructor(private readonly database: Database) {}

  /** A page of those that fit, and how many fit in all; two statements. */
  async page({ filter, orderBy, descending, offset, limit }: CompanyPage): Promise<{ companies: Company[]; count: number }> {
    const lower = (texts: readonly string[] | undefined) => texts?.map((text) => text.toLowerCase()) ?? null;
    const values = [
      filter.companyIds ?? null,
      filter.statuses ?? null,
      lower(filter.names),
      filter.ownerIds ?? null,
      lower(filter.domains),
      filter.registeredMs ?? null,
      filter.quotaEmployeesCount ?? null,
      filter.usedBytes ?? null,
      filter.usedBytesFrom ?? null,
      filter.usedBytesTo ?? null,
      filter.employeesCount ?? null,
    ];
    const order = ORDERS[orderBy][descending ? 1 : 0];
    const rows = await this.database.query<CompanyRow>(
      `SELECT ${COMPANY} FROM ${COMPANY_TABLES} WHERE ${FITS} ORDER BY ${order} OFFSET $12 LIMIT $13`,
      [...values, offset, limit],
    );
    const total = await this.database.queryOne<{ count: number }>(`SELECT count(*) FROM ${COMPANY_TABLES} WHERE ${FITS}`, values);
    return { companies: rows.map(companyOf), count: total!.count };
  }
}
