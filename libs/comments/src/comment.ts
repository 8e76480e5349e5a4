import { randomHex } from '#libs/kernel';

export type CommentKind = 'text' | 'task';

/** What an assignee says about a task; it begins as `new`. */
export const TASK_STATUSES = ['new', 'accept', 'decline', 'done'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

export interface Assignee {
  readonly id: string;
  readonly accountId: number;
  readonly status: TaskStatus;
  readonly createdMs: number;
}

/** Something said about a file. Times in ms since the epoch. */
export interface Comment {
  /** 24 hex characters. */
  readonly id: string;
  readonly nodeId: string;
  readonly authorId: number;
  readonly kind: CommentKind;
  readonly text: string;
  readonly taggedText: string;
  /** Of a task; 0 = none. */
  readonly dueMs: number;
  readonly createdMs: number;
  readonly editedMs: number | null;
  /** Of a task, in the order in which they were named. */
  readonly assignees: readonly Assignee[];
}

/** A new id in the shape of the source: 4 bytes of seconds, 8 random ones. */
export function newCommentId(nowMs: number): string {
  return Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, '0')
    .concat(randomHex(8));
}

/** True for 24 hex characters. */
export function isCommentId(text: string): boolean {
  return /^[0-9a-f]{24}$/.test(text);
}
