import { Clock } from '#libs/kernel';
import { HandlesJob, type JobContext, type JobHandler, type JobPayload, Outbox } from '#libs/queue';

import { PreviewMaker } from './preview-maker.js';
import { PreviewScan } from './preview-scan.js';
import { PreviewRepository } from './repositories/preview.repository.js';

/** A run makes so many previews, or works for so long; the rest is a new run's, so that other jobs of the queue have their turn. */
const AT_ONCE = 20;
const RUN_MS = 60_000;
/** No more runs than this at once, however many were asked for: they take what waits from each other. */
const MAX_RUNS = 8;

/** Makes what waits. Any number of runs share the work. */
@HandlesJob('previews.make')
export class MakePreviewsJob implements JobHandler<'previews.make'> {
  constructor(
    private readonly maker: PreviewMaker,
    private readonly previews: PreviewRepository,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  async handle(_payload: JobPayload<'previews.make'>, { signal }: JobContext): Promise<void> {
    if ((await this.previews.busy(this.clock.now())) >= MAX_RUNS) return;
    const until = this.clock.nowMs() + RUN_MS;
    for (let made = 0; made < AT_ONCE && this.clock.nowMs() < until; made++) {
      signal.throwIfAborted();
      if (!(await this.maker.makeNext(signal))) return;
    }
    if ((await this.previews.waiting()) && (await this.previews.busy(this.clock.now())) < MAX_RUNS) await this.outbox.add('previews.make', {});
  }
}

/** Looks for new contents, and for work whose maker is gone. */
@HandlesJob('previews.scan')
export class ScanPreviewsJob implements JobHandler<'previews.scan'> {
  constructor(
    private readonly scan: PreviewScan,
    private readonly maker: PreviewMaker,
    private readonly previews: PreviewRepository,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  async handle(_payload: JobPayload<'previews.scan'>, { signal }: JobContext): Promise<void> {
    await this.scan.run(signal);
    await this.maker.revive();
    // a run that ends adds the next one; only when none is there a new chain has to begin
    if ((await this.previews.waiting()) && (await this.previews.busy(this.clock.now())) === 0) await this.outbox.add('previews.make', {});
  }
}
