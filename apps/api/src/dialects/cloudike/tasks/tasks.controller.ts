import type { AccountActor } from '#libs/kernel';
import { TaskService } from '#libs/tasks';

import { CloudikeController, CurrentActor, Route, UrlSegment } from '../http/index.js';
import { TaskResultWire } from './task-result.wire.js';

@CloudikeController('tasks')
export class TasksController {
  constructor(
    private readonly tasks: TaskService,
    private readonly results: TaskResultWire,
  ) {}

  @Route('task/<taskid>', { auth: 'account', summary: 'Result of a background task; 404 with progress until it has ended' })
  async result(@CurrentActor() actor: AccountActor, @UrlSegment('taskid') taskId: string) {
    return this.results.result(actor, await this.tasks.get(actor, taskId));
  }
}
