import { createHmac, timingSafeEqual } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

import { PasswordHasher } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { Clock, DomainError, sha256 } from '#libs/kernel';
import { Limiter } from '#libs/limiter';

import type { LinkAtDoor } from './repositories/link.repository.js';

const TRIES_PER_WINDOW = 10;
const WINDOW_MS = 15 * 60_000;
const PROVEN_MS = 5 * 60_000;
const MAX_PROVEN = 10_000;
const TICKET_MS = 3_600_000;
const TICKET = /^(\d{1,15})\.([A-Za-z0-9_-]{43})$/;
const MAX_PASSWORD_BYTES = 256;

type Secret = Pick<LinkAtDoor, 'id' | 'passwordHash'>;

/** Passwords of links: ten wrong ones for one link and address in 15 minutes, then no more. */
@Injectable()
export class LinkPasswords {
  /** Digests of link, stored hash and password that fit: a page shows many pictures, and each of them asks with the password. */
  private readonly proven = new LRUCache<string, true>({ max: MAX_PROVEN, ttl: PROVEN_MS });
  private readonly running = new Map<string, Promise<void>>();

  constructor(
    private readonly limiter: Limiter,
    private readonly hasher: PasswordHasher,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /** Passes with the right password, or when there is none to know. LINK_PASSWORD_WRONG (`details.reason`), RATE_LIMITED. */
  async check({ id, passwordHash }: Secret, password: string | undefined, ip: string): Promise<void> {
    if (passwordHash === null) return;
    if (password === undefined || password === '') {
      throw new DomainError('LINK_PASSWORD_WRONG', 'This link needs a password.', { reason: 'PasswordRequired' });
    }
    const proof = sha256(`${id}\0${passwordHash}\0${password}`).toString('base64');
    if (this.proven.has(proof)) return;
    // One guess, however often it is sent at the same time.
    const guess = `${ip}\0${proof}`;
    let compared = this.running.get(guess);
    if (!compared) {
      compared = this.compare(id, passwordHash, password, proof, ip).finally(() => this.running.delete(guess));
      this.running.set(guess, compared);
    }
    return compared;
  }

  /** Stands for the password of a link for an hour, or until the password changes: what a browser keeps instead of it. */
  ticketOf(link: Secret): string {
    const untilMs = this.clock.nowMs() + TICKET_MS;
    return `${untilMs}.${this.sign(link, untilMs)}`;
  }

  /** True for a ticket of this link that is still good. */
  isTicket(link: Secret, ticket: string): boolean {
    const [, until = '', given = ''] = TICKET.exec(ticket) ?? [];
    if (until === '' || Number(until) <= this.clock.nowMs()) return false;
    return timingSafeEqual(Buffer.from(this.sign(link, Number(until))), Buffer.from(given));
  }

  private sign({ id, passwordHash }: Secret, untilMs: number): string {
    return createHmac('sha256', this.config.secretKey).update(`link-ticket\0${id}\0${passwordHash}\0${untilMs}`).digest('base64url');
  }

  private async compare(id: string, passwordHash: string, password: string, proof: string, ip: string): Promise<void> {
    const slot = await this.limiter.take(`link-password:${id}:${ip}`, TRIES_PER_WINDOW, WINDOW_MS);
    if (!slot.granted) {
      throw new DomainError('RATE_LIMITED', 'Too many wrong passwords for this link; try again later.', { retryAfterMs: slot.retryAfterMs });
    }
    const fits = Buffer.byteLength(password) <= MAX_PASSWORD_BYTES && (await this.hasher.verify(passwordHash, password));
    if (!fits) throw new DomainError('LINK_PASSWORD_WRONG', 'This is not the password of the link.', { reason: 'WrongPassword' });
    this.proven.set(proof, true);
    await slot.release();
  }
}
