import { Injectable } from '@nestjs/common';

import {
  type AccountFlags,
  type AccountProfile,
  AddressLimit,
  AdminRights,
  checkedName,
  type CheckedRegistration,
  type ClientInfo,
  companyNotFound,
  emailLogin,
  type LoginName,
  parseLogin,
  phoneLogin,
  ProfileService,
  RegistrationService,
  type Session,
  SessionService,
} from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';
import { Settings } from '#libs/settings';

import { CompanyRepository } from './repositories/company.repository.js';
import { checkedDomain } from './settings/company-domain.js';

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

/** A member that an administrator makes. */
export interface NewMember extends AccountFlags {
  /** `email:a@b.c`, a bare address, or a phone number. */
  readonly login: string;
  readonly name: string;
  readonly password: string;
  readonly lang?: string | undefined;
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
    private readonly settings: Settings,
    private readonly rights: AdminRights,
    private readonly addresses: AddressLimit,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes an account. It works at once when its address needs no proof (configuration, invitation, made by an administrator), and waits for the
   * answer to a mail otherwise. LOGIN_TAKEN, INVALID_ARGUMENT, FORBIDDEN, COMPANY_NOT_FOUND, NAME_TAKEN (domain of another company), ACCOUNT_NOT_FOUND
   * (invitation), QUOTA_EXCEEDED (members of the company), RATE_LIMITED (600 an hour from one address, but for administrators).
   */
  async signUp(actor: AccountActor | null, command: SignUpCommand, client: ClientInfo): Promise<SignedUp> {
    if (!command.createdManually && !command.inviteHash) {
      await this.settings.require('registration_open', 'Registration is closed; ask an administrator for an invitation.');
    }
    if (!command.createdManually) await this.addresses.take('sign-up', client.ip);
    const place = await this.placeOf(actor, command);
    const company = readCompany(command);
    if (company !== null && command.inviteHash) throw new DomainError('INVALID_ARGUMENT', 'An invited person does not found a company.');
    const login = command.email ? emailLogin(command.email) : phoneLogin(command.phone ?? '');
    const { name, password, lang } = command;
    const form = await this.registration.check({ ...flagsOf(command), login, name, password, lang }, command.inviteHash);
    return this.unitOfWork.run(async () => {
      const accountId = command.inviteHash ? await this.registration.acceptInvitation(command.inviteHash, form) : await this.createAt(form, place);
      if (company !== null) await this.found(company, accountId);
      const session = command.createdManually ? await this.sessions.open(accountId, { permanent: false }, client) : null;
      return { profile: await this.profiles.ofAccount(accountId), session };
    });
  }

  /**
   * Makes a confirmed member of a company, for its administrators and those of the system. COMPANY_NOT_FOUND, FORBIDDEN, QUOTA_EXCEEDED when the
   * company has all the members it may have, LOGIN_TAKEN, INVALID_ARGUMENT.
   */
  async createMember(actor: AccountActor, companyId: number, { login: text, ...member }: NewMember): Promise<AccountProfile> {
    await this.rights.requireCompanyAdmin(actor, companyId);
    const form = await this.registration.check({ ...member, login: memberLogin(text) });
    const accountId = await this.unitOfWork.run(() => this.createAt(form, { confirmed: true, companyId, isCompanyAdmin: false }));
    return this.profiles.ofAccount(accountId);
  }

  /**
   * Makes a member whom the company's own provider or directory has proven, without a password, in the surrounding transaction. COMPANY_NOT_FOUND,
   * QUOTA_EXCEEDED, LOGIN_TAKEN.
   */
  async joinProven(companyId: number, person: { readonly login: LoginName; readonly name: string }): Promise<number> {
    await this.holdPlace(companyId);
    return this.registration.createProven(person, companyId);
  }

  /** What the new account is from its first moment. Making a member for somebody else is an administrator's right. */
  private async placeOf(actor: AccountActor | null, command: SignUpCommand): Promise<Place> {
    if (!command.createdManually) return { confirmed: !this.registration.confirmsByMail, companyId: null, isCompanyAdmin: false };
    if (command.inviteHash) throw new DomainError('INVALID_ARGUMENT', 'An invited person registers without created_manually.');
    if (actor === null) throw new DomainError('UNAUTHENTICATED', 'Only an administrator makes members; sign in first.');
    const own = await this.rights.requireAnyAdmin(actor);
    const companyId = command.companyId ?? (own.isSystemAdmin ? null : own.companyId);
    if (companyId !== null) await this.rights.requireCompanyAdmin(actor, companyId);
    if (!own.isSystemAdmin && command.companyName) throw new DomainError('FORBIDDEN', 'Members of a company do not found another one.');
    return { confirmed: true, companyId, isCompanyAdmin: (command.memberIsAdmin ?? false) && companyId !== null };
  }

  /** Makes the account where it belongs. COMPANY_NOT_FOUND for a company that takes no members, QUOTA_EXCEEDED for one that has all it may have. */
  private async createAt(form: CheckedRegistration, place: Place): Promise<number> {
    if (place.companyId !== null) await this.holdPlace(place.companyId);
    return this.registration.create(form, place);
  }

  private async holdPlace(companyId: number): Promise<void> {
    const held = await this.companies.holdForMember(companyId);
    if (!held?.isActive) throw companyNotFound();
    if (!held.hasRoom) throw new DomainError('QUOTA_EXCEEDED', 'The company has all the members it may have.');
  }

  private async found(company: { name: string; domain: string | null; plan: string }, ownerId: number): Promise<void> {
    const companyId = await this.companies.insert(
      { ...company, ownerId, status: this.config.accounts.companyApproval === 'manual' ? 'waiting' : 'active' },
      this.clock.now(),
    );
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
  const domain = checkedDomain(command.companyDomain ?? '');
  const plan = checkedName(command.companyPlan ?? '', 'A plan');
  return { name, domain, plan };
}

/** A login that a person can have. INVALID_ARGUMENT. */
function memberLogin(text: string): LoginName {
  const login = parseLogin(text);
  if (login.kind !== 'email' && login.kind !== 'msisdn')
    throw new DomainError('INVALID_ARGUMENT', 'A member has an e-mail address or a phone number.');
  return login;
}
