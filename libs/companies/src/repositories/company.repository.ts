import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { CompanyEntity } from '../entities/companies.entity.js';

/** Companies. */
@Injectable()
export class CompanyRepository {
  constructor(private readonly database: Database) {}

  /** The new company's id; NAME_TAKEN when another one has the domain. */
  async insert(
    company: { readonly name: string; readonly domain: string | null; readonly plan: string; readonly ownerId: number },
    now: Date,
  ): Promise<number> {
    const { name, domain, plan, ownerId } = company;
    const row = { name, domain, plan, status: 'active', ownerId, createdAt: now };
    const { identifiers } = await this.database.entities((manager) => manager.insert(CompanyEntity, row));
    return (identifiers[0] as Pick<CompanyEntity, 'id'>).id;
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
