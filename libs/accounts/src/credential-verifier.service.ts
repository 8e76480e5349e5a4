import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { Clock, DomainError } from '#libs/kernel';
import { Limiter } from '#libs/limiter';

import { formatLogin, type LoginName } from './login-name.js';
import { PasswordHasher } from './password-hasher.js';
import { AccountRepository, type CredentialRecord } from './repositories/account.repository.js';
import { type LoginGuard, LoginGuardRepository } from './repositories/login-guard.repository.js';
import { Turnstile } from './turnstile.js';

const MINUTE_MS = 60_000;
export const MAX_FAILURES = 10;
export const LOCK_MS = 30 * MINUTE_MS;
/** The same wrong password within this time is a client that repeats its request, not another try. */
export const REPEAT_MS = 10_000;
const TRIES_PER_WINDOW = 10;
const WINDOW_MS = 15 * MINUTE_MS;
const STUCK_MS = MINUTE_MS;
const MAX_WAITS = 40;
const WAIT_MS = 50;

/** A password that was found right. `secretHash` is what it was compared with. */
export interface VerifiedCredential extends CredentialRecord {
  readonly secretHash: string;
}

/**
 * Compares passwords, never more often than the limits allow: a place in the lockout (10 failures, then 30 minutes) and a slot of the limiter
 * (10 per 15 minutes, account and address) are taken before the comparison. Success gives both back. An unknown login takes the
 * same way, statement by statement, as a wrong password.
 */
@Injectable()
export class CredentialVerifier {
  private readonly turnstile = new Turnstile();
  private readonly repeatKey: Buffer;

  constructor(
    config: AppConfig,
    private readonly accounts: AccountRepository,
    private readonly guards: LoginGuardRepository,
    private readonly limiter: Limiter,
    private readonly hasher: PasswordHasher,
    private readonly clock: Clock,
  ) {
    this.repeatKey = createHmac('sha256', config.secretKey).update('login-repeat').digest();
  }

  /**
   * The credential that the first existing one of `logins` names. Throws INVALID_CREDENTIALS, LAST_ATTEMPT, LOGIN_LOCKED, RATE_LIMITED; and,
   * only when the password is right, ACCOUNT_DISABLED or ACCOUNT_NOT_CONFIRMED. Call it outside of a transaction.
   */
  async verify(logins: readonly LoginName[], password: string, ip: string): Promise<VerifiedCredential> {
    const first = logins[0];
    if (first === undefined) throw wrong();
    const loginKey = formatLogin({ kind: first.kind, value: first.valueKey });
    // One try at a time for each login: a crowd of honest clients waits here and does not fill the limits with tries that would succeed.
    const credential = await this.turnstile.pass(loginKey, () => this.compare(loginKey, logins, password, ip));
    if (credential.state === 'disabled' || (credential.expiresMs !== null && credential.expiresMs <= this.clock.nowMs())) {
      throw new DomainError('ACCOUNT_DISABLED', 'This account is switched off.');
    }
    if (credential.state === 'pending' || !credential.loginConfirmed) {
      throw new DomainError('ACCOUNT_NOT_CONFIRMED', 'This login is not confirmed yet: use the link in the mail.');
    }
    return credential;
  }

  private async compare(loginKey: string, logins: readonly LoginName[], password: string, ip: string): Promise<VerifiedCredential> {
    const [guard, found] = await Promise.all([this.guards.find(loginKey), this.accounts.findCredential(logins)]);
    const credential = found?.state === 'deleted' ? null : found;
    const secret = createHmac('sha256', this.repeatKey).update(`${loginKey}\0${password}`).digest();
    if (guard !== null) this.refuseLockedOrRepeated(guard, secret);

    // What was tried before an administrator ended the lock is forgotten with it, from every address.
    const holder = credential === null ? loginKey : `${credential.accountId}${credential.unlocks === 0 ? '' : `#${credential.unlocks}`}`;
    const bucket = `login:${holder}|${ip}`;
    const slot = await this.limiter.take(bucket, TRIES_PER_WINDOW, WINDOW_MS);
    if (!slot.granted) throw new DomainError('RATE_LIMITED', 'Too many logins were tried; wait a while.', { retryAfterMs: slot.retryAfterMs });

    let place: number | undefined;
    let matches: boolean;
    try {
      place = await this.takePlace(loginKey);
      matches = await this.hasher.verify(credential?.secretHash ?? null, password);
    } catch (error) {
      // Nothing was compared, so nothing was tried.
      await slot.release();
      if (place !== undefined) await this.guards.giveBack(loginKey);
      throw error;
    }
    if (!matches || credential === null || credential.secretHash === null) throw await this.failed(loginKey, place, secret);
    await Promise.all([this.guards.reset([loginKey]), this.limiter.clear(bucket)]);
    return { ...credential, secretHash: credential.secretHash };
  }

  private refuseLockedOrRepeated(guard: LoginGuard, secret: Buffer): void {
    const nowMs = this.clock.nowMs();
    if (guard.lockedUntil !== null && guard.lockedUntil.getTime() > nowMs) throw locked(guard.lockedUntil.getTime() - nowMs);
    const repeats = guard.lastFailedSecret?.equals(secret) === true && nowMs - (guard.lastFailedAt?.getTime() ?? 0) < REPEAT_MS;
    if (repeats) throw guard.failures === MAX_FAILURES - 1 ? lastAttempt() : wrong();
  }

  /** A place among the failures that are still allowed. While all are held by tries of other processes that have not ended, it waits for them. */
  private async takePlace(loginKey: string): Promise<number> {
    for (let waits = 0; waits < MAX_WAITS; waits++) {
      const nowMs = this.clock.nowMs();
      const place = await this.guards.take(loginKey, MAX_FAILURES, new Date(nowMs), new Date(nowMs - LOCK_MS), new Date(nowMs - STUCK_MS));
      if (place !== null) return place;
      const guard = await this.guards.find(loginKey);
      if (guard?.lockedUntil) throw locked(guard.lockedUntil.getTime() - nowMs);
      await sleep(WAIT_MS);
    }
    throw new DomainError('RATE_LIMITED', 'Too many logins are tried at the same time; try again.', { retryAfterMs: WAIT_MS * MAX_WAITS });
  }

  private async failed(loginKey: string, place: number, secret: Buffer): Promise<DomainError> {
    const nowMs = this.clock.nowMs();
    const isLast = place >= MAX_FAILURES;
    await this.guards.fail(loginKey, secret, new Date(nowMs), isLast ? new Date(nowMs + LOCK_MS) : null);
    if (isLast) return locked(LOCK_MS);
    return place === MAX_FAILURES - 1 ? lastAttempt() : wrong();
  }
}

function wrong(): DomainError {
  return new DomainError('INVALID_CREDENTIALS', 'Login or password is wrong.');
}

function lastAttempt(): DomainError {
  return new DomainError('LAST_ATTEMPT', 'Login or password is wrong; one more failure locks this login for 30 minutes.');
}

function locked(forMs: number): DomainError {
  return new DomainError('LOGIN_LOCKED', 'This login is locked after too many failures; try again later.', { retryAfterMs: Math.max(0, forMs) });
}
