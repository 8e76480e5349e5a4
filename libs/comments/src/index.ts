export { type Comment, type CommentKind, TASK_STATUSES, type TaskStatus } from './comment.js';
export { CommentService, type CreateComment, type EditComment } from './comment.service.js';
export { CommentsModule } from './comments.module.js';
