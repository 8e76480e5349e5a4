import { Injectable } from '@nestjs/common';

import {
  type ArrivalRules,
  Arrivals,
  type ClientInfo,
  companyNotFound,
  OauthService,
  RegistrationService,
  SecondFactorService,
  type Session,
  SessionService,
  type TokenWish,
  UsedTokens,
  withVerifier,
} from '#libs/accounts';
import { CompanyService, SignUpService } from '#libs/companies';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { Clock, DomainError, SecretSeal } from '#libs/kernel';
import { Settings } from '#libs/settings';

import { unavailable } from '../outbound-hosts.js';
import { IdentityProviders } from './identity-providers.service.js';
import { type OidcChecks, OidcClient, type OidcPerson, type OidcProvider } from './oidc-client.js';

/** How long the way to the provider and back may take. */
export const ROUND_TRIP_MS = 10 * 60_000;
/** Google answers for these, and for the domains of its own customers (`hd`); an address elsewhere may have a new owner by now. */
const GOOGLE_MAIL = new Set(['gmail.com', 'googlemail.com']);

type ProviderId = number | 'google';

/** How the company of a sign-in is named: by id, or by its domain. */
export interface NamedCompany {
  readonly companyId?: number | undefined;
  readonly domain?: string | undefined;
}

/** What the browser keeps while its person is at the provider. */
interface RoundTrip {
  readonly provider: ProviderId;
  readonly requestToken: string;
  readonly checks: OidcChecks;
  readonly endsMs: number;
}

/** What a provider sends the browser back with. */
export type ProviderAnswer = Readonly<Record<'state' | 'code' | 'iss' | 'error' | 'errorDescription', string | undefined>>;

/** Where the person goes next; or, when nobody was named who would fetch it, the session, or what `OauthService.confirm` takes with the code of a second factor. */
export type Finished = { readonly location: string } | { readonly session: Session } | { readonly requestToken: string; readonly verifier: string };

/**
 * Sign-in at an identity provider: of a company, or at Google. It begins and ends as the sign-in by redirect does (`OauthService`): in between the
 * person goes to the provider instead of typing a password. What must come back is sealed in a cookie of the browser that left, so no other can finish it.
 */
@Injectable()
export class OidcSignIn {
  private readonly seal: SecretSeal;

  constructor(
    private readonly config: AppConfig,
    private readonly providers: IdentityProviders,
    private readonly client: OidcClient,
    private readonly oauth: OauthService,
    private readonly arrivals: Arrivals,
    private readonly companies: CompanyService,
    private readonly signUp: SignUpService,
    private readonly registration: RegistrationService,
    private readonly settings: Settings,
    private readonly secondFactor: SecondFactorService,
    private readonly sessions: SessionService,
    private readonly used: UsedTokens,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {
    this.seal = new SecretSeal(config.secretKey, 'provider round trips 1');
  }

  /** Opens a request to sign in at the provider of a company. COMPANY_NOT_FOUND, also for one without a provider; INVALID_ARGUMENT for the callback. */
  async request(
    named: NamedCompany,
    callback: string,
    clientId: string | undefined,
    wish: TokenWish,
  ): Promise<{ authorizeUrl: string; requestToken: string }> {
    const provider = named.companyId ?? (await this.companies.byDomain(named.domain ?? '')).id;
    if ((await this.providers.ofCompany(provider)) === null) throw companyNotFound();
    this.checkCallback(callback);
    return this.oauth.request({ callback, clientId, provider, ...wish });
  }

  /** The same for Google. Without a callback the session is answered to the browser itself. PROVIDER_UNAVAILABLE when the installation has none. */
  async requestGoogle(callback: string | null, wish: TokenWish): Promise<{ authorizeUrl: string; requestToken: string }> {
    await this.providerOf('google');
    if (callback !== null) this.checkCallback(callback);
    return this.oauth.request({ callback, provider: 'google', ...wish });
  }

  /** Where to send the browser, and what to keep in it under `name`. FORBIDDEN for a request that is not open; PROVIDER_UNAVAILABLE. */
  async start(requestToken: string): Promise<{ readonly location: string; readonly name: string; readonly kept: string }> {
    const { provider } = await this.oauth.find(requestToken);
    if (provider === null) throw new DomainError('FORBIDDEN', 'This sign-in takes a password.');
    const { url, checks } = await this.client.begin(await this.providerOf(provider), this.redirectUri(provider));
    const trip: RoundTrip = { provider, requestToken, checks, endsMs: this.clock.nowMs() + ROUND_TRIP_MS };
    return { location: url, name: keptName(checks.state), kept: this.seal.seal(JSON.stringify(trip)) };
  }

  /**
   * Takes the person who came back. `kept` is what the browser has under `keptName(state)`. FORBIDDEN for another browser, for what was refused or used
   * already, and for people without an account here; ACCOUNT_DISABLED, PROVIDER_UNAVAILABLE, QUOTA_EXCEEDED.
   */
  async finish(from: 'company' | 'google', answer: ProviderAnswer, kept: string | undefined, client: ClientInfo): Promise<Finished> {
    const trip = this.tripOf(kept, answer.state);
    if ((trip.provider === 'google') !== (from === 'google')) throw otherBrowser();
    const { callback } = await this.oauth.find(trip.requestToken);
    const url = new URL(this.redirectUri(trip.provider));
    const told = { state: answer.state, code: answer.code, iss: answer.iss, error: answer.error, error_description: answer.errorDescription };
    for (const [name, value] of Object.entries(told)) if (value !== undefined) url.searchParams.set(name, value);
    const provider = await this.providerOf(trip.provider);
    const person = await this.client.finish(provider, url, trip.checks);
    return this.unitOfWork.run(async () => {
      const { provider: id, requestToken } = trip;
      const scope = id === 'google' ? id : `company:${id}`;
      const rules = id === 'google' ? await this.googleRules(person) : await this.companyRules(id, person);
      const accountId = await this.arrivals.of({ ...person, scope, issuer: provider.issuer }, rules);
      const verifier = await this.oauth.prove(requestToken, accountId);
      if (callback !== null) return { location: withVerifier(callback, requestToken, verifier) };
      if (await this.secondFactor.isOn(accountId)) return { requestToken, verifier };
      return { session: await this.oauth.confirm(requestToken, verifier, client) };
    });
  }

  /**
   * Signs in by an ID token that Google made for this installation: for programs that ask Google themselves. It is good once. FORBIDDEN for every other
   * token, and for people without an account here; SECOND_FACTOR_REQUIRED and so on as a login, after which the token may be shown again with the code;
   * ACCOUNT_DISABLED, PROVIDER_UNAVAILABLE.
   */
  async byGoogleToken(token: string, wish: TokenWish & { readonly otp?: string | undefined }, client: ClientInfo): Promise<Session> {
    const provider = await this.providerOf('google');
    const { person, proof } = await this.client.verify(provider, token);
    const proven = { ...person, scope: 'google', issuer: provider.issuer };
    const rules = await this.googleRules(person);
    // codes are counted outside of the transaction that lets the person in
    const expected = await this.arrivals.expected(proven, rules);
    if (expected !== null) await this.secondFactor.require(expected, wish.otp || undefined, client.ip);
    return this.unitOfWork.run(async () => {
      if (!(await this.used.take(proof.signed, proof.endsMs))) throw new DomainError('FORBIDDEN', 'This token was used already; it is good once.');
      const accountId = await this.arrivals.of(proven, rules);
      if (accountId !== expected && (await this.secondFactor.isOn(accountId)))
        throw new DomainError('BUSY', 'The account has just changed; try again.');
      return this.sessions.open(accountId, wish, client);
    });
  }

  private async companyRules(companyId: number, { email }: OidcPerson): Promise<ArrivalRules> {
    const provider = await this.providers.ofCompany(companyId);
    const mayLink = email !== null && provider?.domains.includes(domainOf(email)) === true;
    const creates = mayLink && provider.autoCreate;
    return {
      companyId,
      mayLink,
      create: creates ? (login, name) => this.signUp.joinProven(companyId, { login: login!, name: nameOf(name, email) }) : null,
    };
  }

  private async googleRules({ email, hostedDomain }: OidcPerson): Promise<ArrivalRules> {
    const domain = email === null ? '' : domainOf(email);
    const creates = email !== null && (await this.settings.get('registration_open'));
    return {
      companyId: null,
      mayLink: GOOGLE_MAIL.has(domain) || (domain !== '' && domain === hostedDomain),
      create: creates ? (login, name) => this.registration.createProven({ login: login!, name: nameOf(name, email) }, null) : null,
    };
  }

  private async providerOf(id: ProviderId): Promise<OidcProvider> {
    if (id === 'google') {
      if (this.config.signIn.google === undefined) throw unavailable('This installation has no sign-in at Google.');
      return this.config.signIn.google;
    }
    const provider = await this.providers.ofCompany(id);
    if (provider === null) throw new DomainError('FORBIDDEN', 'The company has no identity provider any more.');
    return provider;
  }

  private redirectUri(id: ProviderId): string {
    return `${this.config.http.publicUrl}/api/1/accounts/${id === 'google' ? 'google_confirm' : 'oidc_callback'}/`;
  }

  /**
   * Whoever is signed in at the provider comes back at once, without a word typed: the verifier may only go to pages of this installation, or to a
   * program on the person's own machine (RFC 8252 7.3). INVALID_ARGUMENT.
   */
  private checkCallback(callback: string): void {
    const url = URL.parse(callback);
    const origins = [new URL(this.config.http.publicUrl).origin, ...this.config.realtime.allowedOrigins];
    const isOwn =
      url !== null && (origins.includes(url.origin) || (url.protocol === 'http:' && /^(127\.0\.0\.1|\[::1\]|localhost)$/.test(url.hostname)));
    if (!isOwn)
      throw new DomainError('INVALID_ARGUMENT', 'oauth_callback must be a page of this installation, or of the same machine as the browser.');
  }

  private tripOf(kept: string | undefined, state: string | undefined): RoundTrip {
    let trip: RoundTrip | null = null;
    try {
      trip = kept ? (JSON.parse(this.seal.open(kept)) as RoundTrip) : null;
    } catch {
      // refused below
    }
    if (trip === null || trip.checks.state !== state || trip.endsMs <= this.clock.nowMs()) throw otherBrowser();
    return trip;
  }
}

/** The name of the cookie for a round trip: several may be under way in one browser. */
export function keptName(state: string | undefined): string {
  return `stowage_sign_in_${(state ?? '').replace(/[^\w-]/g, '').slice(0, 12)}`;
}

function otherBrowser(): DomainError {
  return new DomainError('FORBIDDEN', 'This sign-in was begun in another browser, or took too long; start again.');
}

function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase();
}

function nameOf(name: string, email: string | null): string {
  const text = name.replace(/[\p{Cc}\p{Cs}]+/gu, ' ').trim();
  return Buffer.from(text || (email ?? '').split('@')[0]!, 'utf8')
    .subarray(0, 256)
    .toString('utf8')
    .replace(/\uFFFD+$/u, '');
}
