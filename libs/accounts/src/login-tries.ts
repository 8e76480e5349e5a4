import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { Call, Clock, DomainError } from '#libs/kernel';
import { Limiter } from '#libs/limiter';

import { type LoginGuard, LoginGuardRepository } from './repositories/login-guard.repository.js';
import { Turnstile } from './turnstile.js';

const MINUTE_MS = 60_000;
export const MAX_FAILURES = 10;
export const LOCK_MS = 30 * MINUTE_MS;
/** The same wrong secret within this time is a client that repeats its request, not another try. */
export const REPEAT_MS = 10_000;
const TRIES_PER_WINDOW = 10;
const WINDOW_MS = 15 * MINUTE_MS;
const STUCK_MS = MINUTE_MS;
const MAX_WAITS = 40;
const WAIT_MS = 50;

/** What is tried: `secret` is all that the person sent as proof, `holder` whose tries the limiter counts together for one address. */
export interface Attempt {
  readonly key: string;
  readonly holder: string;
  readonly ip: string;
  readonly secret: string;
  /** The guard of `key` as it was found just now. */
  readonly guard: LoginGuard | null;
}

/** How a comparison ended. `undecided`: nothing that could be guessed was compared, so it is neither a failure nor a success. */
export type Comparison<T> =
  | { readonly end: 'right'; readonly value: T }
  | { readonly end: 'wrong'; readonly refusal?: DomainError }
  | { readonly end: 'undecided'; readonly refusal: DomainError };

/**
 * Compares secrets never more often than the limits allow: a place in the lockout (10 failures, then 30 minutes) and a slot of the limiter
 * (10 per 15 minutes, holder and address) are taken before the comparison. Success gives both back. Not inside of a transaction.
 */
@Injectable()
export class LoginTries {
  private readonly turnstile = new Turnstile();
  private readonly repeatKey: Buffer;

  constructor(
    config: AppConfig,
    private readonly guards: LoginGuardRepository,
    private readonly limiter: Limiter,
    private readonly clock: Clock,
  ) {
    this.repeatKey = createHmac('sha256', config.secretKey).update('login-repeat').digest();
  }

  /** One at a time for each key in this process: a crowd of honest clients waits here and does not fill the limits with tries that would succeed. */
  inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    return this.turnstile.pass(key, work);
  }

  /** The same as `make` for what needs no look-up of its own before: in turn, with the guard of this moment. */
  attempt<T>(attempt: Omit<Attempt, 'guard'>, compare: () => Promise<Comparison<T>>): Promise<T> {
    return this.inTurn(attempt.key, async () => this.make({ ...attempt, guard: await this.guards.find(attempt.key) }, compare));
  }

  /**
   * What `compare` found right. Throws its refusal, LAST_ATTEMPT, LOGIN_LOCKED, RATE_LIMITED, and INVALID_CREDENTIALS for what is wrong without a
   * refusal of its own, and for a repeated one. Whatever `compare` throws counts as no try.
   */
  make<T>(attempt: Attempt, compare: () => Promise<Comparison<T>>): Promise<T> {
    // what is counted here is no part of what the call changes
    return Call.aside(() => this.count(attempt, compare));
  }

  private async count<T>({ key, holder, ip, secret, guard }: Attempt, compare: () => Promise<Comparison<T>>): Promise<T> {
    const fingerprint = createHmac('sha256', this.repeatKey).update(`${key}\0${secret}`).digest();
    if (guard !== null) this.refuseLockedOrRepeated(guard, fingerprint);
    const bucket = `login:${holder}|${ip}`;
    const slot = await this.limiter.take(bucket, TRIES_PER_WINDOW, WINDOW_MS);
    if (!slot.granted) throw new DomainError('RATE_LIMITED', 'Too many logins were tried; wait a while.', { retryAfterMs: slot.retryAfterMs });

    let place: number | undefined;
    let found: Comparison<T>;
    try {
      place = await this.takePlace(key);
      found = await compare();
      if (found.end === 'undecided') throw found.refusal;
    } catch (error) {
      // Nothing was compared, so nothing was tried.
      await slot.release();
      if (place !== undefined) await this.guards.giveBack(key);
      throw error;
    }
    if (found.end === 'wrong') throw await this.failed(key, place, fingerprint, found.refusal ?? wrong());
    await Promise.all([this.guards.reset([key]), this.limiter.clear(bucket)]);
    return found.value;
  }

  private refuseLockedOrRepeated(guard: LoginGuard, fingerprint: Buffer): void {
    const nowMs = this.clock.nowMs();
    if (guard.lockedUntil !== null && guard.lockedUntil.getTime() > nowMs) throw locked(guard.lockedUntil.getTime() - nowMs);
    const repeats = guard.lastFailedSecret?.equals(fingerprint) === true && nowMs - (guard.lastFailedAt?.getTime() ?? 0) < REPEAT_MS;
    if (repeats) throw guard.failures === MAX_FAILURES - 1 ? lastAttempt() : wrong();
  }

  /** A place among the failures that are still allowed. While all are held by tries of other processes that have not ended, it waits for them. */
  private async takePlace(key: string): Promise<number> {
    for (let waits = 0; waits < MAX_WAITS; waits++) {
      const nowMs = this.clock.nowMs();
      const place = await this.guards.take(key, MAX_FAILURES, new Date(nowMs), new Date(nowMs - LOCK_MS), new Date(nowMs - STUCK_MS));
      if (place !== null) return place;
      const guard = await this.guards.find(key);
      if (guard?.lockedUntil) throw locked(guard.lockedUntil.getTime() - nowMs);
      await sleep(WAIT_MS);
    }
    throw new DomainError('RATE_LIMITED', 'Too many logins are tried at the same time; try again.', { retryAfterMs: WAIT_MS * MAX_WAITS });
  }

  private async failed(key: string, place: number, fingerprint: Buffer, refusal: DomainError): Promise<DomainError> {
    const nowMs = this.clock.nowMs();
    const isLast = place >= MAX_FAILURES;
    await this.guards.fail(key, fingerprint, new Date(nowMs), isLast ? new Date(nowMs + LOCK_MS) : null);
    if (isLast) return locked(LOCK_MS);
    return place === MAX_FAILURES - 1 ? lastAttempt() : refusal;
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
