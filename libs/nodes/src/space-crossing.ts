import { Injectable } from '@nestjs/common';

import { DomainError } from '#libs/kernel';

import { negated } from './ledger/media-bytes.js';
import { QuotaLedger } from './ledger/repositories/quota-ledger.repository.js';
import type { NodeView } from './node.js';
import { CrossingRepository, type CrossedRow } from './repositories/crossing.repository.js';
import { MountRepository } from './repositories/mount.repository.js';

/** Takes parts of a tree from one space to another: whoever owns the space pays for what is in it. */
@Injectable()
export class SpaceCrossing {
  constructor(
    private readonly rows: CrossingRepository,
    private readonly mounts: MountRepository,
    private readonly quotas: QuotaLedger,
  ) {}

  /**
   * Puts a live node that is no mount, with all below it, into a folder of another space: rows, versions and quota. What was trashed out of it
   * stays in the old owner's trash, and links on it end. The caller counts it in the folders. Needs the locks of both spaces. Null when the node
   * is not in place any more. CONTAINS_SHARE, MOUNT_INTO_SHARE, QUOTA_EXCEEDED, NAME_TAKEN, PARENT_NOT_FOUND.
   */
  async move(node: NodeView, target: NodeView): Promise<CrossedRow | null> {
    if (node.shared || (await this.mounts.holdShares(node.spaceId, [node.id]))) {
      throw new DomainError('CONTAINS_SHARE', 'A folder that is shared, or holds a shared one, cannot go to another owner.');
    }
    if ((await this.mounts.within(node.spaceId, [node.id])).length > 0) throw mountIntoShare();
    const held = await this.hold(node.id);
    if (held.length === 0) return null;
    await this.rows.leaveTrashed(held, node.spaceId);
    await this.rows.endLinks(node.id);
    const crossed = await this.rows.cross(node.id, target.spaceId, target.id);
    if (!crossed) return null;
    const bytes = await this.rows.crossVersions(node.id, target.spaceId);
    // Folders before quotas, and accounts before companies, as whoever brings a file takes them: else the two wait for each other.
    await this.rows.holdParents([node.parentId!, target.id]);
    await this.quotas.hold([node.ownerId, target.ownerId]);
    // Freed first: when both belong to one company, its sum does not grow.
    await this.quotas.add(node.ownerId, negated(bytes));
    await this.quotas.add(target.ownerId, bytes);
    return crossed;
  }

  /** Holds a node and the folders below it until the end of the transaction, those included that were being made. */
  async hold(rootId: string): Promise<string[]> {
    for (let held = await this.rows.holdFolders(rootId); ;) {
      const again = await this.rows.holdFolders(rootId);
      if (again.length === held.length) return again;
      held = again;
    }
  }
}

/** MOUNT_INTO_SHARE */
export function mountIntoShare(): DomainError {
  return new DomainError('MOUNT_INTO_SHARE', 'What others have shared with you cannot go into a shared folder.');
}
