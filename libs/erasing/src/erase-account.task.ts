import { UnitOfWork } from '#libs/database';
import { HomeHandover } from '#libs/handover';
import { Clock, DomainError } from '#libs/kernel';
import { HandlesTask, type TaskContext, type TaskHandler } from '#libs/tasks';

import { AccountEraser } from './account-eraser.js';
import { type EndingAccount, ErasingRepository } from './repositories/erasing.repository.js';

export interface EraseInput {
  readonly accountId: number;
  /** Who gets the files first; null: nobody. */
  readonly heirId: number | null;
  /** False: only the files go over, and the account can still be restored. */
  readonly erase: boolean;
}

interface EraseState {
  /** The folder in the heir's home into which the files go. */
  readonly folderId: string;
}

/** Part of the work that handing the files over takes, in percent. */
const HANDOVER_PERCENT = 50;

/**
 * Ends a deleted account: its files go to an heir, when there is one, and only when all of them are his the erasing begins. Killed anywhere, the next
 * run goes on and comes to the same end.
 */
@HandlesTask('accounts.erase')
export class EraseAccountTask implements TaskHandler<EraseInput> {
  constructor(
    private readonly rows: ErasingRepository,
    private readonly handovers: HomeHandover,
    private readonly eraser: AccountEraser,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** FORBIDDEN when the account was restored meanwhile, or its heir may not work any more; QUOTA_EXCEEDED when the heir has no room. */
  async run({ accountId, heirId, erase }: EraseInput, context: TaskContext): Promise<object> {
    const account = await this.rows.find(accountId);
    if (account === null || account.erased) return {};
    if (account.state !== 'deleted') throw restored();
    if (heirId !== null && !account.eraseStarted) await this.handOver(account, heirId, erase ? HANDOVER_PERCENT : 100, context);
    if (!erase) return {};
    if (!(await this.unitOfWork.run(() => this.rows.beginErasing(accountId, this.clock.now())))) throw restored();
    const from = heirId === null ? 0 : HANDOVER_PERCENT;
    await this.eraser.erase({
      accountId,
      taskId: context.taskId,
      between: async (done) => {
        // What has begun to be erased is erased to the end: only the worker itself may stop it.
        context.signal.throwIfAborted();
        await context.saveProgress(from + done * (100 - from));
      },
      finished: () => context.saveProgress(100),
    });
    return {};
  }

  private async handOver(account: EndingAccount, heirId: number, percent: number, context: TaskContext): Promise<void> {
    const state = context.checkpoint as unknown as EraseState | null;
    await this.handovers.run({
      ownerId: account.id,
      heirId,
      ownerName: account.name,
      folderId: state?.folderId ?? null,
      made: (folderId) => context.saveProgress(0, { folderId } satisfies EraseState),
      between: async (done, all) => {
        await context.throwIfCancelled();
        if ((await this.rows.find(account.id))?.state !== 'deleted') throw restored();
        await context.saveProgress((done / all) * percent);
      },
    });
  }
}

function restored(): DomainError {
  return new DomainError('FORBIDDEN', 'The account was restored meanwhile.');
}
