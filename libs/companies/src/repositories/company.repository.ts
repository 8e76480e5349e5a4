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

  /** Whether a company is there and may get members. */
  isActive(id: number): Promise<boolean> {
    return this.database.entities((manager) => manager.existsBy(CompanyEntity, { id, status: 'active' }));
  }
}
