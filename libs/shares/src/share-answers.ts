import { Injectable } from '@nestjs/common';

import { GrantService, InvitationRepository, invitationNotFound, InvitationService, Policies } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import type { AccountActor } from '#libs/kernel';
import { NodeRepository } from '#libs/nodes';

import { type Share, ShareRepository } from './repositories/share.repository.js';
import { memberRight } from './share.service.js';

/** What the invited answer: by the hash of their invitation, or by that of a share which takes whoever knows it. */
@Injectable()
export class ShareAnswers {
  constructor(
    private readonly shares: ShareRepository,
    private readonly invitations: InvitationRepository,
    private readonly answers: InvitationService,
    private readonly grants: GrantService,
    private readonly nodes: NodeRepository,
    private readonly policies: Policies,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Puts the folder into the actor's root; answers its path. Repeating it changes nothing. INVITATION_NOT_FOUND, INVITATION_ANSWERED, NAME_TAKEN, FORBIDDEN. */
  async accept(actor: AccountActor, hash: string): Promise<string> {
    const share = await this.shares.byHash(hash);
    return share?.open ? this.join(actor, share) : this.answers.accept(actor.accountId, hash);
  }

  /** INVITATION_NOT_FOUND, INVITATION_ANSWERED. */
  async decline(actor: AccountActor, hash: string): Promise<void> {
    await this.answers.decline(actor.accountId, hash);
  }

  private async join(actor: AccountActor, seen: Share): Promise<string> {
    if (seen.ownerId === actor.accountId) throw invitationNotFound();
    return this.unitOfWork.run(async () => {
      await this.shares.hold(seen.nodeId);
      const share = await this.shares.find(seen.nodeId);
      const node = (await this.nodes.locate([seen.nodeId], null)).get(seen.nodeId);
      if (!share?.open || share.hash !== seen.hash || !node?.live) throw invitationNotFound();
      // Who was invited by name answers that, whatever the open hash would give.
      const [own] = (await this.invitations.ofNode([share.nodeId], actor.accountId)).filter((invitation) => invitation.state !== 'declined');
      if (own) return this.answers.accept(actor.accountId, own.hash);
      await this.policies.requireSharing(share.ownerId, actor.accountId);
      const owner = { kind: 'account', accountId: share.ownerId, companyId: null, role: 'user', tokenId: null } as const;
      const subject = { accountId: actor.accountId };
      const right = memberRight(share.openCanWrite);
      const { paths } = await this.grants.grant(owner, { node: node.node, subject, right, accepted: true, byId: actor.accountId });
      return paths.get(actor.accountId)!;
    });
  }
}
