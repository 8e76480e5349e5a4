import { Injectable } from '@nestjs/common';

import { GrantService } from '#libs/access';
import type { AccountActor } from '#libs/kernel';
import { MountRepository, NodeRepository } from '#libs/nodes';

/** What erasing means for sharing: the receivers lose what is erased, and the owner leaves what others have shared into it. */
@Injectable()
export class SharingEnds {
  constructor(
    private readonly mounts: MountRepository,
    private readonly nodes: NodeRepository,
    private readonly grants: GrantService,
  ) {}

  /** Ends the shares at and below nodes of a space that are about to be erased, in the transaction that hands them to the purge. */
  async beforeErasing(ownerId: number, spaceId: string, nodeIds: readonly string[]): Promise<void> {
    const owner: AccountActor = { kind: 'account', accountId: ownerId, companyId: null, role: 'user', tokenId: null };
    const mounted = await this.mounts.within(spaceId, nodeIds);
    if (mounted.length > 0) {
      const targets = mounted.map((mount) => mount.targetId);
      await this.grants.leave(owner, targets);
      await this.mounts.remove(mounted.map((mount) => mount.id));
    }
    const shared = await this.mounts.sharedWithin(spaceId, nodeIds);
    for (const node of await this.nodes.byIds(shared)) await this.grants.revokeAll(owner, node);
    await this.mounts.removeOf(shared);
  }
}
