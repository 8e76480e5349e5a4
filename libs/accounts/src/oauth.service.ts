import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { DomainError } from '#libs/kernel';

import { AddressLimit } from './address-limit.js';
import { LoginService, type PasswordProof } from './login.service.js';
import { OneTimeSecrets } from './one-time-secrets.js';
import { AccountRepository } from './repositories/account.repository.js';
import type { SecretRecord } from './repositories/secret.repository.js';
import { SecondFactorService } from './second-factor/second-factor.service.js';
import { type ClientInfo, type Session, SessionService, type TokenWish } from './session.service.js';
import { shownText } from './texts.js';

const MAX_CALLBACK_BYTES = 2_048;

export interface OauthCommand extends TokenWish {
  /** Where the browser goes afterwards: an absolute http(s) URL; null only with a provider or a consumer. */
  readonly callback: string | null;
  readonly clientId?: string | undefined;
  /** The company at whose identity provider the person signs in, instead of by a password here; `google` = at Google. */
  readonly provider?: number | 'google' | undefined;
  /** The OAuth 1.0 consumer whose signature asks; only it can confirm. */
  readonly consumer?: string | undefined;
}

/** A request that waits for the person. */
export interface OpenRequest {
  readonly provider: number | 'google' | null;
  readonly consumer: string | null;
  /** Null = the session is answered to whoever comes back from the provider; with a consumer: the verifier is shown to the person. */
  readonly callback: string | null;
}

/**
 * Sign-in of a web client by redirect: request -> authorize (login and password) -> redirect to the client's own callback with a verifier -> token.
 * The callback is fixed when the request is made; nothing in the later steps can change it.
 */
@Injectable()
export class OauthService {
  constructor(
    private readonly config: AppConfig,
    private readonly logins: LoginService,
    private readonly sessions: SessionService,
    private readonly secrets: OneTimeSecrets,
    private readonly secondFactor: SecondFactorService,
    private readonly accounts: AccountRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly addresses: AddressLimit,
  ) {}

  /** Opens a request that is good for 15 minutes. INVALID_ARGUMENT for a callback that is no plain http(s) URL, RATE_LIMITED (by address). */
  async request(command: OauthCommand): Promise<{ readonly authorizeUrl: string; readonly requestToken: string }> {
    const { provider = null, consumer = null } = command;
    const callback = command.callback === null && (provider !== null || consumer !== null) ? null : checkedCallback(command.callback ?? '');
    if (command.ip !== undefined) await this.addresses.take('oauth-request', command.ip);
    const requestToken = await this.secrets.make('oauth_request', null, {
      callback,
      provider,
      consumer,
      clientId: shownText(command.clientId ?? ''),
      permanent: command.permanent,
      deviceDescription: shownText(command.deviceDescription ?? ''),
    });
    const step = provider === null ? 'authorize' : 'oidc_start';
    return { authorizeUrl: `${this.config.http.publicUrl}/api/1/accounts/${step}/?request_token=${requestToken}`, requestToken };
  }

  /**
   * Takes login and password and answers the URL to redirect to. Throws as a password login; FORBIDDEN for a request that is unknown, has ended
   * or is finished. May be repeated until the request is confirmed: web clients repeat it because of how they read the redirect.
   */
  async authorize(requestToken: string, credentials: PasswordProof, client: ClientInfo): Promise<string> {
    const { callback } = await this.find(requestToken);
    if (callback === null) throw notOpen();
    return withVerifier(callback, requestToken, await this.proveByPassword(requestToken, credentials, client));
  }

  /** The verifier for the account that login and password prove. Throws as `authorize`. */
  async proveByPassword(requestToken: string, credentials: PasswordProof, client: ClientInfo): Promise<string> {
    const { provider } = await this.find(requestToken);
    // its person was to be shown the sign-in of a company, not a form for passwords
    if (provider !== null) throw notOpen();
    const { accountId, secretHash } = await this.logins.verify(credentials, client);
    return this.unitOfWork.run(async () => {
      // A password that was replaced since then proves nothing; one that changes from now on ends the verifier.
      await this.accounts.lock(accountId);
      if ((await this.accounts.passwordHash(accountId)) !== secretHash) throw notOpen();
      return this.verifierFor(requestToken, accountId, false);
    });
  }

  /** What a request is for. FORBIDDEN when it is unknown, has ended or is finished. */
  async find(requestToken: string): Promise<OpenRequest> {
    const { payload } = await this.openRequest(requestToken);
    const { callback = null, provider = null, consumer = null } = payload as Partial<OpenRequest>;
    return { callback, provider, consumer };
  }

  /**
   * The verifier for an account that an identity provider has proven, in the surrounding transaction or one of its own. `confirm` asks for the code of
   * the account's second factor, if it has one. FORBIDDEN as `find`.
   */
  prove(requestToken: string, accountId: number): Promise<string> {
    return this.unitOfWork.run(async () => {
      await this.accounts.lock(accountId);
      return this.verifierFor(requestToken, accountId, true);
    });
  }

  /**
   * Exchanges token and verifier for a session. FORBIDDEN for a second use and for values that do not belong together. After a sign-in at a provider it
   * takes the code of a second factor that is on, thrown as by a login: the request can be repeated with it. `consumer`: who has signed for it; what a
   * consumer opened is FORBIDDEN for everybody else.
   */
  async confirm(requestToken: string, verifier: string, client: ClientInfo, otp?: string, consumer: string | null = null): Promise<Session> {
    const proven = await this.secrets.find(verifier, 'oauth_verifier');
    if (proven?.payload['asksCode'] === true && proven.accountId !== null)
      await this.secondFactor.require(proven.accountId, otp || undefined, client.ip);
    return this.unitOfWork.run(async () => {
      const request = await this.secrets.redeem(requestToken, ['oauth_request'], { repeatable: false });
      const proof = request && (await this.secrets.redeem(verifier, ['oauth_verifier'], { repeatable: false }));
      if (!proof || proof.accountId === null || proof.payload['requestId'] !== request.id) throw notOpen();
      if ((request.payload['consumer'] ?? null) !== consumer) throw notOpen();
      const { permanent, deviceDescription } = request.payload as { permanent?: boolean; deviceDescription?: string };
      return this.sessions.open(proof.accountId, { permanent: permanent === true, deviceDescription }, client);
    });
  }

  private async verifierFor(requestToken: string, accountId: number, asksCode: boolean): Promise<string> {
    const request = await this.openRequest(requestToken);
    return this.secrets.make('oauth_verifier', accountId, { requestId: request.id, asksCode });
  }

  private async openRequest(requestToken: string): Promise<SecretRecord> {
    const secret = await this.secrets.find(requestToken, 'oauth_request');
    if (secret === null) throw notOpen();
    return secret;
  }
}

/** The callback of a request with what `confirm` takes. */
export function withVerifier(callback: string, requestToken: string, verifier: string): string {
  const target = new URL(callback);
  target.searchParams.set('oauth_token', requestToken);
  target.searchParams.set('oauth_verifier', verifier);
  return target.toString();
}

function notOpen(): DomainError {
  return new DomainError('FORBIDDEN', 'This sign-in request is unknown, has ended or is finished; start again.');
}

function checkedCallback(text: string): string {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // refused below
  }
  const plain = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.hash === '';
  if (!plain || Buffer.byteLength(text) > MAX_CALLBACK_BYTES) {
    throw new DomainError('INVALID_ARGUMENT', 'oauth_callback must be an absolute http or https URL without user, password and fragment.');
  }
  return url!.toString();
}
