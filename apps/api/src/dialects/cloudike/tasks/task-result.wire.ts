import { Injectable } from '@nestjs/common';

import type { MultiConfirmResult } from '#libs/files';
import type { TaskView } from '#libs/tasks';

import { NodeWire } from '../presenters/node-wire.js';
import { finishedTask, presentMultiConfirm } from '../presenters/task.presenter.js';

/** Says the result of a task in the dictionary that its route documents. */
@Injectable()
export class TaskResultWire {
  constructor(private readonly nodes: NodeWire) {}

  /** Throws TASK_RUNNING and TASK_FAILED (see `finishedTask`). */
  async result(task: TaskView): Promise<object> {
    const { kind, result } = finishedTask(task);
    switch (kind) {
      case 'files.multi-confirm': {
        const outcome = result as unknown as MultiConfirmResult;
        return presentMultiConfirm(outcome, await this.nodes.people(outcome.nodes.flatMap(({ node }) => node ?? [])));
      }
      case 'archives.build':
      case 'files.full-listing':
      case 'files.calculate-size':
      case 'files.purge':
      case 'trash.clear':
      case 'trash.restore':
        return (result ?? {}) as object;
    }
  }
}
