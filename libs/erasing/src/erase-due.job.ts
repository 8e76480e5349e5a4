import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { Clock, SYSTEM_ACTOR } from '#libs/kernel';
import { HandlesJob, type JobContext, type JobHandler, type JobPayload } from '#libs/queue';
import { TaskService } from '#libs/tasks';

import type { EraseInput } from './erase-account.task.js';
import { ErasingRepository } from './repositories/erasing.repository.js';
import { PersonalDataRepository } from './repositories/personal-data.repository.js';

const DAY_MS = 86_400_000;
const BATCH = 500;
/** How long a device of an erased account can still hear that it is to wipe itself. */
const DEVICE_DAYS = 90;

/** Begins to erase accounts that have been deleted for as long as they are kept, and goes on with those whose task has failed. */
@HandlesJob('accounts.erase-due')
export class EraseDueJob implements JobHandler<'accounts.erase-due'> {
  constructor(
    private readonly rows: ErasingRepository,
    private readonly personal: PersonalDataRepository,
    private readonly tasks: TaskService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  async handle(_payload: JobPayload<'accounts.erase-due'>, { signal }: Pick<JobContext, 'signal'>): Promise<void> {
    await this.personal.endDevices(new Date(this.clock.nowMs() - DEVICE_DAYS * DAY_MS));
    for (const accountId of await this.rows.unfinished(BATCH)) await this.start(accountId, signal);
    const { deletedDays } = this.config.accounts;
    if (deletedDays === 0) return;
    const before = new Date(this.clock.nowMs() - deletedDays * DAY_MS);
    for (const accountId of await this.rows.due(before, BATCH)) await this.start(accountId, signal);
  }

  /** Nothing when a task is at work already, also one that hands the files over first. */
  private async start(accountId: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.unitOfWork.run(async () => {
      const account = await this.rows.lock(accountId);
      if (account === null || account.erased || (await this.rows.hasTask(accountId))) return;
      if (!(await this.rows.beginErasing(accountId, this.clock.now()))) return;
      await this.tasks.start(SYSTEM_ACTOR, 'accounts.erase', { accountId, heirId: null, erase: true } satisfies EraseInput);
    });
  }
}
