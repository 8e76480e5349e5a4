import { type AccountActor, DomainError, isDomainError } from '#libs/kernel';
import { TaskService, type TaskView } from '#libs/tasks';

import { CloudikeController, OptionalActor, Route, UrlSegment } from '../http/index.js';
import { TaskResultWire } from './task-result.wire.js';

@CloudikeController('tasks')
export class TasksController {
  constructor(
    private readonly tasks: TaskService,
    private readonly results: TaskResultWire,
  ) {}

  @Route('task/<taskid>', {
    auth: 'optional',
    summary: 'Result of a background task; 404 with progress until it has ended. No token for a task that the holder of a link has started',
  })
  async result(@OptionalActor() actor: AccountActor | null, @UrlSegment('taskid') taskId: string) {
    return this.results.result(actor, await this.find(actor, taskId));
  }

  private async find(actor: AccountActor | null, taskId: string): Promise<TaskView> {
    try {
      return await this.tasks.get(actor, taskId);
    } catch (error) {
      if (actor || !isDomainError(error, 'TASK_NOT_FOUND')) throw error;
      throw new DomainError('UNAUTHENTICATED', 'This call needs a token in the Mountbit-Auth header, or HTTP Basic.', {}, { cause: error });
    }
  }
}
