import { Injectable } from '@nestjs/common';

import { AdminRights, Authenticator, companyNotFound, ProfileService } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, DomainError } from '#libs/kernel';
import { Mailer, type MailText } from '#libs/mail';
import { TaskService } from '#libs/tasks';

import type { Company, CompanyStatus } from './company.js';
import { approvedMail, deniedMail } from './company-mails.js';
import type { RemoveCompanyInput } from './remove-company.task.js';
import { CompanyRepository } from './repositories/company.repository.js';
import { MemberRepository } from './repositories/member.repository.js';
import type { CompanyView } from './settings/company.service.js';

/**
 * What becomes of a company: waiting -> active or denied -> inactive, expired -> gone. FORBIDDEN for everybody but administrators of the
 * system unless a method says otherwise; COMPANY_NOT_FOUND for an unknown company, and for everybody to whom it does not exist.
 */
@Injectable()
export class CompanyStates {
  constructor(
    private readonly companies: CompanyRepository,
    private readonly members: MemberRepository,
    private readonly rights: AdminRights,
    private readonly profiles: ProfileService,
    private readonly authenticator: Authenticator,
    private readonly mailer: Mailer,
    private readonly tasks: TaskService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Where the company stands; for its administrators. */
  async status(actor: AccountActor, companyId: number): Promise<CompanyStatus> {
    await this.rights.requireCompanyAdmin(actor, companyId);
    const company = await this.companies.find(companyId);
    if (company === null) throw companyNotFound();
    return company.status;
  }

  /** Opens and closes a company. INVALID_ARGUMENT for another status than these two. */
  async setStatus(actor: AccountActor, companyId: number, status: string): Promise<CompanyStatus> {
    if (status !== 'active' && status !== 'inactive') throw new DomainError('INVALID_ARGUMENT', '"status" is active or inactive.');
    await this.move(actor, companyId, () => status);
    return status;
  }

  /** Lets a company in that waits or was denied, and tells its owner. INVALID_ARGUMENT for any other, but nothing for one that is active already. */
  async approve(actor: AccountActor, companyId: number): Promise<void> {
    await this.move(actor, companyId, async (company): Promise<CompanyStatus> => {
      if (company.status === 'active') return 'active';
      if (company.status !== 'waiting' && company.status !== 'denied') throw invalid(`A company that is ${company.status} cannot be approved.`);
      await this.tellOwner(company, (lang) => approvedMail(lang, company.name));
      return 'active';
    });
  }

  /** Refuses a company that waits, and tells its owner. INVALID_ARGUMENT for any other, but nothing for one that is denied already. */
  async deny(actor: AccountActor, companyId: number, reason: string): Promise<void> {
    await this.move(actor, companyId, async (company): Promise<CompanyStatus> => {
      if (company.status === 'denied') return 'denied';
      if (company.status !== 'waiting') throw invalid(`A company that is ${company.status} cannot be denied.`);
      await this.tellOwner(company, (lang) => deniedMail(lang, company.name, reason));
      return 'denied';
    });
  }

  /** Ends the plan of a company, or begins it again. INVALID_ARGUMENT for a company that waits or was denied. */
  async setExpired(actor: AccountActor, companyId: number, expired: boolean): Promise<void> {
    await this.move(actor, companyId, (company) => {
      if (company.status === 'waiting' || company.status === 'denied') throw invalid(`A company that is ${company.status} has no plan.`);
      if (!expired) return company.status === 'expired' ? 'active' : company.status;
      return 'expired';
    });
  }

  /**
   * Lets nobody in any more and removes the company in the background; the id of the task. INVALID_ARGUMENT with a reason while people (`users`, also
   * deleted ones who could be restored), people who are being erased (`erasing`) or data (`data`) must stay.
   */
  async remove(actor: AccountActor, companyId: number): Promise<string> {
    return this.unitOfWork.run(async () => {
      const company = await this.lockAsSystem(actor, companyId);
      const { accounts, erasing } = await this.companies.countAccounts(companyId);
      if (accounts > 0) throw refused('users', `The company cannot be removed: ${accounts} accounts belong to it.`);
      if (erasing > 0) throw refused('erasing', `The company cannot be removed yet: ${erasing} accounts of it are being erased.`);
      if (company.usedBytes > 0) throw refused('data', 'The company cannot be removed: data are kept for it.');
      const input = { companyId } satisfies RemoveCompanyInput;
      if (company.status === 'removing') {
        const running = await this.tasks.latest(actor, 'companies.remove', input);
        if (running && (running.state === 'waiting' || running.state === 'running')) return running.publicId;
      }
      await this.companies.change(companyId, { status: 'removing' });
      return (await this.tasks.start(actor, 'companies.remove', input)).publicId;
    });
  }

  /**
   * Makes a member the owner; the owner before stays an administrator. By the owner or an administrator of the system: FORBIDDEN for others.
   * ACCOUNT_NOT_FOUND for who is no active member.
   */
  changeOwner(actor: AccountActor, companyId: number, accountId: number): Promise<CompanyView> {
    return this.unitOfWork.run(async () => {
      const company = await this.companies.lock(companyId);
      await this.rights.requireCompanyAdmin(actor, companyId);
      if (company === null) throw companyNotFound();
      if (company.ownerId !== actor.accountId) await this.rights.requireSystemAdmin(actor);
      const [member] = await this.members.lock(companyId, [accountId]);
      if (member?.state !== 'active') throw new DomainError('ACCOUNT_NOT_FOUND', 'There is no such member of the company.');
      await this.companies.change(companyId, { ownerId: accountId });
      await this.members.setAdmin(accountId, true);
      return { company: { ...company, ownerId: accountId }, asAdmin: true };
    });
  }

  private async move(actor: AccountActor, companyId: number, next: (company: Company) => CompanyStatus | Promise<CompanyStatus>): Promise<void> {
    await this.unitOfWork.run(async () => {
      const company = await this.lockAsSystem(actor, companyId);
      if (company.status === 'removing') throw invalid('The company is being removed.');
      await this.companies.change(companyId, { status: await next(company) });
      await this.unitOfWork.afterCommit(() => this.authenticator.forgetAll());
    });
  }

  private async lockAsSystem(actor: AccountActor, companyId: number): Promise<Company> {
    const company = await this.companies.lock(companyId);
    await this.rights.requireCompanyAdmin(actor, companyId);
    await this.rights.requireSystemAdmin(actor);
    if (company === null) throw companyNotFound();
    return company;
  }

  private async tellOwner({ ownerId }: Company, mail: (lang: string) => MailText): Promise<void> {
    if (ownerId === null) return;
    const { account, logins } = await this.profiles.ofAccount(ownerId);
    const address = logins.find(({ kind, confirmedMs }) => kind === 'email' && confirmedMs !== null)?.value;
    if (address !== undefined) await this.mailer.send({ to: address, ...mail(account.lang) });
  }
}

function invalid(message: string): DomainError {
  return new DomainError('INVALID_ARGUMENT', message);
}

function refused(reason: string, message: string): DomainError {
  return new DomainError('INVALID_ARGUMENT', message, { reason });
}
