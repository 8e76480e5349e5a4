import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { type AccountActor, Call, Clock, DomainError, type GuestActor } from '#libs/kernel';
import { type LocatedNode, NodeResolver } from '#libs/nodes';

import { endOf, type Link, linkNotFound, type LinkRights } from './link.js';
import { LinkPasswords } from './link-passwords.js';
import { isLinkHash } from './link.service.js';
import { type LinkAtDoor, LinkRepository } from './repositories/link.repository.js';

/** What somebody shows at the door. */
export interface LinkKey {
  readonly password?: string | undefined;
  /** `OpenedLink.ticket` of an earlier opening, in place of the password. */
  readonly ticket?: string | undefined;
  /** Address of the caller: wrong passwords are counted for it. */
  readonly ip: string;
  /** What he is about to do; a link for the other thing is refused (FORBIDDEN). Absent: he only looks at the link itself. */
  readonly rights?: LinkRights | undefined;
}

/** An open link. What lies behind it is judged again at every step, from its row. */
export interface OpenedLink {
  readonly guest: GuestActor;
  readonly link: Link;
  /** What the link leads to, with the path `/`. */
  readonly root: LocatedNode;
  /** Opens the link for an hour without its password; null when it has none. */
  readonly ticket: string | null;
}

/** The way in for people who hold the hash of a link: an actor, and nothing else that would let anyone in. */
@Injectable()
export class LinkDoor {
  constructor(
    private readonly links: LinkRepository,
    private readonly passwords: LinkPasswords,
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
    private readonly clock: Clock,
  ) {}

  /**
   * Opens a link. LINK_NOT_FOUND (unknown, withdrawn, expired, used up, its node in the trash, its issuer without the right), LINK_BLOCKED,
   * LINK_PASSWORD_WRONG, RATE_LIMITED, FORBIDDEN (see LinkKey).
   */
  async open(hash: string, { password, ticket, ip, rights }: LinkKey): Promise<OpenedLink> {
    const found = await this.alive(hash);
    // Before the password: a closed link is none, whoever asks.
    const opened = await this.enter(found);
    const known = ticket !== undefined && found.passwordHash !== null && this.passwords.isTicket(found, ticket);
    if (!known) await this.passwords.check(found, password, ip);
    if (rights !== undefined && found.rights !== rights) {
      const text = found.rights === 'upload' ? 'This link only takes files.' : 'This link takes no files.';
      throw new DomainError('FORBIDDEN', text);
    }
    return opened;
  }

  /** What a link is, without its password. Its issuer sees it in any state. LINK_NOT_FOUND, LINK_BLOCKED. */
  async info(hash: string, viewer: AccountActor | null): Promise<Link> {
    const known = viewer && isLinkHash(hash) ? await this.links.atDoor(hash) : null;
    if (known && known.issuerId === viewer?.accountId) return known;
    const found = await this.alive(hash);
    return (await this.enter(found)).link;
  }

  private async alive(hash: string): Promise<LinkAtDoor> {
    const found = isLinkHash(hash) ? await this.links.atDoor(hash) : null;
    if (!found) throw linkNotFound();
    if (found.blocked) throw new DomainError('LINK_BLOCKED', 'This link is blocked because of a complaint about its content.');
    const end = endOf(found, this.clock.nowMs());
    if (end !== null) throw linkNotFound(end);
    return found;
  }

  private async enter(found: LinkAtDoor): Promise<OpenedLink> {
    const guest: GuestActor = {
      kind: 'guest',
      pass: 'link',
      passId: found.id,
      rootId: found.nodeId,
      spaceId: found.spaceId,
      issuerId: found.issuerId,
    };
    Call.identify({ ...guest, companyId: found.issuerCompanyId });
    Call.note('link', found.id);
    const placed = await this.resolver.find(guest, { id: found.nodeId });
    const action = found.rights === 'upload' ? 'node.create' : 'node.read';
    const open = placed !== null && (await this.access.allowed(guest, action, [placed.node])).has(placed.node.id);
    if (!open) throw linkNotFound();
    const ticket = found.passwordHash === null ? null : this.passwords.ticketOf(found);
    return { guest, link: found, root: placed.node, ticket };
  }
}
