import { createHmac, randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { Secret, TOTP } from 'otpauth';

import { AppConfig } from '#libs/config';
import { Clock, DomainError, SecretSeal } from '#libs/kernel';

import { SecondFactorRepository } from './repositories/second-factor.repository.js';

const PERIOD_SECONDS = 30;
const DIGITS = 6;
/** A code is good one step before and after its own: clocks differ, and people type. */
const WINDOW_STEPS = 1;
const SECRET_BYTES = 20;
export const RECOVERY_CODES = 10;
/** 80 bits: nothing to guess, so a fast hash will do. */
const RECOVERY_CODE_BYTES = 10;
const ISSUER = 'Stowage';

/** What a person types into an authenticator program. */
export interface ProposedSecret {
  /** Base32. */
  readonly secret: string;
  /** The same as an `otpauth://` URL, for a QR code. */
  readonly url: string;
}

/** Time-based codes (RFC 6238: SHA-1, 6 digits, 30 seconds) and recovery codes: made, and taken once each. */
@Injectable()
export class SecondFactorCodes {
  private readonly seal: SecretSeal;
  private readonly recoveryKey: Buffer;

  constructor(
    config: AppConfig,
    private readonly factors: SecondFactorRepository,
    private readonly clock: Clock,
  ) {
    this.seal = new SecretSeal(config.secretKey, 'second factors 1');
    this.recoveryKey = createHmac('sha256', config.secretKey).update('recovery codes 1').digest();
  }

  /** A new secret for an account that shows itself as `label`: for its owner, and as it is stored. */
  newSecret(label: string): ProposedSecret & { readonly sealed: string } {
    const secret = new Secret({ size: SECRET_BYTES });
    const totp = new TOTP({ issuer: ISSUER, label, secret, period: PERIOD_SECONDS, digits: DIGITS });
    return { secret: secret.base32, url: totp.toString(), sealed: this.seal.seal(secret.base32) };
  }

  /** Ten new recovery codes, and what is stored of them. */
  newRecoveryCodes(): { readonly codes: string[]; readonly hashes: Buffer[] } {
    const codes = Array.from({ length: RECOVERY_CODES }, () =>
      new Secret({ buffer: Uint8Array.from(randomBytes(RECOVERY_CODE_BYTES)).buffer }).base32.toLowerCase().replace(/(.{4})(?=.)/g, '$1-'),
    );
    return { codes, hashes: codes.map((code) => this.hashOf(plain(code))) };
  }

  /** The time step that `code` belongs to by a stored secret, within the window around now; null when it is not its code. */
  stepOf(sealedSecret: string, code: string): number | null {
    const nowMs = this.clock.nowMs();
    const totp = new TOTP({ secret: Secret.fromBase32(this.seal.open(sealedSecret)), period: PERIOD_SECONDS, digits: DIGITS });
    const delta = totp.validate({ token: plain(code), timestamp: nowMs, window: WINDOW_STEPS });
    return delta === null ? null : Math.floor(nowMs / (PERIOD_SECONDS * 1_000)) + delta;
  }

  /** Takes a code of the confirmed second factor, or a recovery code, and uses it up. False for a wrong one and for one that was used. Counting tries is the caller's. */
  async accept(accountId: number, code: string): Promise<boolean> {
    const text = plain(code);
    if (!/^\d{6}$/.test(text)) return this.factors.useRecoveryCode(accountId, this.hashOf(text));
    const factor = await this.factors.find(accountId);
    const step = factor?.confirmed ? this.stepOf(factor.sealedSecret, text) : null;
    return step !== null && this.factors.useStep(accountId, step);
  }

  private hashOf(code: string): Buffer {
    return createHmac('sha256', this.recoveryKey).update(code).digest();
  }
}

/** SECOND_FACTOR_REQUIRED when no code was sent, else SECOND_FACTOR_WRONG. */
export function secondFactorRefusal(code: string | undefined): DomainError {
  return code === undefined
    ? new DomainError(
        'SECOND_FACTOR_REQUIRED',
        'This account asks for a second factor: send the code of the authenticator program, or a recovery code, as "otp".',
      )
    : new DomainError('SECOND_FACTOR_WRONG', 'The code is wrong, has ended or was used already.');
}

/** Codes are shown in groups and typed with spaces. */
function plain(code: string): string {
  return code.replace(/[\s-]/g, '').toLowerCase();
}
