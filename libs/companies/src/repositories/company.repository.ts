import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { Company, CompanyStatus } from '../company.js';
import { CompanyEntity } from '../entities/companies.entity.js';
import { type CompanySettings, DEFAULT_SETTINGS } from '../settings/company-settings.js';

/** Columns of `company c`, for rows of `COMPANY_TABLES`. */
export const COMPANY = `
  c.id, c.name, coalesce(c.domain, '') AS domain, c.plan, c.status, c.owner_id AS "ownerId",
  floor(extract(epoch FROM c.created_at) * 1000)::float8 AS "createdMs",
  (SELECT count(*) FROM accounts a WHERE a.company_id = c.id AND a.state <> 'deleted') AS "employeesCount",
  c.quota_employees_count AS "quotaEmployeesCount", coalesce(q.used_bytes, 0) AS "usedBytes", q.limit_bytes AS "limitBytes",
  q.soft_limit_bytes AS "softLimitBytes", c.logo_id AS "logoId", c.reference_email AS "referenceEmail", c.payment_method AS "paymentMethod",
  c.settings || jsonb_build_object('publicLinksAllow', c.public_links_allow) AS settings`;
export const COMPANY_TABLES = `companies c LEFT JOIN quotas q ON q.owner_kind = 'company' AND q.owner_id = c.id`;

export type CompanyRow = Omit<Company, 'settings'> & { readonly settings: Partial<CompanySettings> } & Record<string, unknown>;

export function companyOf(row: CompanyRow): Company {
  return { ...row, settings: { ...DEFAULT_SETTINGS, ...row.settings } };
}

/** What is changed of a company; absent fields stay. */
export interface CompanyChange {
  readonly name?: string | undefined;
  /** Null = none. */
  readonly domain?: string | null | undefined;
  readonly plan?: string | undefined;
  readonly status?: CompanyStatus | undefined;
  readonly ownerId?: number | undefined;
  readonly quotaEmployeesCount?: number | undefined;
  readonly referenceEmail?: string | undefined;
  readonly paymentMethod?: string | undefined;
  readonly settings?: Partial<CompanySettings> | undefined;
}

/** Companies. */
@Injectable()
export class CompanyRepository {
  constructor(private readonly database: Database) {}

  /** The new company's id; NAME_TAKEN when another one has the domain. */
  async insert(
    company: {
      readonly name: string;
      readonly domain: string | null;
      readonly plan: string;
      readonly ownerId: number;
      readonly status: CompanyStatus;
    },
    now: Date,
  ): Promise<number> {
    const row = { ...company, createdAt: now };
    const { identifiers } = await this.database.entities((manager) => manager.insert(CompanyEntity, row));
    return (identifiers[0] as Pick<CompanyEntity, 'id'>).id;
  }

  async find(id: number): Promise<Company | null> {
    const row = await this.database.queryOne<CompanyRow>(`SELECT ${COMPANY} FROM ${COMPANY_TABLES} WHERE c.id = $1`, [id]);
    return row && companyOf(row);
  }

  /** The company of a domain, whatever its case. */
  async findByDomain(domain: string): Promise<Company | null> {
    const row = await this.database.queryOne<CompanyRow>(`SELECT ${COMPANY} FROM ${COMPANY_TABLES} WHERE lower(c.domain) = lower($1)`, [domain]);
    return row && companyOf(row);
  }

  /** Keeps the company, and with it who owns and administrates it, from other changes until the transaction ends. Null for an unknown one. */
  async lock(id: number): Promise<Company | null> {
    const held = await this.database.queryOne('SELECT 1 FROM companies WHERE id = $1 FOR UPDATE', [id]);
    return held === null ? null : this.find(id);
  }

  /** NAME_TAKEN when another company has the domain. */
  async change(id: number, change: CompanyChange): Promise<void> {
    const { publicLinksAllow, ...settings } = change.settings ?? {};
    await this.database.run(
      `UPDATE companies SET name = coalesce($2, name), domain = CASE WHEN $3 THEN $4 ELSE domain END, plan = coalesce($5, plan),
              status = coalesce($6, status), owner_id = coalesce($7, owner_id), quota_employees_count = coalesce($8, quota_employees_count),
              reference_email = coalesce($9, reference_email), payment_method = coalesce($10, payment_method),
              settings = settings || $11::jsonb, public_links_allow = coalesce($12, public_links_allow)
        WHERE id = $1`,
      [
        id,
        change.name ?? null,
        change.domain !== undefined,
        change.domain ?? null,
        change.plan ?? null,
        change.status ?? null,
        change.ownerId ?? null,
        change.quotaEmployeesCount ?? null,
        change.referenceEmail ?? null,
        change.paymentMethod ?? null,
        JSON.stringify(settings),
        publicLinksAllow ?? null,
      ],
    );
  }

  /** Makes the quota row when it is missing, and sets its limits: bytes, null = not limited. */
  async setLimits(id: number, limitBytes: number | null, softLimitBytes: number | null): Promise<void> {
    await this.database.run(
      `INSERT INTO quotas (owner_kind, owner_id, limit_bytes, soft_limit_bytes) VALUES ('company', $1, $2, $3)
       ON CONFLICT (owner_kind, owner_id) DO UPDATE SET limit_bytes = excluded.limit_bytes, soft_limit_bytes = excluded.soft_limit_bytes`,
      [id, limitBytes, softLimitBytes],
    );
  }

  /** How many accounts belong to the company, deleted ones that could come back too; and how many more are being erased. */
  async countAccounts(id: number): Promise<{ readonly accounts: number; readonly erasing: number }> {
    const row = await this.database.queryOne<{ accounts: number; erasing: number }>(
      `SELECT count(*) FILTER (WHERE erase_started_at IS NULL) AS accounts, count(*) FILTER (WHERE erase_started_at IS NOT NULL) AS erasing
         FROM accounts WHERE company_id = $1`,
      [id],
    );
    return row!;
  }

  /** Removes up to `limit` groups of a company, with what was granted to them; how many. */
  async removeGroups(id: number, limit: number): Promise<number> {
    return this.database.run('DELETE FROM groups WHERE id IN (SELECT id FROM groups WHERE company_id = $1 ORDER BY id LIMIT $2)', [id, limit]);
  }

  /** Removes a company without accounts and groups for good, with its quota. */
  async remove(id: number): Promise<void> {
    await this.database.run(`DELETE FROM quotas WHERE owner_kind = 'company' AND owner_id = $1`, [id]);
    await this.database.run('DELETE FROM companies WHERE id = $1', [id]);
  }

  /**
   * Holds a company until the end of the transaction, so that its members are counted by one at a time; whether it is active and, with one member
   * more, still within its number (0 = not limited). Null for an unknown one.
   */
  async holdForMember(id: number): Promise<{ readonly isActive: boolean; readonly hasRoom: boolean } | null> {
    const held = await this.database.queryOne<{ status: string; quota: number }>(
      'SELECT status, quota_employees_count AS quota FROM companies WHERE id = $1 FOR UPDATE',
      [id],
    );
    if (held === null) return null;
    const { status, quota } = held;
    if (quota === 0) return { isActive: status === 'active', hasRoom: true };
    const row = await this.database.queryOne<{ members: number }>(
      `SELECT count(*) AS members FROM accounts WHERE company_id = $1 AND state <> 'deleted'`,
      [id],
    );
    return { isActive: status === 'active', hasRoom: row!.members < quota };
  }
}
