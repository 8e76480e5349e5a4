import { AppConfig } from '#libs/config';
import { Clock } from '#libs/kernel';
import { HandlesJob, type JobContext, type JobHandler, type JobPayload } from '#libs/queue';

import { AuditChain } from './chain.service.js';

const BATCH = 5_000;
const DAY_MS = 24 * 3_600_000;

/** Puts new records into the chain. */
@HandlesJob('audit.seal')
export class SealAuditJob implements JobHandler<'audit.seal'> {
  constructor(private readonly chain: AuditChain) {}

  async handle(_payload: JobPayload<'audit.seal'>, { signal }: Pick<JobContext, 'signal'>): Promise<void> {
    await this.chain.seal(signal);
  }
}

/** Removes records that are older than the configured number of days (0 = never). */
@HandlesJob('audit.expire')
export class ExpireAuditJob implements JobHandler<'audit.expire'> {
  constructor(
    private readonly chain: AuditChain,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  async handle(_payload: JobPayload<'audit.expire'>, { signal }: Pick<JobContext, 'signal'>): Promise<void> {
    const days = this.config.audit.retentionDays;
    if (days === 0) return;
    const beforeMs = this.clock.nowMs() - days * DAY_MS;
    while ((await this.chain.expire(beforeMs, BATCH)) === BATCH) signal.throwIfAborted();
  }
}
