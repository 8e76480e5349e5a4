import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { DomainError } from '#libs/kernel';

import { LoginService, type PasswordProof } from './login.service.js';
import { OneTimeSecrets } from './one-time-secrets.js';
import { AccountRepository } from './repositories/account.repository.js';
import type { SecretRecord } from './repositories/secret.repository.js';
import { type ClientInfo, type Session, SessionService, type TokenWish } from './session.service.js';
import { shownText } from './texts.js';

const MAX_CALLBACK_BYTES = 2_048;

export interface OauthCommand extends TokenWish {
  /** Where the browser goes afterwards: an absolute http(s) URL. */
  readonly callback: string;
  readonly clientId?: string | undefined;
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
    private readonly accounts: AccountRepository,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Opens a request that is good for 15 minutes. INVALID_ARGUMENT for a callback that is no plain http(s) URL. */
  async request(command: OauthCommand): Promise<{ readonly authorizeUrl: string; readonly requestToken: string }> {
    const callback = checkedCallback(command.callback);
    const requestToken = await this.secrets.make('oauth_request', null, {
      callback,
      clientId: shownText(command.clientId ?? ''),
      permanent: command.permanent,
      deviceDescription: shownText(command.deviceDescription ?? ''),
    });
    return { authorizeUrl: `${this.config.http.publicUrl}/api/1/accounts/authorize/?request_token=${requestToken}`, requestToken };
  }

  /**
   * Takes login and password and answers the URL to redirect to. Throws as a password login; FORBIDDEN for a request that is unknown, has ended
   * or is finished. May be repeated until the request is confirmed: web clients repeat it because of how they read the redirect.
   */
  async authorize(requestToken: string, credentials: PasswordProof, client: ClientInfo): Promise<string> {
    const { callback } = await this.openRequest(requestToken);
    const { accountId, secretHash } = await this.logins.verify(credentials, client);
    const verifier = await this.unitOfWork.run(async () => {
      // A password that was replaced since then proves nothing; one that changes from now on ends the verifier.
      await this.accounts.lock(accountId);
      if ((await this.accounts.passwordHash(accountId)) !== secretHash) throw notOpen();
      const { secret } = await this.openRequest(requestToken);
      return this.secrets.make('oauth_verifier', accountId, { requestId: secret.id });
    });
    const target = new URL(callback);
    target.searchParams.set('oauth_token', requestToken);
    target.searchParams.set('oauth_verifier', verifier);
    return target.toString();
  }

  /** Exchanges token and verifier for a session. FORBIDDEN for a second use and for values that do not belong together. */
  confirm(requestToken: string, verifier: string, client: ClientInfo): Promise<Session> {
    return this.unitOfWork.run(async () => {
      const request = await this.secrets.redeem(requestToken, ['oauth_request'], { repeatable: false });
      const proof = request && (await this.secrets.redeem(verifier, ['oauth_verifier'], { repeatable: false }));
      if (!proof || proof.accountId === null || proof.payload['requestId'] !== request.id) throw notOpen();
      const { permanent, deviceDescription } = request.payload as { permanent?: boolean; deviceDescription?: string };
      return this.sessions.open(proof.accountId, { permanent: permanent === true, deviceDescription }, client);
    });
  }

  private async openRequest(requestToken: string): Promise<{ secret: SecretRecord; callback: string }> {
    const secret = await this.secrets.find(requestToken, 'oauth_request');
    if (secret === null) throw notOpen();
    return { secret, callback: String(secret.payload['callback']) };
  }
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
