import { Injectable } from '@nestjs/common';

import { DomainError } from '#libs/kernel';
import { Limiter } from '#libs/limiter';

const HOUR_MS = 3_600_000;

/** What strangers may have done for them, and how often an hour from one address: many people can be behind one, a program that fills tables is to be stopped. */
const PER_HOUR = { 'sign-up': 600, 'oauth-request': 1_000, 'wallet-proof': 1_000 } as const;

/** Limits what needs no credential and leaves something behind. */
@Injectable()
export class AddressLimit {
  constructor(private readonly limiter: Limiter) {}

  /** Takes one turn of an address. RATE_LIMITED. Not inside of a transaction. */
  async take(what: keyof typeof PER_HOUR, ip: string): Promise<void> {
    const slot = await this.limiter.take(`${what}:${ip}`, PER_HOUR[what], HOUR_MS);
    if (slot.granted) return;
    throw new DomainError('RATE_LIMITED', 'Too many requests from this address; try again later.', { retryAfterMs: slot.retryAfterMs });
  }
}
