import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { Call, DomainError, isDomainError } from '#libs/kernel';

import type { PasswordProof } from '../login.service.js';
import { OauthService, withVerifier } from '../oauth.service.js';
import type { ClientInfo } from '../session.service.js';
import type { SignedRequest } from './signature.js';
import { refused, SignedRequests } from './signed-requests.js';

/** The callback of programs that cannot be called back: their person carries the verifier over by hand. */
const OUT_OF_BAND = 'oob';

/** A token and the secret that signs with it. */
export interface SignedCredentials {
  readonly token: string;
  readonly secret: string;
}

/** Temporary credentials that wait for their person. */
export interface PendingGrant {
  readonly consumer: string;
  /** Null = the verifier is shown. */
  readonly callback: string | null;
}

/**
 * OAuth 1.0 (RFC 5849) over the sign-in by redirect: consumers of the configuration get temporary credentials, the person lets them in by login and password, and they get
 * a permanent token that is good for signed requests alone. All methods throw PROVIDER_UNAVAILABLE where there are no consumers.
 */
@Injectable()
export class Oauth1Service {
  constructor(
    private readonly config: AppConfig,
    private readonly requests: SignedRequests,
    private readonly oauth: OauthService,
  ) {}

  /** Temporary credentials, good for 15 minutes. Throws as `SignedRequests.prove`; INVALID_ARGUMENT for the callback, RATE_LIMITED by address. */
  async requestToken(request: SignedRequest, client: ClientInfo): Promise<SignedCredentials> {
    this.requireConsumers();
    const { consumer, parameter } = await this.requests.prove(request, 'none');
    const callback = parameter('callback');
    if (!callback) throw refused('parameter_absent', 'The parameter oauth_callback is required; "oob" when there is none.', 'INVALID_ARGUMENT');
    const { requestToken: token } = await this.oauth.request({
      callback: callback === OUT_OF_BAND ? null : callback,
      consumer,
      permanent: true,
      deviceDescription: consumer,
      ip: client.ip,
    });
    return { token, secret: this.requests.secretOf('request', consumer, token) };
  }

  /** Who asks. FORBIDDEN when the credentials are unknown, have ended or are used up. */
  async pending(token: string): Promise<PendingGrant> {
    this.requireConsumers();
    const { consumer, callback } = await this.oauth.find(token);
    if (consumer === null) throw new DomainError('FORBIDDEN', 'This sign-in request was not made by a consumer.');
    return { consumer, callback };
  }

  /** Takes login and password, and the code of a second factor; answers the verifier, and where to go with it. Throws as a login does, and as `pending`. */
  async authorize(token: string, credentials: PasswordProof, client: ClientInfo): Promise<{ verifier: string; location: string | null }> {
    const { consumer, callback } = await this.pending(token);
    Call.note('consumer', consumer);
    const verifier = await this.oauth.proveByPassword(token, credentials, client);
    return { verifier, location: callback === null ? null : withVerifier(callback, token, verifier) };
  }

  /**
   * The access token for temporary credentials and their verifier, once. Throws as `SignedRequests.prove`; UNAUTHENTICATED for what does not belong together, has ended or
   * was used; as `SessionService.open` for accounts that may not come in.
   */
  async accessToken(request: SignedRequest, client: ClientInfo): Promise<SignedCredentials> {
    this.requireConsumers();
    const { consumer, token, parameter } = await this.requests.prove(request, 'request');
    const verifier = parameter('verifier');
    if (!verifier) throw refused('parameter_absent', 'The parameter oauth_verifier is required.', 'INVALID_ARGUMENT');
    try {
      // the value of the token itself is shown to nobody: its id is public, and only what is signed is let in by it
      const { tokenId } = await this.oauth.confirm(token, verifier, client, undefined, consumer);
      return { token: tokenId, secret: this.requests.secretOf('access', consumer, tokenId) };
    } catch (error) {
      if (!isDomainError(error, 'FORBIDDEN') || error.details['reason'] !== undefined) throw error;
      throw refused('token_rejected', 'The temporary credentials or the verifier are wrong, have ended or were used.');
    }
  }

  private requireConsumers(): void {
    if (this.config.signIn.oauthConsumers.size > 0) return;
    throw new DomainError('PROVIDER_UNAVAILABLE', 'This installation has no OAuth 1.0 consumers.');
  }
}
