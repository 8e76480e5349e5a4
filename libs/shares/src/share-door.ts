import { Injectable } from '@nestjs/common';

import { AccessService, InvitationRepository } from '#libs/access';
import type { AccountActor, Actor } from '#libs/kernel';
import { Call } from '#libs/kernel';
import { nodeNotFound, NodeRepository, NodeResolver, pathSegments } from '#libs/nodes';

import { ShareRepository } from './repositories/share.repository.js';

/** Where a hash leads: who looks, and where the shared folder is in his paths. */
export interface OpenedShare {
  readonly actor: Actor;
  /** Put in front of a path relative to the folder; `[]` for a guest, whose paths begin there. */
  readonly base: readonly string[];
}

/** The way into a share by a hash: that of the share, or that of an invitation to it. */
@Injectable()
export class ShareDoor {
  constructor(
    private readonly shares: ShareRepository,
    private readonly invitations: InvitationRepository,
    private readonly nodes: NodeRepository,
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
  ) {}

  /**
   * Whoever has the folder goes in as himself; everybody else as a guest, as long as the share may be viewed by its hash. NODE_NOT_FOUND for a
   * hash that does not open a folder to this caller: whether it is one is nobody else's business. Each call after it asks again what is allowed.
   */
  async byHash(hash: string, actor: AccountActor | null): Promise<OpenedShare> {
    const share = (await this.shares.byHash(hash)) ?? (await this.ofInvitation(hash));
    const placed = share && (await this.nodes.locate([share.nodeId], null)).get(share.nodeId);
    if (!share || !placed?.live) throw nodeNotFound();
    if (actor !== null && (await this.access.allowed(actor, 'node.read', [placed.node])).size > 0) {
      const { node } = await this.resolver.get(actor, { id: share.nodeId });
      return { actor, base: pathSegments(node.path) };
    }
    if (!share.publicView) throw nodeNotFound();
    const { nodeId, ownerId, ownerCompanyId: companyId } = share;
    const guest = { kind: 'guest', pass: 'share', passId: nodeId, rootId: nodeId, spaceId: placed.node.spaceId, issuerId: ownerId } as const;
    Call.identify({ ...guest, companyId });
    return { actor: guest, base: [] };
  }

  private async ofInvitation(hash: string) {
    const invitation = await this.invitations.byHash(hash);
    return invitation && this.shares.find(invitation.nodeId);
  }
}
