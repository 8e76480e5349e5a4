import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, isDomainError } from '#libs/kernel';
import { ChangeLog, type LocatedNode, type NodeChangeType, type NodeRef, NodeResolver } from '#libs/nodes';

import { type Assignee, type Comment, type CommentKind, isCommentId, newCommentId, TASK_STATUSES } from './comment.js';
import { CommentNotifier, type Concerned } from './comment-notifier.js';
import { type Addressee, CommentRepository } from './repositories/comment.repository.js';

export interface CreateComment {
  readonly node: NodeRef;
  readonly text: string;
  /** The same text with the marks by which it names people; empty = nobody is named. */
  readonly taggedText?: string | undefined;
  readonly kind: CommentKind;
  /** Of a task, in ms since the epoch; 0 = none. */
  readonly dueMs?: number | undefined;
  /** Of a task: people who can open the file. */
  readonly assignees?: readonly number[] | undefined;
}

/** Absent fields stay as they are. */
export interface EditComment {
  readonly id: string;
  readonly text?: string | undefined;
  readonly taggedText?: string | undefined;
  readonly dueMs?: number | undefined;
  readonly assignees?: readonly number[] | undefined;
}

const MAX_TEXT_BYTES = 8 * 1024;
const MAX_TAGGED_BYTES = 16 * 1024;
const MAX_ASSIGNEES = 50;
const MAX_COMMENTS = 10_000;
const MAX_PAGE = 1000;
const MAX_DATE_MS = 8.64e15;

/** What people say about a file and ask each other to do with it. Who may read the file may read and write here; guests may not. */
@Injectable()
export class CommentService {
  constructor(
    private readonly comments: CommentRepository,
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
    private readonly notifier: CommentNotifier,
    private readonly changes: ChangeLog,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** NODE_NOT_FOUND, NOT_A_FILE, INVALID_ARGUMENT; ACCOUNT_NOT_FOUND for an assignee who cannot open the file. */
  async create(actor: AccountActor, command: CreateComment): Promise<Comment> {
    const { text, taggedText = '', kind, dueMs = 0, assignees = [] } = command;
    const checked = { text: checkedText(text), taggedText: checkedTags(taggedText), dueMs: checkedDue(dueMs) };
    const wanted = checkedAssignees(assignees);
    if (kind === 'text') refuseTask(dueMs, wanted);
    const node = await this.fileOf(actor, command.node);
    const people = await this.assignable(node, wanted);
    const nowMs = this.clock.nowMs();
    const comment = { id: newCommentId(nowMs), nodeId: node.id, authorId: actor.accountId, kind, ...checked, createdMs: nowMs };
    const whole: Comment = { ...comment, editedMs: null, assignees: wanted.map((id) => newAssignee(id, nowMs)) };
    const concerned = await this.concerned(node, whole, '', people);
    await this.unitOfWork.run(async () => {
      if (!(await this.comments.insert(comment, MAX_COMMENTS)))
        throw new DomainError('INVALID_ARGUMENT', `A file can have ${MAX_COMMENTS} comments at most.`);
      await this.comments.addAssignees(comment.id, whole.assignees);
      await this.record('comment_created', actor, node, whole, concerned);
    });
    return whole;
  }

  /** Only the author edits. COMMENT_NOT_FOUND, also for who cannot open the file; FORBIDDEN, INVALID_ARGUMENT, ACCOUNT_NOT_FOUND. */
  async edit(actor: AccountActor, command: EditComment): Promise<Comment> {
    const { comment: seen, node } = await this.open(actor, command.id);
    if (seen.authorId !== actor.accountId) throw new DomainError('FORBIDDEN', 'Only its author changes a comment.');
    const wanted = command.assignees === undefined ? undefined : checkedAssignees(command.assignees);
    if (seen.kind === 'text') refuseTask(command.dueMs ?? 0, wanted ?? []);
    const change = {
      ...(command.text === undefined ? {} : { text: checkedText(command.text) }),
      ...(command.taggedText === undefined ? {} : { taggedText: checkedTags(command.taggedText) }),
      ...(command.dueMs === undefined ? {} : { dueMs: checkedDue(command.dueMs) }),
    };
    const known = seen.assignees.map((assignee) => assignee.accountId);
    const people = await this.assignable(node, wanted?.filter((id) => !known.includes(id)) ?? []);
    const concerned = await this.concerned(node, { ...seen, ...change }, seen.taggedText, people);
    return this.unitOfWork.run(async () => {
      const comment = await this.comments.lock(seen.id);
      if (comment === null) throw commentNotFound();
      const nowMs = this.clock.nowMs();
      const edited = { ...comment, ...change, editedMs: nowMs, assignees: assigneesAfter(comment, wanted, nowMs) };
      await this.comments.update(comment.id, edited, nowMs);
      await this.replaceAssignees(comment, edited.assignees);
      await this.record('comment_changed', actor, node, edited, concerned);
      return edited;
    });
  }

  /** The author removes it, or the owner of the file. COMMENT_NOT_FOUND, FORBIDDEN. */
  async remove(actor: AccountActor, id: string): Promise<void> {
    const { comment: seen, node } = await this.open(actor, id);
    if (seen.authorId !== actor.accountId && node.ownerId !== actor.accountId)
      throw new DomainError('FORBIDDEN', 'Only its author or the owner of the file removes a comment.');
    await this.unitOfWork.run(async () => {
      const comment = await this.comments.lock(id);
      if (comment === null) throw commentNotFound();
      await this.comments.remove(id);
      await this.record('comment_deleted', actor, node, comment, null);
    });
  }

  /** Oldest first; `limit` 0 = as many as one page may hold. NODE_NOT_FOUND, NOT_A_FILE. */
  async list(actor: AccountActor, { node: ref, offset, limit }: { readonly node: NodeRef; readonly offset: number; readonly limit: number }) {
    const node = await this.fileOf(actor, ref);
    return this.comments.list(node.id, offset, limit === 0 ? MAX_PAGE : Math.min(limit, MAX_PAGE));
  }

  /** Sets what the actor says about a task of his. COMMENT_NOT_FOUND, FORBIDDEN for who has no part in it, INVALID_ARGUMENT. */
  async setTaskStatus(actor: AccountActor, id: string, status: string): Promise<Comment> {
    const known = TASK_STATUSES.find((one) => one === status);
    if (known === undefined) throw new DomainError('INVALID_ARGUMENT', `The status must be one of ${TASK_STATUSES.join(', ')}.`);
    const { node } = await this.open(actor, id);
    return this.unitOfWork.run(async () => {
      if ((await this.comments.lock(id)) === null) throw commentNotFound();
      if (!(await this.comments.setStatus(id, actor.accountId, known))) throw new DomainError('FORBIDDEN', 'This task was given to others.');
      const comment = (await this.comments.find(id))!;
      await this.record('comment_changed', actor, node, comment, null);
      return comment;
    });
  }

  private async fileOf(actor: AccountActor, ref: NodeRef): Promise<LocatedNode> {
    const { node } = await this.resolver.get(actor, ref);
    await this.access.require(actor, 'node.comment', [node]);
    if (node.kind !== 'file') throw new DomainError('NOT_A_FILE', 'Comments are made on files.');
    return node;
  }

  /** A comment and its file, when the actor can open the file now; in the trash a file takes its comments along. */
  private async open(actor: AccountActor, id: string): Promise<{ comment: Comment; node: LocatedNode }> {
    const comment = isCommentId(id) ? await this.comments.find(id) : null;
    if (comment === null) throw commentNotFound();
    try {
      return { comment, node: await this.fileOf(actor, { id: comment.nodeId }) };
    } catch (error) {
      throw isDomainError(error, 'NODE_NOT_FOUND') || isDomainError(error, 'FORBIDDEN') ? commentNotFound() : error;
    }
  }

  /** The people to whom a task is given. Unknown ones and those who cannot open the file look the same. */
  private async assignable(node: LocatedNode, wanted: readonly number[]): Promise<Addressee[]> {
    const people = await this.notifier.readers(node, wanted);
    if (people.length < wanted.length) throw new DomainError('ACCOUNT_NOT_FOUND', 'A task can only be given to people who can open the file.');
    return people;
  }

  private async concerned(node: LocatedNode, comment: Comment, before: string, assigned: readonly Addressee[]): Promise<Concerned> {
    const others = assigned.filter((person) => person.accountId !== comment.authorId);
    const tagged = await this.notifier.tagged(
      node,
      comment,
      before,
      others.map((person) => person.accountId),
    );
    const limited = (people: readonly Addressee[]) => this.notifier.limited(comment.authorId, people);
    return { tagged: await limited(tagged), assigned: await limited(others) };
  }

  private async replaceAssignees(before: Comment, after: readonly Assignee[]): Promise<void> {
    const kept = new Set(after.map((assignee) => assignee.id));
    const gone = before.assignees.filter((assignee) => !kept.has(assignee.id));
    const old = new Set(before.assignees.map((assignee) => assignee.id));
    await this.comments.removeAssignees(
      before.id,
      gone.map((assignee) => assignee.accountId),
    );
    await this.comments.addAssignees(
      before.id,
      after.filter((assignee) => !old.has(assignee.id)),
    );
  }

  private async record(type: NodeChangeType, actor: AccountActor, node: LocatedNode, comment: Comment, concerned: Concerned | null): Promise<void> {
    const facts = { comment_id: comment.id, comment_type: comment.kind };
    await this.changes.record([{ type, actorId: actor.accountId, node, folderId: node.parentId, name: node.name, facts }]);
    if (concerned !== null) await this.notifier.tell(node, comment, concerned);
  }
}

function checkedText(text: string): string {
  if (text.trim() === '' || Buffer.byteLength(text) > MAX_TEXT_BYTES || isUnstorable(text))
    throw new DomainError('INVALID_ARGUMENT', `A comment has 1 to ${MAX_TEXT_BYTES} bytes of text.`);
  return text;
}

function checkedTags(text: string): string {
  if (Buffer.byteLength(text) > MAX_TAGGED_BYTES || isUnstorable(text))
    throw new DomainError('INVALID_ARGUMENT', `The tagged text of a comment has ${MAX_TAGGED_BYTES} bytes at most.`);
  return text;
}

function isUnstorable(text: string): boolean {
  return /\0|[\ud800-\udfff]/u.test(text);
}

function checkedDue(dueMs: number): number {
  if (!Number.isSafeInteger(dueMs) || dueMs < 0 || dueMs > MAX_DATE_MS)
    throw new DomainError('INVALID_ARGUMENT', 'The due date is a time in whole milliseconds since 1970; 0 = none.');
  return dueMs;
}

function checkedAssignees(accountIds: readonly number[]): number[] {
  const distinct = [...new Set(accountIds)];
  if (distinct.length > MAX_ASSIGNEES) throw new DomainError('INVALID_ARGUMENT', `A task can be given to ${MAX_ASSIGNEES} people at most.`);
  return distinct;
}

function refuseTask(dueMs: number, assignees: readonly number[]): void {
  if (dueMs !== 0 || assignees.length > 0) throw new DomainError('INVALID_ARGUMENT', 'Only a task has a due date and assignees.');
}

/** Who keeps a task keeps what he said about it. */
function assigneesAfter(comment: Comment, wanted: readonly number[] | undefined, nowMs: number): readonly Assignee[] {
  if (wanted === undefined) return comment.assignees;
  return wanted.map((id) => comment.assignees.find((assignee) => assignee.accountId === id) ?? newAssignee(id, nowMs));
}

function newAssignee(accountId: number, nowMs: number): Assignee {
  return { id: newCommentId(nowMs), accountId, status: 'new', createdMs: nowMs };
}

function commentNotFound(): DomainError {
  return new DomainError('COMMENT_NOT_FOUND', 'There is no such comment.');
}
