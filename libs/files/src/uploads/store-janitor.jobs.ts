import { HandlesJob, type JobContext, type JobHandler, type JobPayload } from '#libs/queue';

import { StoreJanitor } from './store-janitor.js';

@HandlesJob('uploads.reap')
export class ReapUploadsJob implements JobHandler<'uploads.reap'> {
  constructor(private readonly janitor: StoreJanitor) {}

  async handle(_payload: JobPayload<'uploads.reap'>, { signal }: JobContext): Promise<void> {
    await this.janitor.reapUploads(signal);
    await this.janitor.sweepStore(signal);
  }
}

@HandlesJob('blobs.collect')
export class CollectBlobsJob implements JobHandler<'blobs.collect'> {
  constructor(private readonly janitor: StoreJanitor) {}

  async handle(_payload: JobPayload<'blobs.collect'>, { signal }: JobContext): Promise<void> {
    await this.janitor.collectBlobs(signal);
  }
}

@HandlesJob('blobs.delete-tombstones')
export class DeleteTombstonesJob implements JobHandler<'blobs.delete-tombstones'> {
  constructor(private readonly janitor: StoreJanitor) {}

  async handle(_payload: JobPayload<'blobs.delete-tombstones'>, { signal }: JobContext): Promise<void> {
    await this.janitor.deleteTombstones(signal);
  }
}

@HandlesJob('derived.expire')
export class ExpireDerivedJob implements JobHandler<'derived.expire'> {
  constructor(private readonly janitor: StoreJanitor) {}

  async handle(_payload: JobPayload<'derived.expire'>, { signal }: JobContext): Promise<void> {
    await this.janitor.expireDerived(signal);
  }
}
