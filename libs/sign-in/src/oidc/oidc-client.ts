import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import {
  allowInsecureRequests,
  AuthorizationResponseError,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  type ClientAuth,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  customFetch,
  discovery,
  fetchUserInfo,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  ResponseBodyError,
} from 'openid-client';

import { Clock, DomainError, isDomainError, sha256 } from '#libs/kernel';

import { OutboundHosts, unavailable } from '../outbound-hosts.js';
import { guardedFetch } from './guarded-fetch.js';
import { keyIdOf, type ProvenToken, provenToken, type ProviderKey, refused, signingKeys } from './id-tokens.js';

const TIMEOUT_SECONDS = 5;
const DISCOVERY_LIFE_MS = 60 * 60 * 1_000;
const MAX_PROVIDERS = 500;
/** How long the keys of a provider are taken for all of them, and how long they are not asked for again. */
const KEYS_LIFE_MS = 60 * 60_000;
const KEYS_REST_MS = 60_000;

/** An identity provider, with what it knows us by. */
export interface OidcProvider {
  readonly issuer: string;
  readonly clientId: string;
  /** Empty = a public client. */
  readonly clientSecret: string;
}

/** What must come back with a person from the provider. */
export interface OidcChecks {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

export interface OidcPerson {
  readonly subject: string;
  /** Only an address that the provider calls verified. */
  readonly email: string | null;
  readonly name: string;
  /** The domain whose accounts the provider administrates (Google's `hd`); empty = none. */
  readonly hostedDomain: string;
}

/** The authorization code flow with PKCE (RFC 7636), state and nonce. What discovery told is kept for an hour. */
@Injectable()
export class OidcClient {
  private readonly known = new LRUCache<string, Promise<Configuration>>({ max: MAX_PROVIDERS, ttl: DISCOVERY_LIFE_MS });

  private readonly keys = new LRUCache<string, { readonly found: Promise<ProviderKey[]>; readonly askedMs: number }>({ max: MAX_PROVIDERS });

  constructor(
    private readonly hosts: OutboundHosts,
    private readonly clock: Clock,
  ) {}

  /** Asks the provider for its configuration. PROVIDER_UNAVAILABLE when it has none, or may not be asked. */
  async check(provider: OidcProvider): Promise<void> {
    await this.configurationOf(provider);
  }

  /** Where to send the person, and what must come back. PROVIDER_UNAVAILABLE. */
  async begin(provider: OidcProvider, redirectUri: string): Promise<{ readonly url: string; readonly checks: OidcChecks }> {
    const configuration = await this.configurationOf(provider);
    const checks = { state: randomState(), nonce: randomNonce(), codeVerifier: randomPKCECodeVerifier() };
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: 'openid email profile',
      state: checks.state,
      nonce: checks.nonce,
      code_challenge: await calculatePKCECodeChallenge(checks.codeVerifier),
      code_challenge_method: 'S256',
    });
    // a provider's own metadata names this address; the browser must not be sent to a script with it
    if (!/^https?:$/.test(url.protocol)) throw unavailable('The identity provider has no page to sign in.');
    return { url: url.toString(), checks };
  }

  /** Who came back to `url`, our redirect address with the provider's parameters. FORBIDDEN when it does not fit or was refused there; PROVIDER_UNAVAILABLE. */
  async finish(provider: OidcProvider, url: URL, { state, nonce, codeVerifier }: OidcChecks): Promise<OidcPerson> {
    const configuration = await this.configurationOf(provider);
    try {
      const tokens = await authorizationCodeGrant(configuration, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
      });
      const told = tokens.claims()!;
      const claims: Readonly<Record<string, unknown>> =
        typeof told['email'] === 'string' || !configuration.serverMetadata().userinfo_endpoint
          ? told
          : { ...told, ...(await fetchUserInfo(configuration, tokens.access_token, told.sub)) };
      return personOf(told.sub, claims);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /**
   * Who is meant by an ID token that the provider made for us and somebody shows here; `proof` is for its one use. FORBIDDEN for every other token;
   * PROVIDER_UNAVAILABLE.
   */
  async verify(
    provider: OidcProvider,
    token: string,
  ): Promise<{ readonly person: OidcPerson; readonly proof: Pick<ProvenToken, 'signed' | 'endsMs'> }> {
    const keyId = keyIdOf(token);
    const { issuer, jwks_uri: address } = (await this.configurationOf(provider)).serverMetadata();
    if (address === undefined) throw unavailable('The identity provider does not say what it signs with.');
    const key = await this.keyOf(address, keyId);
    // Google names itself with and without a scheme
    const { claims, ...proof } = provenToken(token, key, [issuer, issuer.replace(/^https:\/\//, '')], provider.clientId, this.clock.nowMs());
    return { person: personOf(claims.sub, claims), proof };
  }

  /** A key of the provider. Its keys are asked for again when there is none of this name, but not each time that somebody makes a name up. */
  private async keyOf(address: string, keyId: string | undefined): Promise<ProviderKey> {
    for (const isLast of [false, true]) {
      const known = this.keys.get(address);
      const fresh = known !== undefined && this.clock.nowMs() - known.askedMs < (isLast ? KEYS_REST_MS : KEYS_LIFE_MS);
      const { found } = fresh ? known : this.askKeys(address);
      const keys = await found;
      const key = keyId === undefined ? (keys.length === 1 ? keys[0] : undefined) : keys.find(({ kid }) => kid === keyId);
      if (key !== undefined) return key;
    }
    throw refused();
  }

  private askKeys(address: string): { readonly found: Promise<ProviderKey[]>; readonly askedMs: number } {
    const asked = { found: this.fetchKeys(address), askedMs: this.clock.nowMs() };
    this.keys.set(address, asked);
    asked.found.catch(() => this.keys.peek(address) === asked && this.keys.delete(address));
    return asked;
  }

  private async fetchKeys(address: string): Promise<ProviderKey[]> {
    const answer = await guardedFetch(this.hosts)(address, {
      method: 'GET',
      headers: { accept: 'application/json' },
      body: undefined,
      redirect: 'manual',
    });
    if (answer.status !== 200) throw unavailable('The identity provider does not answer.');
    return signingKeys(await answer.json().catch(() => null));
  }

  private async configurationOf(provider: OidcProvider): Promise<Configuration> {
    const key = sha256(JSON.stringify([provider.issuer, provider.clientId, provider.clientSecret])).toString('base64');
    const found = this.known.get(key);
    if (found !== undefined) return found;
    const asking = this.discover(provider);
    this.known.set(key, asking);
    try {
      return await asking;
    } catch (error) {
      if (this.known.peek(key) === asking) this.known.delete(key);
      throw isDomainError(error) ? error : unavailable('The identity provider does not say how to sign in.', error);
    }
  }

  private discover({ issuer, clientId, clientSecret }: OidcProvider): Promise<Configuration> {
    const server = new URL(issuer);
    return discovery(server, clientId, {}, clientSecret === '' ? None() : bySecret(clientSecret), {
      [customFetch]: guardedFetch(this.hosts),
      timeout: TIMEOUT_SECONDS,
      ...(server.protocol === 'http:' ? { execute: [allowInsecureRequests] } : {}),
    });
  }
}

function personOf(subject: string, { email, email_verified: verified, name, hd }: Readonly<Record<string, unknown>>): OidcPerson {
  return {
    subject,
    email: typeof email === 'string' && (verified === true || verified === 'true') ? email : null,
    name: typeof name === 'string' ? name : '',
    hostedDomain: typeof hd === 'string' ? hd.toLowerCase() : '',
  };
}

/** The way that the provider's metadata names; without a word on it, the one that is the rule (OpenID Connect Discovery 3). */
function bySecret(clientSecret: string): ClientAuth {
  const [post, basic] = [ClientSecretPost(clientSecret), ClientSecretBasic(clientSecret)];
  return (server, ...rest) => (server.token_endpoint_auth_methods_supported?.includes('client_secret_post') ? post : basic)(server, ...rest);
}

/** What the provider or the check of its answer said, as a refusal of ours. */
function refusalOf(error: unknown): DomainError {
  if (isDomainError(error)) return error;
  if (isDomainError((error as Error).cause)) return (error as Error).cause as DomainError;
  const isTheirs = error instanceof AuthorizationResponseError || (error instanceof ResponseBodyError && error.status < 500);
  const fits = error instanceof ClientError && error.code !== 'OAUTH_TIMEOUT';
  if (!isTheirs && !fits) return unavailable('The identity provider does not answer.', error);
  return new DomainError(
    'FORBIDDEN',
    'The identity provider did not let this person in, or the sign-in was used already; start again.',
    {},
    { cause: error },
  );
}
