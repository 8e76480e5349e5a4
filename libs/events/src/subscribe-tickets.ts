import { Injectable } from '@nestjs/common';

import { Authenticator } from '#libs/accounts';
import { type AccountActor, type Client, Clock, DomainError, randomUrlSafe, sha256 } from '#libs/kernel';

import { TicketRepository } from './repositories/ticket.repository.js';

const LIFE_MS = 30_000;

export interface Ticket {
  readonly ticket: string;
  readonly expiresMs: number;
}

/** Whom a websocket belongs to, and the token that lets it live. */
export interface Subscriber {
  readonly accountId: number;
  readonly tokenId: string;
  /** Where the websocket comes from: it ends when the account may not be used there any more. */
  readonly client: Client;
}

/** One-use tickets that open a websocket in place of a token, which would stand in logs of proxies. */
@Injectable()
export class SubscribeTickets {
  constructor(
    private readonly tickets: TicketRepository,
    private readonly authenticator: Authenticator,
    private readonly clock: Clock,
  ) {}

  /** A ticket that is good once within 30 s. FORBIDDEN for who did not sign in by a token: its end would not end the websocket. */
  async issue({ accountId, tokenId }: AccountActor): Promise<Ticket> {
    if (tokenId === null) throw new DomainError('FORBIDDEN', 'A ticket is given to those who signed in by a token.');
    const ticket = randomUrlSafe(24);
    const expiresMs = this.clock.nowMs() + LIFE_MS;
    await this.tickets.insert(sha256(ticket), accountId, tokenId, new Date(expiresMs));
    return { ticket, expiresMs };
  }

  /** Uses the ticket up. UNAUTHENTICATED when it is wrong, used, too old, or its token has ended. */
  async redeem(ticket: string, client: Client): Promise<Subscriber> {
    const found = ticket.length > 128 ? null : await this.tickets.take(sha256(ticket), this.clock.now());
    if (found && (await this.authenticator.stillIn([{ ...found, client }])).has(found.tokenId)) return { ...found, client };
    throw new DomainError('UNAUTHENTICATED', 'The ticket is not valid: ask for a new one.');
  }
}
