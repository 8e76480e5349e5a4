import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { Authenticator } from '#libs/accounts';
import { type AccountActor, Call, type Client, Clock, DomainError, isDomainError, randomHex, sha256 } from '#libs/kernel';
import { type LocatedNode, type NodeRef, NodeResolver } from '#libs/nodes';

import { UploadTicketRepository } from './repositories/upload-ticket.repository.js';

const TICKET = /^[0-9a-f]{64}$/;

/** What a ticket lets in: whose upload it is, and the folder or file that takes it. */
export interface TicketHolder {
  readonly actor: AccountActor;
  readonly target: LocatedNode;
}

/** Tickets by which one upload comes to one place without another credential: good for a short time, and once. */
@Injectable()
export class UploadTickets {
  constructor(
    private readonly tickets: UploadTicketRepository,
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
    private readonly authenticator: Authenticator,
    private readonly clock: Clock,
  ) {}

  /** A ticket of 64 hex characters for new files in a folder, or a new version of a file. NODE_NOT_FOUND, FORBIDDEN. */
  async issue(actor: AccountActor, { node: ref, lifeMs }: { readonly node: NodeRef; readonly lifeMs: number }): Promise<string> {
    const { node } = await this.resolver.get(actor, ref);
    await this.access.require(actor, node.kind === 'folder' ? 'node.create' : 'node.write', [node]);
    const ticket = randomHex(32);
    const now = this.clock.now();
    const row = { accountId: actor.accountId, tokenId: actor.tokenId, nodeId: node.id };
    await this.tickets.insert(sha256(ticket), row, now, new Date(now.getTime() + lifeMs));
    return ticket;
  }

  /**
   * Uses a ticket up. `atMs` is when the request that brings it arrived: how long its body takes does not matter. UPLOAD_NOT_FOUND for a ticket that
   * is unknown, ended or used, and when the token that asked for it has ended; NODE_NOT_FOUND when the place is gone.
   */
  async redeem(ticket: string, atMs: number, client?: Client): Promise<TicketHolder> {
    // The ticket is a credential: using it up is no part of what the call changes.
    const row = TICKET.test(ticket) ? await Call.aside(() => this.tickets.take(sha256(ticket), new Date(atMs))) : null;
    if (!row) throw noTicket();
    try {
      const actor = await this.authenticator.byUrl(row.accountId, row.tokenId, client);
      return { actor, target: (await this.resolver.get(actor, { id: row.nodeId })).node };
    } catch (error) {
      throw isDomainError(error, 'UNAUTHENTICATED') ? noTicket() : error;
    }
  }
}

function noTicket(): DomainError {
  return new DomainError('UPLOAD_NOT_FOUND', 'The upload token is unknown, has ended or was used.');
}
