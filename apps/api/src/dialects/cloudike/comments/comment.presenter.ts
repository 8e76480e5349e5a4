import type { Comment } from '#libs/comments';

/** The comment object (contract 14). */
export function presentComment(comment: Comment) {
  const { id, createdMs, text, taggedText, kind, authorId, dueMs, assignees } = comment;
  const said = { id, created_time: createdMs, text, taggedText, type: kind, owner_id: authorId };
  if (kind === 'text') return said;
  return {
    ...said,
    due_date: dueMs,
    assignees: assignees.map((assignee) => ({
      id: assignee.id,
      user_id: assignee.accountId,
      status: assignee.status,
      created_time: assignee.createdMs,
    })),
  };
}
