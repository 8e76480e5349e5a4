import { Injectable } from '@nestjs/common';

import {
  type AccountFlags,
  type AccountProfile,
  checkedName,
  type ClientInfo,
  emailLogin,
  phoneLogin,
  ProfileService,
  RegistrationService,
  type Session,
  SessionService,
} from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';

import { CompanyRepository } from './repositories/company.repository.js';

const DOMAIN = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

export interface SignUpCommand extends AccountFlags {
  /** Exactly one of e-mail and phone. */
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
  readonly name: string;
  readonly password: string;
  readonly lang?: string | undefined;
  /** Of an invitation mail: the address needs no further confirmation. */
  readonly inviteHash?: string | undefined;
  /** Not empty: a company is founded, owned and administrated by the new account. */
  readonly companyName?: string | undefined;
  readonly companyPlan?: string | undefined;
  readonly companyDomain?: string | undefined;
  /** An administrator makes a confirmed member. */
  readonly createdManually?: boolean | undefined;
  /** Of a member made by a system admin; a company admin's members join the admin's own company. */
  readonly companyId?: number | undefined;
  /** Makes the member an administrator of the company. */
  readonly memberIsAdmin?: boolean | undefined;
}

/** The new account; `session` only when an administrator made it. */
export interface SignedUp {
  readonly profile: AccountProfile;
  readonly session: Session | null;
}

interface Place {
  readonly confirmed: boolean;
  readonly companyId: number | null;
  readonly isCompanyAdmin: boolean;
}

/** Registration, with all that may come with it: invitation, a new company, or an administrator who does it for somebody. */
@Injectable()
export class SignUpService {
  constructor(
    private readonly registration: RegistrationService,
    private readonly profiles: ProfileService,
    private readonly sessions: SessionService,
    private readonly companies: CompanyRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes an account. It works at once when its address needs no proof (configuration, invitation, made by an administrator), and waits for the
   * answer to a mail otherwise. LOGIN_TAKEN, INVALID_ARGUMENT, FORBIDDEN, COMPANY_NOT_FOUND, NAME_TAKEN (domain of another company), ACCOUNT_NOT_FOUND (invitation).
   */
  async signUp(actor: AccountActor | null, command: SignUpCommand, client: ClientInfo): Promise<SignedUp> {
    const place = await this.placeOf(actor, command);
    const company = readCompany(command);
    if (company !== null && command.inviteHash) throw new DomainError('INVALID_ARGUMENT', 'An invited person does not found a company.');
    const login = command.email ? emailLogin(command.email) : phoneLogin(command.phone ?? '');
    const { name, password, lang } = command;
    const form = await this.registration.check({ ...flagsOf(command), login, name, password, lang });
    return this.unitOfWork.run(async () => {
      const accountId = command.inviteHash
        ? await this.registration.acceptInvitation(command.inviteHash, form)
        : await this.registration.create(form, place);
      if (company !== null) await this.found(company, accountId);
      const session = command.createdManually ? await this.sessions.open(accountId, { permanent: false }, client) : null;
      return { profile: await this.profiles.ofAccount(accountId), session };
    });
  }

  /** What the new account is from its first moment. Making a member for somebody else is an administrator's right. */
  private async placeOf(actor: AccountActor | null, command: SignUpCommand): Promise<Place> {
    if (!command.createdManually) return { confirmed: !this.registration.confirmsByMail, companyId: null, isCompanyAdmin: false };
    if (command.inviteHash) throw new DomainError('INVALID_ARGUMENT', 'An invited person registers without created_manually.');
    const own = actor === null ? null : (await this.profiles.ofAccount(actor.accountId)).account;
    if (own === null) throw new DomainError('UNAUTHENTICATED', 'Only an administrator makes members; sign in first.');
    const isCompanyAdmin = command.memberIsAdmin ?? false;
    if (own.role === 'admin') {
      const companyId = command.companyId ?? null;
      if (companyId !== null && !(await this.companies.isActive(companyId))) throw companyNotFound();
      return { confirmed: true, companyId, isCompanyAdmin: isCompanyAdmin && companyId !== null };
    }
    if (!own.isCompanyAdmin || own.companyId === null) throw new DomainError('FORBIDDEN', 'Only an administrator makes members.');
    const isOwn = command.companyId === undefined || command.companyId === own.companyId;
    if (!isOwn || !(await this.companies.isActive(own.companyId))) throw companyNotFound();
    if (command.companyName) throw new DomainError('FORBIDDEN', 'Members of a company do not found another one.');
    return { confirmed: true, companyId: own.companyId, isCompanyAdmin };
  }

  private async found(company: { name: string; domain: string | null; plan: string }, ownerId: number): Promise<void> {
    const companyId = await this.companies.insert({ ...company, ownerId }, this.clock.now());
    await this.registration.joinCompany(ownerId, companyId, { isCompanyAdmin: true });
  }
}

/** Flags that restrict a member are the administrator's to set; anybody else gets the defaults. */
function flagsOf(command: SignUpCommand): AccountFlags {
  const { userAgreement, marketingAgreement } = command;
  if (!command.createdManually) return { userAgreement, marketingAgreement };
  const { canPrint, canDownload, pcCanDownload, useWatermarks, mobileRestriction, expiresMs } = command;
  return { userAgreement, marketingAgreement, canPrint, canDownload, pcCanDownload, useWatermarks, mobileRestriction, expiresMs };
}

function readCompany(command: SignUpCommand): { name: string; domain: string | null; plan: string } | null {
  const name = checkedName(command.companyName ?? '', 'The name of a company');
  if (name === '') return null;
  const domain = command.companyDomain?.trim().toLowerCase() || null;
  if (domain !== null && !DOMAIN.test(domain)) throw new DomainError('INVALID_ARGUMENT', 'The domain of a company is a host name.');
  const plan = checkedName(command.companyPlan ?? '', 'A plan');
  return { name, domain, plan };
}

function companyNotFound(): DomainError {
  return new DomainError('COMPANY_NOT_FOUND', 'There is no such company.');
}
