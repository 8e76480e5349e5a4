export { HandlesTask, type JsonValue, TaskCancelledError, type TaskContext, type TaskHandler, TaskSupersededError } from './handler.js';
export type { TaskState } from './repositories/task.repository.js';
export { TaskRunnerModule } from './task-runner.module.js';
export { TaskService, type TaskView } from './task.service.js';
export { TasksModule } from './tasks.module.js';
