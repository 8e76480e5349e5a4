import { Readable } from 'node:stream';

import { BlobStore } from '#libs/blob-store';
import { Clock, isDomainError } from '#libs/kernel';
import { Logger } from '#libs/observability';
import { HandlesJob, type JobContext, type JobHandler, type JobPayload, Outbox } from '#libs/queue';

import { contentIdOf } from './content-id.js';
import { type ContentIdWork, ContentIdRepository } from './repositories/content-id.repository.js';

/** A run works for so long; the rest is a new run's, so that other jobs of the queue have their turn. */
const RUN_MS = 60_000;
/** No more contents than this are read at once, however many were asked for. */
const MAX_RUNS = 4;
const LEASE_MS = 5 * 60_000;
const PAUSE_MS = 60_000;

/** Computes ids that were asked for. Any number of runs share the work; a schedule finds what a dead run, or a store that was away, has left. */
@HandlesJob('content-ids.make')
export class MakeContentIdsJob implements JobHandler<'content-ids.make'> {
  constructor(
    private readonly contentIds: ContentIdRepository,
    private readonly store: BlobStore,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  async handle(_payload: JobPayload<'content-ids.make'>, { signal }: Pick<JobContext, 'signal'>): Promise<void> {
    if ((await this.contentIds.busy(this.clock.now())) >= MAX_RUNS) return;
    const until = this.clock.nowMs() + RUN_MS;
    while (this.clock.nowMs() < until) {
      signal.throwIfAborted();
      const work = await this.contentIds.take(this.clock.now(), this.after(LEASE_MS));
      if (!work || !(await this.make(work, signal))) return;
    }
    await this.outbox.add('content-ids.make', {});
  }

  /** False when it is of no use to go on with others now. */
  private async make(work: ContentIdWork, signal: AbortSignal): Promise<boolean> {
    try {
      const body = await this.store.getRange(work.storeKey);
      await this.contentIds.keep(work.blobId, await contentIdOf(this.leased(work, body, signal)));
      return true;
    } catch (error) {
      // A store that is away, or a worker that ends, is no reason ever to give up; one content that cannot be read stops no other.
      const counted = !signal.aborted && (!isDomainError(error, 'STORAGE_UNAVAILABLE') || error.details['missing'] === true);
      await this.contentIds.postpone(work.blobId, this.after(PAUSE_MS), counted);
      signal.throwIfAborted();
      this.logger.warn('the id of a content could not be computed', { blobId: work.blobId, error });
      return counted;
    }
  }

  /** The bytes; whoever reads them for long keeps the lease. */
  private async *leased({ blobId }: ContentIdWork, body: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let renewAtMs = this.clock.nowMs() + LEASE_MS / 3;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      signal.throwIfAborted();
      yield chunk;
      if (this.clock.nowMs() < renewAtMs) continue;
      renewAtMs = this.clock.nowMs() + LEASE_MS / 3;
      await this.contentIds.extend(blobId, this.after(LEASE_MS));
    }
  }

  private after(ms: number): Date {
    return new Date(this.clock.nowMs() + ms);
  }
}
