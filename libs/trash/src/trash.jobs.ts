import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, type DomainErrorCode, isDomainError } from '#libs/kernel';
import { Purger, PurgeRepository } from '#libs/nodes';
import { HandlesJob, type JobContext, type JobHandler, Outbox } from '#libs/queue';
import { HandlesTask, type TaskContext, type TaskHandler } from '#libs/tasks';

import { RestoreService } from './restore.service.js';
import { TrashEmptier } from './trash-emptier.js';
import type { ClearInput, PurgeInput, RestoreInput } from './trash.service.js';

const DAY_MS = 86_400_000;
/** A copy that made no progress for this long is dead. */
const STAGED_LEASE_MS = 3_600_000;

export interface RestoreResult {
  readonly restored: readonly string[];
  readonly failed: readonly { readonly name: string; readonly code: DomainErrorCode; readonly message: string }[];
}

/** Brings trash items back one by one. The result tells the paths; when none could be restored, the first refusal is the task's error. */
@HandlesTask('trash.restore')
export class RestoreTask implements TaskHandler<RestoreInput> {
  constructor(
    private readonly restores: RestoreService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async run({ spaceId, sharedId, items, onConflict }: RestoreInput, context: TaskContext): Promise<RestoreResult> {
    if (context.accountId === null) throw new DomainError('INVALID_ARGUMENT', 'A trash belongs to an account.');
    const actor: AccountActor = { kind: 'account', accountId: context.accountId, companyId: null, role: 'user', tokenId: null };
    const done = (context.checkpoint ?? { restored: [], failed: [], next: 0 }) as unknown as RestoreResult & { readonly next: number };
    const restored = [...done.restored];
    const failed = [...done.failed];
    let firstError: DomainError | undefined;
    for (const [index, { nodeId, name }] of items.entries()) {
      if (index < done.next) continue;
      await context.throwIfCancelled();
      const progress = ((index + 1) / items.length) * 100;
      try {
        const node = await this.unitOfWork.run(async () => {
          const back = await this.restores.restore({ actor, spaceId, nodeId, onConflict, sharedId: sharedId ?? null });
          await context.saveProgress(progress, { restored: back ? [...restored, back.path] : restored, failed, next: index + 1 });
          return back;
        });
        if (node) restored.push(node.path);
      } catch (error) {
        if (!isDomainError(error) || error.code === 'BUSY') throw error;
        firstError ??= error;
        failed.push({ name, code: error.code, message: error.message });
        await context.saveProgress(progress, { restored, failed, next: index + 1 });
      }
    }
    if (firstError && restored.length === 0) throw firstError;
    return { restored, failed };
  }
}

/** Hands trash items to the purge: they leave the trash at once and are erased in the background. */
@HandlesTask('trash.clear')
export class ClearTask implements TaskHandler<ClearInput> {
  constructor(private readonly emptier: TrashEmptier) {}

  async run({ spaceId, nodeIds, beforeMs }: ClearInput, context: TaskContext): Promise<{ cleared: number }> {
    return { cleared: await this.emptier.empty(spaceId, nodeIds, new Date(beforeMs), context.accountId, () => context.throwIfCancelled()) };
  }
}

/** Erases the whole trash of a space and every version in it that is not current. */
@HandlesTask('files.purge')
export class PurgeTask implements TaskHandler<PurgeInput> {
  constructor(
    private readonly emptier: TrashEmptier,
    private readonly purger: Purger,
  ) {}

  async run({ spaceId, beforeMs }: PurgeInput, context: TaskContext): Promise<{ nodes: number; versions: number }> {
    const between = () => context.throwIfCancelled();
    await this.emptier.empty(spaceId, null, new Date(beforeMs), context.accountId, between);
    const nodes = await this.purger.all(spaceId, between);
    await context.saveProgress(50);
    const versions = await this.purger.oldVersions(spaceId, between);
    return { nodes, versions };
  }
}

/** Erases what is marked for it in one space. */
@HandlesJob('nodes.purge-space')
export class PurgeSpaceJob implements JobHandler<'nodes.purge-space'> {
  constructor(private readonly purger: Purger) {}

  async handle({ spaceId }: { readonly spaceId: string }, { signal }: JobContext): Promise<void> {
    await this.purger.all(spaceId, () => {
      signal.throwIfAborted();
      return Promise.resolve();
    });
  }
}

/** Ends what has been in the trash for longer than it is kept, and copies that died; sees to it that every purge has a job. */
@HandlesJob('trash.expire')
export class ExpireTrashJob implements JobHandler<'trash.expire'> {
  constructor(
    private readonly emptier: TrashEmptier,
    private readonly purges: PurgeRepository,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly config: AppConfig,
  ) {}

  async handle(_payload: Record<string, never>, { signal }: JobContext): Promise<void> {
    const days = this.config.files.trashRetentionDays;
    if (days > 0) {
      const before = new Date(this.clock.nowMs() - days * DAY_MS);
      for (const spaceId of await this.purges.spacesWithTrashBefore(before)) {
        await this.emptier.empty(spaceId, null, before, null, () => {
          signal.throwIfAborted();
          return Promise.resolve();
        });
      }
    }
    await this.purges.abandonStaged(new Date(this.clock.nowMs() - STAGED_LEASE_MS), this.clock.now());
    await this.unitOfWork.run(async () => {
      for (const spaceId of await this.purges.spacesToPurge()) await this.outbox.add('nodes.purge-space', { spaceId });
    });
  }
}
