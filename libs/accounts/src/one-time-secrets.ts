import { Injectable } from '@nestjs/common';

import { Clock, DomainError, randomHex } from '#libs/kernel';

import { type SecretPurpose, type SecretRecord, SecretRepository } from './repositories/secret.repository.js';

const HOUR_MS = 60 * 60 * 1_000;
/** How long a used link answers once more: clients repeat a request whose answer was lost. */
const REPEAT_MS = 60_000;

/** Life of each kind of secret, in ms. */
export const SECRET_LIFE_MS: Readonly<Record<SecretPurpose, number>> = {
  confirm: 72 * HOUR_MS,
  recover: 24 * HOUR_MS,
  invite: 14 * 24 * HOUR_MS,
  login_key: 10 * 60_000,
  oauth_request: 15 * 60_000,
  oauth_verifier: 5 * 60_000,
};

/** Makes and redeems secrets that are good once. All methods join the surrounding transaction. */
@Injectable()
export class OneTimeSecrets {
  constructor(
    private readonly secrets: SecretRepository,
    private readonly clock: Clock,
  ) {}

  /** A new secret of 64 hex characters (256 bits) for `purpose`. Only its hash is kept. */
  async make(purpose: SecretPurpose, accountId: number | null, payload: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const value = randomHex(32);
    await this.secrets.insert({ value, purpose, accountId, payload, now: this.clock.now(), lifeMs: SECRET_LIFE_MS[purpose] });
    return value;
  }

  /** The living secret behind `value` without using it; null when there is none or it was used. Kept from others until the transaction ends. */
  async find(value: string, purpose: SecretPurpose): Promise<SecretRecord | null> {
    const secret = isSecret(value) ? await this.secrets.lock(value, [purpose], this.clock.now()) : null;
    return secret?.usedAt === null ? secret : null;
  }

  /** Whose living secret `value` is, used or not; null when there is none, or it is nobody's. Without holding it. */
  async ownerOf(value: string, purpose: SecretPurpose): Promise<number | null> {
    return isSecret(value) ? this.secrets.ownerOf(value, purpose, this.clock.now()) : null;
  }

  /**
   * Uses a secret up. Null when it is unknown or has ended. A used one is FORBIDDEN, except, with `repeatable`, in the minute after its
   * first use: then the client only asks again.
   */
  async redeem(value: string, purposes: readonly SecretPurpose[], options: { readonly repeatable: boolean }): Promise<SecretRecord | null> {
    const now = this.clock.now();
    const secret = isSecret(value) ? await this.secrets.lock(value, purposes, now) : null;
    if (secret === null) return null;
    if (secret.usedAt !== null && !(options.repeatable && now.getTime() - secret.usedAt.getTime() < REPEAT_MS)) {
      throw new DomainError('FORBIDDEN', 'This was used already; it is good once.');
    }
    await this.secrets.markUsed(secret.id, now);
    return secret;
  }
}

function isSecret(value: string): boolean {
  return /^[0-9a-f]{64}$/.test(value);
}
