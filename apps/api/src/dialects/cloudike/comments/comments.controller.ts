import { CommentService } from '#libs/comments';
import { type AccountActor, DomainError } from '#libs/kernel';

import { CloudikeController, CurrentActor, Params, PathTail, Route } from '../http/index.js';
import { presentComment } from './comment.presenter.js';
import { CommentIdDto, CreateCommentDto, EditCommentDto, ListCommentsDto, TaskStatusDto } from './comments.dto.js';

const WRITE = { auth: 'account', head: false } as const;

/** Comments and tasks on files (contract 14). */
@CloudikeController('workflow')
export class CommentsController {
  constructor(private readonly comments: CommentService) {}

  @Route('workflow/comment/<path>', { ...WRITE, summary: 'Say something about a file, or give a task' })
  async create(@CurrentActor() actor: AccountActor, @PathTail() tail: readonly string[], @Params(CreateCommentDto) params: CreateCommentDto) {
    const { text, taggedText, type = 'text', dueDate: dueMs, assignees } = params;
    const kind = type === '' ? 'text' : type;
    if (kind !== 'text' && kind !== 'task') throw new DomainError('INVALID_ARGUMENT', 'The parameter "type" must be text or task.');
    const node = { path: fileOf(tail, params.path) };
    return presentComment(await this.comments.create(actor, { node, text, taggedText, kind, dueMs, assignees }));
  }

  @Route('workflow/comment/edit', { ...WRITE, summary: 'Change a comment of your own' })
  async edit(@CurrentActor() actor: AccountActor, @Params(EditCommentDto) { dueDate: dueMs, ...params }: EditCommentDto) {
    return presentComment(await this.comments.edit(actor, { ...params, dueMs }));
  }

  @Route('workflow/comment/delete', { ...WRITE, summary: 'Remove a comment' })
  async remove(@CurrentActor() actor: AccountActor, @Params(CommentIdDto) { id }: CommentIdDto) {
    await this.comments.remove(actor, id);
    return {};
  }

  @Route('workflow/comments/<path>', { auth: 'account', summary: 'The comments on a file, oldest first' })
  async list(
    @CurrentActor() actor: AccountActor,
    @PathTail() tail: readonly string[],
    @Params(ListCommentsDto) { path, offset = 0, limit = 0 }: ListCommentsDto,
  ) {
    return (await this.comments.list(actor, { node: { path: fileOf(tail, path) }, offset, limit })).map(presentComment);
  }

  @Route('workflow/comment/update_task_status', { ...WRITE, summary: 'Say how a task of yours stands' })
  async setTaskStatus(@CurrentActor() actor: AccountActor, @Params(TaskStatusDto) { id, status }: TaskStatusDto) {
    return presentComment(await this.comments.setTaskStatus(actor, id, status));
  }
}

/** The file of the URL, or of the parameter where the URL names none. */
function fileOf(tail: readonly string[], path: readonly string[] | undefined): readonly string[] {
  return tail.length === 0 ? (path ?? []) : tail;
}
