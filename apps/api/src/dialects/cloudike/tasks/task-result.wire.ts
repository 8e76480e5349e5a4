import { Injectable } from '@nestjs/common';

import type { CsvReportResult } from '#libs/analytics';
import type { ArchiveBuildResult } from '#libs/archives';
import type { EventLogResult } from '#libs/events';
import { BrowseService, DerivedLinkService, type FullListingResult, type MultiConfirmResult } from '#libs/files';
import { type AccountActor, type Actor, DomainError } from '#libs/kernel';
import type { AddResult } from '#libs/links';
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
    private readonly browse: BrowseService,
  ) {}

  /** Throws TASK_RUNNING and TASK_FAILED (see `finishedTask`), and NODE_NOT_FOUND when what the task made has expired. */
  async result(caller: AccountActor | null, task: TaskView): Promise<object> {
    const actor = await this.actorOf(caller, task);
    const { kind, result } = finishedTask(task);
    switch (kind) {
      case 'files.multi-confirm': {
        const outcome = result as unknown as MultiConfirmResult;
        return presentMultiConfirm(
          outcome,
          await this.nodes.around(
            actor,
            outcome.nodes.flatMap(({ node }) => node ?? []),
          ),
        );
      }
      case 'trash.restore':
        return presentRestore(result as unknown as RestoreResult);
      case 'analytics.csv-report':
      case 'archives.build':
      case 'events.log-file':
      case 'files.full-listing': {
        // A new URL at every look: it lives for a shorter time than the object.
        const { url } = await this.links.link(
          actor,
          (result as unknown as ArchiveBuildResult | FullListingResult | EventLogResult | CsvReportResult).storeKey,
        );
        return { url };
      }
      case 'links.add-to-storage': {
        const { folderName, files, bytes } = result as unknown as AddResult;
        return { folder_name: folderName, files_count: files, size: bytes };
      }
      case 'files.calculate-size':
      case 'files.purge':
      case 'trash.clear':
      case 'handover.folder':
      case 'handover.migration':
      case 'accounts.erase':
      case 'companies.remove':
        return (result ?? {}) as object;
    }
  }

  /** Whose rights count: a guest's task is its guest's, whoever asks, and shows nothing once his link has ended. */
  private async actorOf(caller: AccountActor | null, { guest }: TaskView): Promise<Actor> {
    if (guest) await this.browse.get(guest, { node: { id: guest.rootId } });
    const actor = guest ?? caller;
    if (!actor) throw new DomainError('TASK_NOT_FOUND', 'There is no operation with this id.');
    return actor;
  }
}
