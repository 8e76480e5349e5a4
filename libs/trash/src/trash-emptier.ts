import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Clock } from '#libs/kernel';
import { SpaceRepository, SpaceService, TrashRepository } from '#libs/nodes';
import { Outbox } from '#libs/queue';

const ROWS_A_BATCH = 1_000;

/** Takes things out of the trash for good: marks them in batches and starts the job that erases them. */
@Injectable()
export class TrashEmptier {
  constructor(
    private readonly trash: TrashRepository,
    private readonly spaces: SpaceService,
    private readonly spaceRows: SpaceRepository,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Marks what was trashed at `before` or earlier: the given nodes, or all (`nodeIds` null). `between` runs between batches and may throw to
   * stop. Returns how many were marked; those that are not in the trash any more do not count.
   */
  async empty(spaceId: string, nodeIds: readonly string[] | null, before: Date, between: () => Promise<void>): Promise<number> {
    let total = 0;
    for (;;) {
      const marked = await this.unitOfWork.run(async () => {
        await this.spaces.lock(spaceId);
        const count = await this.trash.purgeTrashed(spaceId, nodeIds, before, ROWS_A_BATCH, this.clock.now());
        if (count > 0) {
          await this.spaceRows.bumpTrash(spaceId);
          await this.outbox.add('nodes.purge-space', { spaceId });
        }
        return count;
      });
      total += marked;
      if (marked < ROWS_A_BATCH) return total;
      await between();
    }
  }
}
