import { createHmac, timingSafeEqual } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { Call, Clock, DomainError, type DomainErrorCode, sha256 } from '#libs/kernel';

import { NonceRepository } from './repositories/nonce.repository.js';
import { baseString, hmacSha1, type SignedRequest } from './signature.js';

/** How far the time of a request may be from ours, either way. */
const WINDOW_MS = 5 * 60_000;
const MAX_NONCE_BYTES = 256;

/** Whose secret signs beside that of the consumer: nobody's, that of temporary credentials, that of an access token. */
export type SignedWith = 'none' | 'request' | 'access';

/** What a request proves that is signed right, came in time and for the first time. */
export interface SignedProof {
  readonly consumer: string;
  /** Empty with `none`. It may have ended, or never have been. */
  readonly token: string;
  /** The protocol parameter `oauth_<name>`, or null. */
  readonly parameter: (name: string) => string | null;
}

/**
 * Verifies requests signed by HMAC-SHA1 (RFC 5849 3.2). Refusals name their `reason`. Secrets of tokens are made from the key of the installation and belong to one consumer
 * and one token: nothing is stored, and what was given to one consumer is of no use to another.
 */
@Injectable()
export class SignedRequests {
  private readonly secretKey: Buffer;

  constructor(
    private readonly config: AppConfig,
    private readonly nonces: NonceRepository,
    private readonly clock: Clock,
  ) {
    this.secretKey = createHmac('sha256', config.secretKey).update('oauth 1.0 token secrets 1').digest();
  }

  /** The secret that goes with a token of a consumer, 43 characters. */
  secretOf(kind: SignedWith, consumer: string, token: string): string {
    if (kind === 'none') return '';
    return createHmac('sha256', this.secretKey)
      .update(JSON.stringify([kind, consumer, token]))
      .digest('base64url');
  }

  /**
   * Checks a request and uses its nonce up. INVALID_ARGUMENT for what is no signed request, UNAUTHENTICATED for an unknown consumer, a wrong signature, a time outside
   * of the window and a nonce that was used. Of many at once with one nonce one gets through. Not inside of a transaction.
   */
  async prove(request: SignedRequest, kind: SignedWith): Promise<SignedProof> {
    const parameter = protocolParameters(request);
    const needed = (name: string): string => {
      const value = parameter(name);
      if (value) return value;
      throw refused('parameter_absent', `The parameter oauth_${name} is required.`, 'INVALID_ARGUMENT');
    };
    if ((parameter('version') ?? '1.0') !== '1.0') throw refused('version_rejected', 'oauth_version must be 1.0.', 'INVALID_ARGUMENT');
    if (needed('signature_method') !== 'HMAC-SHA1')
      throw refused('signature_method_rejected', 'oauth_signature_method must be HMAC-SHA1.', 'INVALID_ARGUMENT');
    const consumer = needed('consumer_key');
    const token = kind === 'none' ? (parameter('token') ?? '') : needed('token');
    if (kind === 'none' && token !== '') throw refused('parameter_rejected', 'oauth_token has no place in this call.', 'INVALID_ARGUMENT');
    const [timestamp, nonce, signature] = [needed('timestamp'), needed('nonce'), needed('signature')];
    if (!/^\d{1,12}$/.test(timestamp) || Buffer.byteLength(nonce) > MAX_NONCE_BYTES)
      throw refused('parameter_rejected', 'oauth_timestamp must be seconds since 1970, oauth_nonce at most 256 bytes.', 'INVALID_ARGUMENT');

    const secret = this.config.signIn.oauthConsumers.get(consumer);
    if (secret === undefined) throw refused('consumer_key_unknown', 'There is no such consumer.');
    const sentAtMs = Number(timestamp) * 1_000;
    if (Math.abs(sentAtMs - this.clock.nowMs()) > WINDOW_MS) throw refused('timestamp_refused', 'The time of this request is too far from now.');
    const expected = hmacSha1(baseString(this.config.http.publicUrl, request), secret, this.secretOf(kind, consumer, token));
    const given = Buffer.from(signature, 'base64');
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw refused('signature_invalid', 'The signature is wrong: it must be of this request, under its public address, with both secrets.');
    // only what is signed leaves something behind; beside the call, so that no refusal later on gives the nonce back
    const used = sha256(JSON.stringify([consumer, token, timestamp, nonce]));
    const fresh = await Call.aside(() => this.nonces.take(used, new Date(sentAtMs + 2 * WINDOW_MS)));
    if (!fresh) throw refused('nonce_used', 'This request was sent before.');
    Call.note('consumer', consumer);
    return { consumer, token, parameter };
  }
}

/** A refusal with the reason that programs read. */
export function refused(reason: string, message: string, code: DomainErrorCode = 'UNAUTHENTICATED'): DomainError {
  return new DomainError(code, message, { reason });
}

function protocolParameters({ params }: SignedRequest): (name: string) => string | null {
  const found = new Map<string, string>();
  for (const [name, value] of params) {
    if (!name.startsWith('oauth_')) continue;
    if (found.has(name)) throw refused('parameter_rejected', 'A parameter of the protocol was given twice.', 'INVALID_ARGUMENT');
    found.set(name, value);
  }
  return (name) => found.get(`oauth_${name}`) ?? null;
}
