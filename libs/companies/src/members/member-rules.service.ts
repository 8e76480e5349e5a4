import { Injectable } from '@nestjs/common';

import { type AccountProfile, Authenticator } from '#libs/accounts';
import { checkedIps } from '#libs/groups';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';
import { ChangeLog, type JsonFacts, type PersonalChangeType } from '#libs/nodes';

import { type MemberPolicies, MemberRepository } from '../repositories/member.repository.js';
import { CompanyMembers, type MemberTarget } from './company-members.service.js';

/** The event that tells a member of each rule; the source knows none for uploads. */
const EVENTS: Readonly<Partial<Record<keyof MemberPolicies, PersonalChangeType>>> = {
  canPrint: 'can_print_changed',
  canDownload: 'can_download_changed',
  pcCanDownload: 'pc_can_download_changed',
  useWatermarks: 'use_watermarks_changed',
  mobileRestriction: 'user_mobile_restriction_changed',
  ipRestriction: 'ip_restriction_changed',
};
/** Less is a period from now on, more a time since 1970: nobody ends an account in 1989. */
const LONGEST_PERIOD_MS = 20 * 365 * 24 * 3_600_000;
/** The end of the year 9999. */
const LATEST_MS = 253_402_300_799_999;

/**
 * What administrators of a company decide for one of its members. ACCOUNT_NOT_FOUND for the people of others, COMPANY_NOT_FOUND for a named company of
 * others, FORBIDDEN for who does not administrate the company, in every method.
 */
@Injectable()
export class MemberRules {
  constructor(
    private readonly people: CompanyMembers,
    private readonly members: MemberRepository,
    private readonly changes: ChangeLog,
    private readonly authenticator: Authenticator,
    private readonly clock: Clock,
  ) {}

  /** Changes the rules that are given and tells the member. INVALID_ARGUMENT for addresses that are none. */
  async setPolicies(actor: AccountActor, target: MemberTarget, change: MemberPolicies): Promise<AccountProfile> {
    const { allowedIps } = change;
    const checked = allowedIps === undefined ? change : { ...change, allowedIps: checkedIps(allowedIps) };
    const profile = await this.people.changeOne(actor, target, async (member) => {
      await this.members.setPolicies(member.accountId, checked);
      for (const [rule, type] of Object.entries(EVENTS) as [keyof MemberPolicies, PersonalChangeType][]) {
        const value = checked[rule];
        if (value === undefined) continue;
        const facts: JsonFacts = {
          value,
          ...(rule === 'ipRestriction' && checked.allowedIps !== undefined ? { allowed_ips: checked.allowedIps } : {}),
        };
        await this.changes.recordForAccounts(type, [member.accountId], { actorId: actor.accountId, facts });
      }
    });
    this.authenticator.forget(target.accountId);
    return profile;
  }

  /** Gives the right to administrate the company, or takes it. FORBIDDEN to take it from the owner and from the last one who has it. */
  async setAdmin(actor: AccountActor, target: MemberTarget, isAdmin: boolean): Promise<AccountProfile> {
    const profile = await this.people.changeOne(actor, target, async (member, companyId) => {
      if (member.isCompanyAdmin === isAdmin) return;
      if (!isAdmin) {
        if (member.isOwner) throw new DomainError('FORBIDDEN', 'The owner administrates the company; name another owner first.');
        await this.people.keepOne(companyId, member);
      } else if (member.state !== 'active') throw new DomainError('FORBIDDEN', 'Only somebody who can sign in administrates a company.');
      await this.members.setAdmin(member.accountId, isAdmin);
      await this.changes.recordForAccounts('company_admin_right', [member.accountId], { actorId: actor.accountId, facts: { value: isAdmin } });
    });
    this.authenticator.forget(target.accountId);
    return profile;
  }

  /**
   * When the member gets in for the last time: ms since the epoch, or a period from now on when it is shorter than 20 years; 0 = no end.
   * FORBIDDEN for the owner, administrators of the system, and oneself; INVALID_ARGUMENT.
   */
  async setExpiry(actor: AccountActor, target: MemberTarget, expiredMs: number): Promise<AccountProfile> {
    if (expiredMs < 0 || expiredMs > LATEST_MS)
      throw new DomainError('INVALID_ARGUMENT', '"expired" is a time in ms since 1970, a period in ms, or 0.');
    const endsMs = expiredMs > 0 && expiredMs < LONGEST_PERIOD_MS ? this.clock.nowMs() + expiredMs : expiredMs;
    const profile = await this.people.changeOne(actor, target, async (member, companyId) => {
      if (endsMs !== 0) {
        if (member.accountId === actor.accountId) throw new DomainError('FORBIDDEN', 'Nobody ends his own account here.');
        await this.people.requireHigher(actor, member);
        await this.people.keepAdmins(companyId, member);
      }
      await this.members.setExpiry(member.accountId, endsMs === 0 ? null : new Date(endsMs));
    });
    this.authenticator.forget(target.accountId);
    return profile;
  }
}
