import { Injectable } from '@nestjs/common';

import { AdminRights } from '#libs/accounts';
import type { AccountActor } from '#libs/kernel';

import type { Company } from './company.js';
import { type CompanyPage, CompanySearchRepository } from './repositories/company-search.repository.js';

const MAX_PAGE = 2_000;

export interface FoundCompanies {
  readonly companies: readonly Company[];
  /** How many fit in all. */
  readonly count: number;
  readonly limit: number;
  readonly offset: number;
}

/** Finds companies. */
@Injectable()
export class CompanySearch {
  constructor(
    private readonly rights: AdminRights,
    private readonly search: CompanySearchRepository,
  ) {}

  /** A page of companies, for administrators of the system: FORBIDDEN. `limit` 0 and larger ones end at 2,000. */
  async find(actor: AccountActor, page: CompanyPage): Promise<FoundCompanies> {
    await this.rights.requireSystemAdmin(actor);
    const limit = page.limit === 0 ? MAX_PAGE : Math.min(page.limit, MAX_PAGE);
    return { ...(await this.search.page({ ...page, limit })), limit, offset: page.offset };
  }
}
