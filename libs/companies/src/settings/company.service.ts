import { Injectable } from '@nestjs/common';

import { AdminRights, Authenticator, checkedName, companyNotFound } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, DomainError, SecretSeal } from '#libs/kernel';
import { isMailAddress } from '#libs/mail';

import type { Company } from '../company.js';
import { CompanyRepository } from '../repositories/company.repository.js';
import { checkedDomain } from './company-domain.js';
import { checkedSettings, type CompanySettings, type SettingsChange } from './company-settings.js';

/** What an administrator of a company may change of it. */
export interface CompanyEdit extends SettingsChange {
  readonly name?: string | undefined;
  /** Empty = none. */
  readonly domain?: string | undefined;
}

type DirectorySetting = 'ldapAddress' | 'ldapPort' | 'ldapBasedn' | 'ldapUserAttribute' | 'ldapUserAgentDn' | 'ldapUserAgentPassword';

/** A company as somebody sees it: its administrators see the settings. */
export interface CompanyView {
  readonly company: Company;
  readonly asAdmin: boolean;
}

/** A company's own affairs. COMPANY_NOT_FOUND for the companies of others, FORBIDDEN for members where an administrator is needed. */
@Injectable()
export class CompanyService {
  private readonly seal: SecretSeal;

  constructor(
    private readonly companies: CompanyRepository,
    private readonly rights: AdminRights,
    private readonly authenticator: Authenticator,
    private readonly unitOfWork: UnitOfWork,
    config: AppConfig,
  ) {
    this.seal = new SecretSeal(config.secretKey, 'company secrets 1');
  }

  /** The company for one of its members, or for an administrator of the system. */
  async get(actor: AccountActor, companyId: number): Promise<CompanyView> {
    const asAdmin = await this.rights.requireCompanyMember(actor, companyId);
    return { company: await this.ofCompany(companyId), asAdmin };
  }

  /** The company of a domain, for everybody. COMPANY_NOT_FOUND. */
  async byDomain(domain: string): Promise<Company> {
    const company = await this.companies.findByDomain(domain.trim());
    if (company === null || company.status === 'denied') throw companyNotFound();
    return company;
  }

  /** Changes what is given; INVALID_ARGUMENT, NAME_TAKEN when another company has the domain. An empty password of the directory stays as it is. */
  async change(actor: AccountActor, companyId: number, edit: CompanyEdit): Promise<CompanyView> {
    const settings = checkedSettings({ ...edit, ldapUserAgentPassword: edit.ldapUserAgentPassword || undefined });
    if (settings.ldapUserAgentPassword) {
      const { ldapUserAgentPassword: secret } = settings;
      Object.assign(settings, { ldapUserAgentPassword: this.seal.seal(secret) });
    }
    const name = edit.name === undefined ? undefined : companyName(edit.name);
    const domain = edit.domain === undefined ? undefined : checkedDomain(edit.domain);
    return this.edit(actor, companyId, (company) => {
      const merged = { ...company.settings, ...settings };
      if (merged.ldapIsEnabled && merged.ldapAddress === '') throw new DomainError('INVALID_ARGUMENT', '"ldap_is_enabled" needs an "ldap_address".');
      return this.companies.change(companyId, { name, domain, settings });
    });
  }

  /** The address that the company is known by elsewhere. INVALID_ARGUMENT. */
  async setReference(actor: AccountActor, companyId: number, referenceEmail: string): Promise<void> {
    const address = referenceEmail.trim();
    if (!isMailAddress(address)) throw new DomainError('INVALID_ARGUMENT', '"reference_email" is not an e-mail address.');
    await this.edit(actor, companyId, () => this.companies.change(companyId, { referenceEmail: address }));
  }

  /** The company behind an id, for use cases that have decided already. COMPANY_NOT_FOUND. */
  async ofCompany(companyId: number): Promise<Company> {
    const company = await this.companies.find(companyId);
    if (company === null) throw companyNotFound();
    return company;
  }

  /** How to reach the directory of a company, with the password for it; null when it uses none. For sign-in. */
  async directoryOf(companyId: number): Promise<Pick<CompanySettings, DirectorySetting> | null> {
    const { settings } = await this.ofCompany(companyId);
    if (!settings.ldapIsEnabled) return null;
    const { ldapAddress, ldapPort, ldapBasedn, ldapUserAttribute, ldapUserAgentDn, ldapUserAgentPassword: sealed } = settings;
    const ldapUserAgentPassword = sealed === '' ? '' : this.seal.open(sealed);
    return { ldapAddress, ldapPort, ldapBasedn, ldapUserAttribute, ldapUserAgentDn, ldapUserAgentPassword };
  }

  private edit(actor: AccountActor, companyId: number, work: (company: Company) => Promise<void>): Promise<CompanyView> {
    return this.unitOfWork.run(async () => {
      const company = await this.companies.lock(companyId);
      await this.rights.requireCompanyAdmin(actor, companyId);
      if (company === null) throw companyNotFound();
      await work(company);
      await this.unitOfWork.afterCommit(() => this.authenticator.forgetAll());
      return { company: await this.ofCompany(companyId), asAdmin: true };
    });
  }
}

function companyName(text: string): string {
  const name = checkedName(text, 'The name of a company');
  if (name === '' || /\p{Cs}/u.test(name)) throw new DomainError('INVALID_ARGUMENT', 'A company needs a name of valid Unicode.');
  return name;
}
