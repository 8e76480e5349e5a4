import { Injectable } from '@nestjs/common';

import { type AccountActor, DomainError } from '#libs/kernel';

import { AdminRightsRepository, type AdminStanding } from './repositories/admin-rights.repository.js';

/**
 * The one place that says who administrates what: an administrator of the system everything, the owner and the administrators of a company
 * that company and its people. What counts is the state of this moment, whatever a credential said when it was made; a user name and password
 * made for one program administrates nothing.
 */
@Injectable()
export class AdminRights {
  constructor(private readonly rows: AdminRightsRepository) {}

  /** What the actor administrates; FORBIDDEN when that is nothing. */
  async requireAnyAdmin(actor: AccountActor): Promise<AdminStanding> {
    const own = await this.standing(actor);
    if (!own.isSystemAdmin && !own.isCompanyAdmin) throw forbidden();
    return own;
  }

  /** FORBIDDEN for everybody but administrators of the system. */
  async requireSystemAdmin(actor: AccountActor): Promise<void> {
    if (!(await this.standing(actor)).isSystemAdmin) throw forbidden();
  }

  /** FORBIDDEN for plain members of that company; to everybody else it does not exist: COMPANY_NOT_FOUND. */
  async requireCompanyAdmin(actor: AccountActor, companyId: number): Promise<void> {
    const own = await this.standing(actor);
    if (own.companyId === companyId && own.isCompanyAdmin) return;
    if (own.isSystemAdmin && (await this.rows.companyExists(companyId))) return;
    if (own.companyId === companyId) throw forbidden();
    throw companyNotFound();
  }

  /** Whether the actor administrates that company, whose member he is, or an administrator of the system. To everybody else it does not exist: COMPANY_NOT_FOUND. */
  async requireCompanyMember(actor: AccountActor, companyId: number): Promise<boolean> {
    const own = await this.standing(actor);
    if (own.companyId === companyId) return own.isCompanyAdmin || own.isSystemAdmin;
    if (own.isSystemAdmin && (await this.rows.companyExists(companyId))) return true;
    throw companyNotFound();
  }

  /** FORBIDDEN for colleagues of the account that administrate nothing; to everybody else it does not exist: ACCOUNT_NOT_FOUND. */
  async requireAdminOf(actor: AccountActor, accountId: number): Promise<void> {
    const own = await this.standing(actor);
    const companyId = await this.rows.companyOf(accountId);
    if (companyId !== undefined && own.isSystemAdmin) return;
    const isColleague = companyId !== undefined && companyId !== null && companyId === own.companyId;
    if (!isColleague) throw new DomainError('ACCOUNT_NOT_FOUND', 'There is no such user.');
    if (!own.isCompanyAdmin) throw forbidden();
  }

  /** FORBIDDEN for administrators of a company when the account is above them: an administrator of the system, or the owner of the company. */
  async requireHigher(actor: AccountActor, accountId: number): Promise<void> {
    if (actor.accountId === accountId || (await this.standing(actor)).isSystemAdmin) return;
    if (await this.rows.isHigh(accountId)) throw new DomainError('FORBIDDEN', 'Only an administrator of the system may do this.');
  }

  private async standing(actor: AccountActor): Promise<AdminStanding> {
    const own = (await this.rows.standing(actor.accountId)) ?? { companyId: null, isSystemAdmin: false, isCompanyAdmin: false };
    return actor.byPair ? { ...own, isSystemAdmin: false, isCompanyAdmin: false } : own;
  }
}

/** COMPANY_NOT_FOUND: unknown, not active, or somebody else's. */
export function companyNotFound(): DomainError {
  return new DomainError('COMPANY_NOT_FOUND', 'There is no such company.');
}

function forbidden(): DomainError {
  return new DomainError('FORBIDDEN', 'Only an administrator may do this.');
}
