import { UnitOfWork } from '#libs/database';
import { Clock } from '#libs/kernel';
import { Purger, PurgeRepository, SpaceRepository, SpaceService, UploadSessionRepository } from '#libs/nodes';
import { HandlesJob, type JobContext, type JobHandler, type JobPayload } from '#libs/queue';

import { BucketRepository } from './repositories/bucket.repository.js';

const BATCH = 100;
const ROWS_A_BATCH = 1_000;

/** Erases what is left of buckets that were removed. It can be killed anywhere and run again. */
@HandlesJob('buckets.sweep')
export class SweepBucketsJob implements JobHandler<'buckets.sweep'> {
  constructor(
    private readonly buckets: BucketRepository,
    private readonly uploads: UploadSessionRepository,
    private readonly marks: PurgeRepository,
    private readonly purger: Purger,
    private readonly spaces: SpaceService,
    private readonly spaceRows: SpaceRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  async handle(_payload: JobPayload<'buckets.sweep'>, { signal }: Pick<JobContext, 'signal'>): Promise<void> {
    for (const space of await this.buckets.abandoned(BATCH)) {
      signal.throwIfAborted();
      await this.clear(space, signal);
    }
  }

  private async clear({ id, rootId }: { readonly id: string; readonly rootId: string }, signal: AbortSignal): Promise<void> {
    // what was on its way into it ends with the next look of the reaper, and the space with the next one of this
    await this.uploads.endLeasesInto(id, this.clock.now());
    const mark = () =>
      this.unitOfWork.run(async () => {
        await this.spaces.lock(id);
        return this.marks.markAll(id, rootId, ROWS_A_BATCH, this.clock.now());
      });
    while ((await mark()) > 0) signal.throwIfAborted();
    await this.purger.all(id, () => Promise.resolve(signal.throwIfAborted()));
    await this.unitOfWork.run(async () => {
      await this.spaces.lock(id);
      await this.spaceRows.remove(id);
    });
  }
}
