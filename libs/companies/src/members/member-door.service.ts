import { Injectable } from '@nestjs/common';

import { type AccountProfile, Devices, emailLogin, formatLogin, mainLogin, ProfileService, RegistrationService } from '#libs/accounts';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';

import { CompanyRepository } from '../repositories/company.repository.js';
import { MemberRepository, type MemberStanding } from '../repositories/member.repository.js';
import { CompanyMembers, memberNotFound } from './company-members.service.js';

/** What became of one of the accounts named. */
export interface MemberResult {
  readonly accountId: number;
  readonly profile: AccountProfile | null;
  readonly error: DomainError | null;
}

export interface Invitation {
  readonly email: string;
  /** The inviter's own text. */
  readonly invitation?: string | undefined;
  readonly lang?: string | undefined;
}

/** Most accounts that one call may name. */
export const MAX_NAMED = 1_000;

/** Who gets into a company, and who not. COMPANY_NOT_FOUND for those of others and FORBIDDEN for who is no administrator, in every method. */
@Injectable()
export class MemberDoor {
  constructor(
    private readonly people: CompanyMembers,
    private readonly members: MemberRepository,
    private readonly companies: CompanyRepository,
    private readonly registration: RegistrationService,
    private readonly profiles: ProfileService,
    private readonly devices: Devices,
    private readonly clock: Clock,
  ) {}

  /**
   * Invites the owner of an address by mail; who is invited already gets another mail. LOGIN_TAKEN, QUOTA_EXCEEDED when the company has all the members
   * it may have, RATE_LIMITED, INVALID_ARGUMENT.
   */
  async invite(actor: AccountActor, companyId: number, { email, invitation, lang }: Invitation): Promise<AccountProfile> {
    const login = emailLogin(email);
    await this.people.change(actor, companyId, [], () => Promise.resolve());
    await this.registration.takeMailSlot(formatLogin({ kind: login.kind, value: login.valueKey }));
    const inviter = await this.profiles.ofAccount(actor.accountId);
    const said = {
      inviter: inviter.account.name || mainLogin(actor.accountId, inviter.logins),
      ...(invitation === undefined ? {} : { invitation }),
      ...(lang ? { lang } : {}),
    };
    const accountId = await this.people.change(actor, companyId, [], async () => {
      const waiting = await this.members.lockInvited(companyId, login.valueKey);
      if (waiting !== null) {
        await this.registration.sendInvitation(waiting, login, lang || (await this.profiles.ofAccount(waiting)).account.lang, said);
        return waiting;
      }
      const held = await this.companies.holdForMember(companyId);
      if (!held?.isActive) throw new DomainError('FORBIDDEN', 'The company takes no members as long as it is not active.');
      if (!held.hasRoom) throw new DomainError('QUOTA_EXCEEDED', 'The company has all the members it may have.');
      return (await this.registration.invite(login.value, { ...said, companyId })).accountId;
    });
    return this.profiles.ofAccount(accountId);
  }

  /** Takes an invitation back; the account as it was. ACCOUNT_NOT_FOUND when nobody of this address is invited. */
  cancelInvitation(actor: AccountActor, companyId: number, email: string): Promise<AccountProfile> {
    const login = emailLogin(email);
    return this.people.change(actor, companyId, [], async () => {
      const accountId = await this.members.lockInvited(companyId, login.valueKey);
      if (accountId === null) throw memberNotFound();
      const profile = await this.profiles.ofAccount(accountId);
      await this.members.removeInvited(accountId);
      return profile;
    });
  }

  /** Lets members in again. A result for each account in the order given: ACCOUNT_NOT_FOUND for who is no member. */
  enable(actor: AccountActor, companyId: number, accountIds: readonly number[]): Promise<MemberResult[]> {
    return this.forEach(actor, companyId, accountIds, async (members) => {
      await this.members.unblock([...members.keys()]);
      return new Map();
    });
  }

  /**
   * Keeps members out from now on; with `wipe` their devices are wiped too. A result for each account: ACCOUNT_NOT_FOUND for who is no member,
   * FORBIDDEN for oneself, the owner, administrators of the system, and the last administrator.
   */
  disable(
    actor: AccountActor,
    companyId: number,
    accountIds: readonly number[],
    options: { readonly reason: string; readonly wipe: boolean },
  ): Promise<MemberResult[]> {
    return this.forEach(actor, companyId, accountIds, async (members) => {
      const refused = new Map<number, DomainError>();
      for (const member of members.values()) {
        const error = await this.refusal(actor, companyId, member);
        if (error) refused.set(member.accountId, error);
        else if (member.isCompanyAdmin || member.isSystemAdmin) await this.members.block([member.accountId], options.reason, this.clock.now());
      }
      const closed = [...members.keys()].filter((id) => !refused.has(id));
      await this.members.block(closed, options.reason, this.clock.now());
      if (options.wipe) await this.devices.wipeAll(closed);
      await this.devices.endAccess(closed);
      return refused;
    });
  }

  private async refusal(actor: AccountActor, companyId: number, member: MemberStanding): Promise<DomainError | null> {
    if (member.accountId === actor.accountId) return new DomainError('FORBIDDEN', 'Nobody switches himself off.');
    try {
      await this.people.requireHigher(actor, member);
      await this.people.keepAdmins(companyId, member);
      return null;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'FORBIDDEN') return error;
      throw error;
    }
  }

  private async forEach(
    actor: AccountActor,
    companyId: number,
    accountIds: readonly number[],
    work: (members: Map<number, MemberStanding>) => Promise<Map<number, DomainError>>,
  ): Promise<MemberResult[]> {
    const wanted = distinctIds(accountIds);
    const { found, refused } = await this.people.change(actor, companyId, wanted, async (members) => ({
      found: members,
      refused: await work(members),
    }));
    const profiles = new Map((await this.profiles.ofAccounts([...found.keys()])).map((profile) => [profile.account.id, profile]));
    return wanted.map((accountId) => ({
      accountId,
      profile: refused.has(accountId) ? null : (profiles.get(accountId) ?? null),
      error: refused.get(accountId) ?? (found.has(accountId) ? null : memberNotFound()),
    }));
  }
}

/** Each id once, in the order given. INVALID_ARGUMENT for too many. */
export function distinctIds(accountIds: readonly number[]): number[] {
  if (accountIds.length > MAX_NAMED) throw new DomainError('INVALID_ARGUMENT', `One call can name ${MAX_NAMED} accounts at most.`);
  return [...new Set(accountIds)];
}
