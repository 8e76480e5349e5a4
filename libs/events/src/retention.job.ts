import { AppConfig } from '#libs/config';
import { Clock } from '#libs/kernel';
import { HandlesJob, type JobContext, type JobHandler, type JobPayload } from '#libs/queue';

import { FeedRepository } from './repositories/feed.repository.js';
import { NoticeRepository } from './repositories/notice.repository.js';
import { TicketRepository } from './repositories/ticket.repository.js';

const BATCH = 5_000;
const DAY_MS = 24 * 3_600_000;

/** Removes events and notices that are older than the configured number of days (0 = never), and tickets that nobody used. */
@HandlesJob('events.expire')
export class ExpireEventsJob implements JobHandler<'events.expire'> {
  constructor(
    private readonly feeds: FeedRepository,
    private readonly notices: NoticeRepository,
    private readonly tickets: TicketRepository,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  async handle(_payload: JobPayload<'events.expire'>, context: Pick<JobContext, 'signal'>): Promise<void> {
    await this.tickets.removeExpired(this.clock.now());
    const days = this.config.events.retentionDays;
    if (days === 0) return;
    const beforeMs = this.clock.nowMs() - days * DAY_MS;
    while ((await this.feeds.removeOld(beforeMs, BATCH)) === BATCH) context.signal.throwIfAborted();
    while ((await this.notices.removeOld(beforeMs, BATCH)) === BATCH) context.signal.throwIfAborted();
  }
}
