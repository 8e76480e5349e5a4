import { Injectable } from '@nestjs/common';

import { type AccountProfile, AdminRights, companyNotFound, ProfileService, SystemAdmins } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';

import { CompanyRepository } from '../repositories/company.repository.js';
import { type MemberOrder, MemberRepository, type MemberStanding } from '../repositories/member.repository.js';

export interface ListMembers {
  /** Part of a name or login; empty = all. */
  readonly text: string;
  readonly orderBy: MemberOrder;
  readonly offset: number;
  /** 0 = as many as one page holds. */
  readonly limit: number;
}

export interface CompanyMember {
  readonly profile: AccountProfile;
  readonly invitedUntilMs: number | null;
  readonly quotaRequestMs: number | null;
}

export interface MembersOfCompany {
  readonly members: readonly CompanyMember[];
  readonly count: number;
  readonly limit: number;
}

const MAX_PAGE = 2_000;

/** Who belongs to a company, and who may change whom. */
@Injectable()
export class CompanyMembers {
  constructor(
    private readonly companies: CompanyRepository,
    private readonly members: MemberRepository,
    private readonly rights: AdminRights,
    private readonly systemAdmins: SystemAdmins,
    private readonly profiles: ProfileService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** A page of members and invited people, for administrators. COMPANY_NOT_FOUND, FORBIDDEN. */
  async list(actor: AccountActor, companyId: number, { text, orderBy, offset, limit: wanted }: ListMembers): Promise<MembersOfCompany> {
    await this.rights.requireCompanyAdmin(actor, companyId);
    const limit = wanted === 0 ? MAX_PAGE : Math.min(wanted, MAX_PAGE);
    const { members, count } = await this.members.page({ companyId, text: text.trim(), orderBy, offset, limit });
    const profiles = new Map((await this.profiles.ofAccounts(members.map(({ accountId }) => accountId))).map((found) => [found.account.id, found]));
    const listed = members.flatMap(({ accountId, invitedUntilMs, quotaRequestMs }) => {
      const profile = profiles.get(accountId);
      return profile ? [{ profile, invitedUntilMs, quotaRequestMs }] : [];
    });
    return { members: listed, count, limit };
  }

  /**
   * Runs `work` in a transaction that holds the company and those of the accounts that are its members. COMPANY_NOT_FOUND, FORBIDDEN for who does not
   * administrate it.
   */
  change<T>(
    actor: AccountActor,
    companyId: number,
    accountIds: readonly number[],
    work: (members: Map<number, MemberStanding>) => Promise<T>,
  ): Promise<T> {
    return this.unitOfWork.run(async () => {
      // judged before the wait for a company of others, and again behind the lock
      await this.rights.requireCompanyAdmin(actor, companyId);
      if ((await this.companies.lock(companyId)) === null) throw companyNotFound();
      await this.rights.requireCompanyAdmin(actor, companyId);
      const found = await this.members.lock(companyId, [...new Set(accountIds)]);
      return work(new Map(found.map((member) => [member.accountId, member])));
    });
  }

  /**
   * The same for one account, whose company is found by it, unless `companyId` names the one that it must be of. ACCOUNT_NOT_FOUND for the people of
   * others, FORBIDDEN for who does not administrate them.
   */
  async changeOne(
    actor: AccountActor,
    target: MemberTarget,
    work: (member: MemberStanding, companyId: number) => Promise<void>,
  ): Promise<AccountProfile> {
    const { accountId } = target;
    const companyId = target.companyId ?? (await this.companyOf(actor, accountId));
    await this.change(actor, companyId, [accountId], async (members) => {
      const member = members.get(accountId);
      if (!member) throw memberNotFound();
      await work(member, companyId);
    });
    return this.profiles.ofAccount(accountId);
  }

  /**
   * FORBIDDEN when the actor may not take something away from the member: only administrators of the system do that to the owner and to
   * administrators of the system.
   */
  async requireHigher(actor: AccountActor, member: MemberStanding): Promise<void> {
    if (!member.isOwner && !member.isSystemAdmin) return;
    if ((await this.rights.requireAnyAdmin(actor)).isSystemAdmin) return;
    throw new DomainError('FORBIDDEN', 'Only an administrator of the system may do this.');
  }

  /** FORBIDDEN when the member cannot be kept out: nobody else would administrate the company, or the system. In the transaction of `change`. */
  async keepAdmins(companyId: number, member: MemberStanding): Promise<void> {
    if (member.isSystemAdmin) {
      await this.systemAdmins.holdAll();
      await this.systemAdmins.keepOne({ id: member.accountId, role: 'admin', state: member.state });
    }
    await this.keepOne(companyId, member);
  }

  /** FORBIDDEN when nobody would administrate the company without this member. In the transaction of `change`. */
  async keepOne(companyId: number, member: MemberStanding): Promise<void> {
    if ((!member.isCompanyAdmin && !member.isOwner) || member.state !== 'active') return;
    if (await this.members.hasOtherAdmin(companyId, member.accountId, this.clock.now())) return;
    throw new DomainError('FORBIDDEN', 'This is the last administrator of the company.');
  }

  private async companyOf(actor: AccountActor, accountId: number): Promise<number> {
    await this.rights.requireAdminOf(actor, accountId);
    const companyId = (await this.profiles.ofAccount(accountId)).account.companyId;
    if (companyId === null) throw memberNotFound();
    return companyId;
  }
}

/** A member by his id; `companyId`, when it is given, must be his company. */
export interface MemberTarget {
  readonly accountId: number;
  readonly companyId?: number | undefined;
}

/** ACCOUNT_NOT_FOUND: unknown, deleted, or of another company. */
export function memberNotFound(): DomainError {
  return new DomainError('ACCOUNT_NOT_FOUND', 'There is no such user.');
}
