import { UnitOfWork } from '#libs/database';
import { Clock } from '#libs/kernel';
import { HandlesJob, type JobContext, type JobHandler, type JobPayload } from '#libs/queue';

import { dayOf, periodOf, plusDays, startOf } from './calendar.js';
import { RollUpRepository } from './repositories/roll-up.repository.js';

/** Transactions that began in a day have written something by then, and clocks of different machines agree. */
const GRACE_MS = 15 * 60_000;

/**
 * Makes the figures of today and of every past day that is not closed yet, with the weeks and months they lie in: each day in one transaction, so that it may be
 * run twice, at once, late, or be killed between two days. A past day is closed when no transaction is left that could add to it.
 */
@HandlesJob('analytics.roll-up')
export class RollUpJob implements JobHandler<'analytics.roll-up'> {
  constructor(
    private readonly figures: RollUpRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  async handle(_payload: JobPayload<'analytics.roll-up'>, context: Pick<JobContext, 'signal'>): Promise<void> {
    const today = dayOf(this.clock.nowMs());
    for (const day of await this.figures.openDays(today)) {
      context.signal.throwIfAborted();
      await this.unitOfWork.run(() => this.make(day));
    }
    await this.figures.forget((await this.figures.openDays(today))[0] ?? today);
  }

  private async make(day: string): Promise<void> {
    await this.figures.lock();
    // another run may have closed it while this one waited
    if ((await this.figures.state(day)).closed) return;
    const now = this.clock.now();
    const over = now.getTime() >= startOf(plusDays(day, 1)) + GRACE_MS;
    const closed = over && (await this.figures.settled(day));
    // files are counted one by one for the last word on a day, and otherwise from the day before on
    const before = plusDays(day, -1);
    const base = !closed && (await this.figures.state(before)).made ? before : null;
    await this.figures.makeDay(day, { closed, base, now });
    for (const period of ['week', 'month'] as const) {
      const { startsOn, endsBefore } = periodOf(period, day);
      await this.figures.makeLong(period, startsOn, endsBefore, now);
    }
  }
}
