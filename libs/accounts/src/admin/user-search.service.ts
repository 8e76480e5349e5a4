import { Injectable } from '@nestjs/common';

import type { AccountActor } from '#libs/kernel';

import { AdminRights } from '../admin-rights.js';
import { type AccountProfile, ProfileService } from '../profile.service.js';
import { type UserPage, UserSearchRepository } from './repositories/user-search.repository.js';

const MAX_PAGE = 2_000;

export interface FoundUsers {
  readonly users: readonly AccountProfile[];
  /** How many fit in all. */
  readonly count: number;
  readonly limit: number;
  readonly offset: number;
}

/** Finds people for their administrators. */
@Injectable()
export class UserSearch {
  constructor(
    private readonly rights: AdminRights,
    private readonly search: UserSearchRepository,
    private readonly profiles: ProfileService,
  ) {}

  /**
   * A page of accounts: of all for administrators of the system, of the own company for those of a company, to whom others do not exist.
   * `limit` 0 and larger ones end at 2,000. FORBIDDEN for everybody else.
   */
  async find(actor: AccountActor, page: UserPage): Promise<FoundUsers> {
    const own = await this.rights.requireAnyAdmin(actor);
    const limit = page.limit === 0 ? MAX_PAGE : Math.min(page.limit, MAX_PAGE);
    const { offset } = page;
    if (!own.isSystemAdmin && page.filter.companyId !== undefined && page.filter.companyId !== own.companyId)
      return { users: [], count: 0, limit, offset };
    const filter = own.isSystemAdmin ? page.filter : { ...page.filter, companyId: own.companyId! };
    const { ids, count } = await this.search.page({ ...page, filter, limit });
    return { users: await this.profiles.ofAccounts(ids), count, limit, offset };
  }
}
