import type { MultiConfirmResult } from '#libs/files';
import { DomainError } from '#libs/kernel';
import type { TaskView } from '#libs/tasks';
import type { RestoreResult } from '#libs/trash';

import { wireError } from '../http/errors.js';
import { presentNode, type Surroundings } from './node.presenter.js';

/** The answer of a call that started a background task. */
export function presentTask({ publicId }: { readonly publicId: string }): { taskid: string } {
  return { taskid: publicId };
}

/**
 * The result of a finished task as its dictionary. Throws TASK_RUNNING (404 with `progress`: clients take the first 2xx for the end) before that,
 * and TASK_FAILED with the reason after a failure.
 */
export function finishedTask(task: TaskView): TaskView {
  switch (task.state) {
    case 'waiting':
    case 'running':
      throw new DomainError('TASK_RUNNING', 'The operation has not ended yet.', { progress: Math.floor(task.progress) });
    case 'failed':
      throw new DomainError('TASK_FAILED', task.error?.message ?? 'The operation failed.', { reason: task.error && wireError(task.error.code).code });
    case 'cancelled':
      throw new DomainError('TASK_FAILED', 'The operation was cancelled.');
    case 'succeeded':
      return task;
  }
}

/** Envelope of a multi_confirm result: metadata, or the error number, of each upload. */
export function presentMultiConfirm(result: MultiConfirmResult, around: Surroundings) {
  return {
    success: result.success,
    failed: result.failed,
    nodes: result.nodes.map((entry) =>
      entry.error === null
        ? { ...presentNode(entry.node, around), error_code: null }
        : { path: entry.path ?? '', error_code: wireError(entry.error.code).status, description: entry.error.message },
    ),
  };
}

/** Envelope of a trash/restore result: where each item is now, or why it stayed in the trash. */
export function presentRestore({ restored, failed }: RestoreResult) {
  const nodes = [
    ...restored.map((path) => ({ path, error_code: null })),
    ...failed.map(({ name, code, message }) => ({ name, error_code: wireError(code).status, description: message })),
  ];
  return { success: restored.length, failed: failed.length, nodes };
}
