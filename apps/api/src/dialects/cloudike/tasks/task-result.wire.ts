import { Injectable } from '@nestjs/common';

import type { ArchiveBuildResult } from '#libs/archives';
import { DerivedLinkService, type FullListingResult, type MultiConfirmResult } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import type { TaskView } from '#libs/tasks';
import type { RestoreResult } from '#libs/trash';

import { NodeWire } from '../presenters/node-wire.js';
import { finishedTask, presentMultiConfirm, presentRestore } from '../presenters/task.presenter.js';

/** Says the result of a task in the dictionary that its route documents. */
@Injectable()
export class TaskResultWire {
  constructor(
    private readonly nodes: NodeWire,
    private readonly links: DerivedLinkService,
  ) {}

  /** Throws TASK_RUNNING and TASK_FAILED (see `finishedTask`), and NODE_NOT_FOUND when what the task made has expired. */
  async result(actor: AccountActor, task: TaskView): Promise<object> {
    const { kind, result } = finishedTask(task);
    switch (kind) {
      case 'files.multi-confirm': {
        const outcome = result as unknown as MultiConfirmResult;
        return presentMultiConfirm(outcome, await this.nodes.people(outcome.nodes.flatMap(({ node }) => node ?? [])));
      }
      case 'trash.restore':
        return presentRestore(result as unknown as RestoreResult);
      case 'archives.build':
      case 'files.full-listing': {
        // A new URL at every look: it lives for a shorter time than the object.
        const { url } = await this.links.link(actor, (result as unknown as ArchiveBuildResult | FullListingResult).storeKey);
        return { url };
      }
      case 'files.calculate-size':
      case 'files.purge':
      case 'trash.clear':
        return (result ?? {}) as object;
    }
  }
}
