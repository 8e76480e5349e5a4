import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Clock } from '#libs/kernel';
import { ChangeLog, SpaceRepository, SpaceService, TrashRepository } from '#libs/nodes';
import { Outbox } from '#libs/queue';

import { SharedTrashRepository } from './repositories/shared-trash.repository.js';
import { SharingEnds } from './sharing-ends.js';

const ROWS_A_BATCH = 1_000;

/** Takes things out of the trash for good: marks them in batches and starts the job that erases them. */
@Injectable()
export class TrashEmptier {
  constructor(
    private readonly trash: TrashRepository,
    private readonly shared: SharedTrashRepository,
    private readonly ends: SharingEnds,
    private readonly changes: ChangeLog,
    private readonly spaces: SpaceService,
    private readonly spaceRows: SpaceRepository,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Marks what was trashed at `before` or earlier: the given nodes, or all (`nodeIds` null). Shares in it end. `between` runs between batches and
   * may throw to stop. `clearedBy` is told of in the owner's feed; null: nobody did it. Returns how many were marked; those that are not in the
   * trash any more do not count.
   */
  async empty(
    spaceId: string,
    nodeIds: readonly string[] | null,
    before: Date,
    clearedBy: number | null,
    between: () => Promise<void>,
  ): Promise<number> {
    let total = 0;
    for (;;) {
      const marked = await this.unitOfWork.run(() => this.batch(spaceId, nodeIds, before, clearedBy));
      total += marked;
      if (marked < ROWS_A_BATCH) return total;
      await between();
    }
  }

  private async batch(spaceId: string, nodeIds: readonly string[] | null, before: Date, clearedBy: number | null): Promise<number> {
    await this.spaces.lock(spaceId);
    const ids = await this.shared.dueIds(spaceId, nodeIds, before, ROWS_A_BATCH);
    if (ids.length === 0) return 0;
    const space = await this.spaceRows.find(spaceId);
    await this.ends.beforeErasing(space!.accountId, spaceId, ids);
    const count = await this.trash.purgeTrashed(spaceId, ids, before, ROWS_A_BATCH, this.clock.now());
    await this.spaceRows.bumpTrash(spaceId);
    await this.outbox.add('nodes.purge-space', { spaceId });
    // Once for all batches: in the last.
    if (clearedBy !== null && ids.length < ROWS_A_BATCH)
      await this.changes.recordForAccounts('trash_cleared', [space!.accountId], { actorId: clearedBy });
    return count;
  }
}
