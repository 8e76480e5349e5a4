import { Injectable } from '@nestjs/common';

import { AdminRights, checkedName, companyNotFound, mainLogin, ProfileService } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, newId } from '#libs/kernel';
import { Mailer } from '#libs/mail';

import { quotaRequestMail } from '../company-mails.js';
import { CompanyMembers, memberNotFound } from '../members/company-members.service.js';
import { distinctIds, type MemberResult } from '../members/member-door.service.js';
import { type AccountLimit, CompanyQuotaRepository } from '../repositories/company-quota.repository.js';
import { CompanyRepository } from '../repositories/company.repository.js';
import { MemberRepository } from '../repositories/member.repository.js';

/** Sizes in bytes, null = not limited; absent fields stay as they are. */
export interface CompanyQuotaChange {
  readonly softLimitBytes?: number | null | undefined;
  readonly limitBytes?: number | null | undefined;
  /** 0 = not limited. */
  readonly quotaEmployeesCount?: number | undefined;
  readonly plan?: string | undefined;
}

const MAX_COMMENT_BYTES = 4_096;
/** So many administrators hear of one request. */
const MAX_MAILS = 20;

/** What a company and its members may store. */
@Injectable()
export class CompanyQuotas {
  constructor(
    private readonly rights: AdminRights,
    private readonly companies: CompanyRepository,
    private readonly quotas: CompanyQuotaRepository,
    private readonly people: CompanyMembers,
    private readonly members: MemberRepository,
    private readonly profiles: ProfileService,
    private readonly mailer: Mailer,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /**
   * Changes what a company may have. Less than it has already is allowed: nothing more comes in then. For administrators of the system: FORBIDDEN,
   * COMPANY_NOT_FOUND, INVALID_ARGUMENT when nothing is given or the soft limit would be above the hard one.
   */
  async edit(actor: AccountActor, companyId: number, change: CompanyQuotaChange): Promise<void> {
    const { quotaEmployeesCount } = change;
    const plan = change.plan === undefined ? undefined : checkedName(change.plan, 'A plan');
    await this.unitOfWork.run(async () => {
      const company = await this.companies.lock(companyId);
      await this.rights.requireCompanyAdmin(actor, companyId);
      await this.rights.requireSystemAdmin(actor);
      if (company === null) throw companyNotFound();
      if (Object.values(change).every((value) => value === undefined)) {
        throw new DomainError('INVALID_ARGUMENT', 'One of quota_size, hard_quota_size, quota_employees_count and plan is required.');
      }
      await this.companies.change(companyId, { plan, quotaEmployeesCount });
      if (change.softLimitBytes === undefined && change.limitBytes === undefined) return;
      const soft = change.softLimitBytes === undefined ? company.softLimitBytes : change.softLimitBytes;
      const limit = change.limitBytes === undefined ? (change.softLimitBytes as number | null) : change.limitBytes;
      refuseCrossed(soft, limit);
      await this.companies.setLimits(companyId, limit, soft);
    });
  }

  /**
   * Gives members the same limits, in the order given: QUOTA_EXCEEDED for each with whom the limits of all would pass the company's, ACCOUNT_NOT_FOUND
   * for who is no member. COMPANY_NOT_FOUND, FORBIDDEN, INVALID_ARGUMENT.
   */
  async changeMembers(
    actor: AccountActor,
    companyId: number,
    accountIds: readonly number[],
    { softLimitBytes, limitBytes }: { readonly softLimitBytes: number | null; readonly limitBytes: number | null },
  ): Promise<MemberResult[]> {
    refuseCrossed(softLimitBytes, limitBytes);
    const wanted = distinctIds(accountIds);
    const errors = await this.people.change(actor, companyId, wanted, async (members) => {
      const failed = new Map<number, DomainError>();
      const { limitBytes: most } = (await this.companies.find(companyId))!;
      const held = new Map(
        (await this.quotas.limitsOf(companyId, this.config.accounts.defaultQuotaBytes || null)).map((l) => [l.accountId, l.limitBytes]),
      );
      let given = [...held.values()].reduce((sum: number, bytes) => sum + (bytes ?? 0), 0);
      const fit: AccountLimit[] = [];
      for (const accountId of wanted) {
        const after = given - (held.get(accountId) ?? 0) + (limitBytes ?? 0);
        if (!members.has(accountId)) failed.set(accountId, memberNotFound());
        else if (most !== null && after > most && after > given)
          failed.set(accountId, new DomainError('QUOTA_EXCEEDED', 'Company quota need increase.'));
        else {
          given = after;
          fit.push({ accountId, limitBytes, softLimitBytes });
        }
      }
      await this.quotas.setLimits(fit);
      return failed;
    });
    const done = wanted.filter((id) => !errors.has(id));
    const profiles = new Map((await this.profiles.ofAccounts(done)).map((profile) => [profile.account.id, profile]));
    return wanted.map((accountId) => ({ accountId, profile: profiles.get(accountId) ?? null, error: errors.get(accountId) ?? null }));
  }

  /**
   * Asks the administrators of the company for more space, for oneself or, as one of them, for a member. Asking again before anybody has looked sends no
   * further mail. COMPANY_NOT_FOUND, ACCOUNT_NOT_FOUND (also for who is no member), FORBIDDEN for a colleague, INVALID_ARGUMENT.
   */
  async request(actor: AccountActor, companyId: number, accountId: number, comment: string): Promise<void> {
    const text = comment.trim();
    if (Buffer.byteLength(text) > MAX_COMMENT_BYTES || /\0|\p{Cs}/u.test(text)) {
      throw new DomainError('INVALID_ARGUMENT', `"comment" has at most ${MAX_COMMENT_BYTES} bytes.`);
    }
    const asAdmin = await this.rights.requireCompanyMember(actor, companyId);
    await this.unitOfWork.run(async () => {
      const [member] = await this.members.lock(companyId, [accountId]);
      if (!member) throw memberNotFound();
      if (accountId !== actor.accountId && !asAdmin) throw new DomainError('FORBIDDEN', 'Only an administrator asks for somebody else.');
      const now = this.clock.now();
      if (!(await this.quotas.request(newId(now.getTime()), companyId, accountId, text, now))) return;
      const { account, logins } = await this.profiles.ofAccount(accountId);
      const person = account.name || mainLogin(accountId, logins);
      for (const { email, lang } of await this.members.adminAddresses(companyId, MAX_MAILS)) {
        await this.mailer.send({ to: email, ...quotaRequestMail(lang, person, text) });
      }
    });
  }

  /** Notes that an administrator has seen the request of a member; without one nothing changes. COMPANY_NOT_FOUND, FORBIDDEN, ACCOUNT_NOT_FOUND. */
  async markViewed(actor: AccountActor, companyId: number, accountId: number): Promise<void> {
    await this.people.changeOne(actor, { accountId, companyId }, () => this.quotas.markViewed(companyId, accountId, this.clock.now()));
  }
}

function refuseCrossed(soft: number | null, hard: number | null): void {
  if (hard !== null && soft !== null && soft > hard) throw new DomainError('INVALID_ARGUMENT', 'The soft limit must not be above the hard one.');
}
