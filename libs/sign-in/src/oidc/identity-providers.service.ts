import { Injectable } from '@nestjs/common';

import { AdminRights } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, SecretSeal } from '#libs/kernel';

import { OutboundHosts } from '../outbound-hosts.js';
import { OidcClient, type OidcProvider } from './oidc-client.js';
import { type IdentityProviderRecord, IdentityProviderRepository } from './repositories/identity-provider.repository.js';

const MAX_TEXT_BYTES = 1_024;
const MAX_DOMAINS = 100;
const DOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/;

/** What an administrator of a company may say; absent values stay, an empty secret too. */
export interface IdentityProviderChange {
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  /** Domains of the addresses that may be linked to members. */
  readonly domains?: readonly string[] | undefined;
  /** Makes members of people with such an address whom the company does not know yet. */
  readonly autoCreate?: boolean | undefined;
}

/** The settings without the secret; every value empty when the company has no provider. */
export interface IdentityProviderView {
  readonly enabled: boolean;
  readonly issuer: string;
  readonly clientId: string;
  readonly hasSecret: boolean;
  readonly domains: readonly string[];
  readonly autoCreate: boolean;
}

/** A company's provider as the sign-in needs it. */
export interface CompanyProvider extends OidcProvider {
  readonly domains: readonly string[];
  readonly autoCreate: boolean;
}

/** The identity providers that companies sign their people in with. COMPANY_NOT_FOUND, FORBIDDEN for everybody but administrators. */
@Injectable()
export class IdentityProviders {
  private readonly seal: SecretSeal;

  constructor(
    config: AppConfig,
    private readonly providers: IdentityProviderRepository,
    private readonly rights: AdminRights,
    private readonly client: OidcClient,
    private readonly hosts: OutboundHosts,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {
    this.seal = new SecretSeal(config.secretKey, 'identity providers 1');
  }

  async get(actor: AccountActor, companyId: number): Promise<IdentityProviderView> {
    await this.rights.requireCompanyAdmin(actor, companyId);
    return viewOf(await this.providers.find(companyId));
  }

  /** Sets or changes the provider, after it was asked for its configuration. INVALID_ARGUMENT; PROVIDER_UNAVAILABLE when it does not answer or may not be asked. */
  async change(actor: AccountActor, companyId: number, change: IdentityProviderChange): Promise<IdentityProviderView> {
    await this.rights.requireCompanyAdmin(actor, companyId);
    const before = await this.providers.find(companyId);
    const issuer = change.issuer === undefined ? before?.issuer : this.checkedIssuer(change.issuer);
    const clientId = checkedText('client_id', change.clientId) ?? before?.clientId;
    const domains = change.domains === undefined ? before?.domains : checkedDomains(change.domains);
    if (!issuer || !clientId || !domains) throw new DomainError('INVALID_ARGUMENT', '"issuer", "client_id" and "domains" are required.');
    // the secret of one provider is not sent to another that an administrator names later
    const kept = before?.issuer === issuer ? before.sealedSecret : '';
    const secret = checkedText('client_secret', change.clientSecret || undefined);
    const sealedSecret = secret === undefined ? kept : this.seal.seal(secret);
    const record = { issuer, clientId, sealedSecret, domains, autoCreate: change.autoCreate ?? before?.autoCreate ?? false };
    await this.client.check(this.opened(record));
    await this.unitOfWork.run(async () => {
      await this.rights.requireCompanyAdmin(actor, companyId);
      await this.providers.put(companyId, record, this.clock.now());
    });
    return viewOf(record);
  }

  /** Nobody signs in by the provider any more; a second time is fine. */
  async remove(actor: AccountActor, companyId: number): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.rights.requireCompanyAdmin(actor, companyId);
      await this.providers.remove(companyId);
    });
  }

  /** The provider of a company, for signing in; null when it has none. */
  async ofCompany(companyId: number): Promise<CompanyProvider | null> {
    const record = await this.providers.find(companyId);
    return record && { ...this.opened(record), domains: record.domains, autoCreate: record.autoCreate };
  }

  private opened({ issuer, clientId, sealedSecret }: IdentityProviderRecord): OidcProvider {
    return { issuer, clientId, clientSecret: sealedSecret === '' ? '' : this.seal.open(sealedSecret) };
  }

  /** An https URL; plain http only of hosts that the operator has listed. */
  private checkedIssuer(text: string): string {
    const url = URL.parse(text.trim());
    const isPlain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
    const isSafe = isPlain && (url.protocol === 'https:' || (url.protocol === 'http:' && this.hosts.isListed(url.hostname)));
    if (!isSafe || Buffer.byteLength(text) > MAX_TEXT_BYTES) {
      throw new DomainError('INVALID_ARGUMENT', '"issuer" must be an https URL without user, password, query and fragment.');
    }
    return url.toString();
  }
}

function checkedText(name: string, value: string | undefined): string | undefined {
  const text = value?.trim();
  if (text !== undefined && (text === '' || Buffer.byteLength(text) > MAX_TEXT_BYTES || /\p{Cc}|\p{Cs}/u.test(text))) {
    throw new DomainError('INVALID_ARGUMENT', `"${name}" has a value that it cannot have.`);
  }
  return text;
}

function checkedDomains(given: readonly string[]): string[] {
  const domains = [...new Set(given.map((domain) => domain.trim().toLowerCase().replace(/^@/, '')).filter((domain) => domain !== ''))];
  if (domains.length === 0 || domains.length > MAX_DOMAINS || !domains.every((domain) => DOMAIN.test(domain))) {
    throw new DomainError('INVALID_ARGUMENT', `"domains" must be 1 to ${MAX_DOMAINS} host names.`);
  }
  return domains;
}

function viewOf(record: IdentityProviderRecord | null): IdentityProviderView {
  return {
    enabled: record !== null,
    issuer: record?.issuer ?? '',
    clientId: record?.clientId ?? '',
    hasSecret: (record?.sealedSecret ?? '') !== '',
    domains: record?.domains ?? [],
    autoCreate: record?.autoCreate ?? false,
  };
}
