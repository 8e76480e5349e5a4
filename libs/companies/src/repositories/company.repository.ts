import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** Companies. */
@Injectable()
export class CompanyRepository {
  constructor(private readonly database: Database) {}

  /** The new company's id, or null when another one has the domain. */
  async insert(
    company: { readonly name: string; readonly domain: string | null; readonly plan: string; readonly ownerId: number },
    now: Date,
  ): Promise<number | null> {
    const row = await this.database.queryOne<{ id: number }>(
      `INSERT INTO companies (name, domain, plan, status, owner_id, created_at) VALUES ($1, $2, $3, 'active', $4, $5)
       ON CONFLICT (lower(domain)) WHERE domain IS NOT NULL DO NOTHING RETURNING id`,
      [company.name, company.domain, company.plan, company.ownerId, now],
    );
    return row?.id ?? null;
  }

  /** Whether a company is there and may get members. */
  async isActive(id: number): Promise<boolean> {
    return (await this.database.queryOne(`SELECT 1 FROM companies WHERE id = $1 AND status = 'active'`, [id])) !== null;
  }
}
