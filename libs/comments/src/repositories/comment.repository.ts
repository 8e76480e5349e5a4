import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import type { Assignee, Comment, TaskStatus } from '../comment.js';

/** Somebody who can be told about a comment; `email` is empty without a confirmed address. */
export interface Addressee {
  readonly accountId: number;
  readonly name: string;
  readonly lang: string;
  readonly email: string;
}

const COMMENT = `
  c.id, c.node_id AS "nodeId", c.author_id AS "authorId", c.kind, c.text, c.tagged_text AS "taggedText", c.due_ms AS "dueMs", c.created_ms AS "createdMs",
  c.edited_ms AS "editedMs", coalesce((
    SELECT jsonb_agg(jsonb_build_object('id', a.id, 'accountId', a.account_id, 'status', a.status, 'createdMs', a.created_ms) ORDER BY a.created_ms, a.id)
      FROM comment_assignees a WHERE a.comment_id = c.id), '[]') AS assignees`;

type CommentRow = Comment & Record<string, unknown>;

/** Rows of `comments` and `comment_assignees`. */
@Injectable()
export class CommentRepository {
  constructor(private readonly database: Database) {}

  /** False when the file has `limit` comments already. NODE_NOT_FOUND when the file has been erased. */
  async insert(comment: Omit<Comment, 'assignees' | 'editedMs'>, limit: number): Promise<boolean> {
    const { id, nodeId, authorId, kind, text, taggedText, dueMs, createdMs } = comment;
    const inserted = await this.database.run(
      `INSERT INTO comments (id, node_id, author_id, kind, text, tagged_text, due_ms, created_ms)
       SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE (SELECT count(*) FROM comments WHERE node_id = $2) < $9::int`,
      [id, nodeId, authorId, kind, text, taggedText, dueMs, createdMs, limit],
    );
    return inserted === 1;
  }

  find(id: string): Promise<Comment | null> {
    return this.database.queryOne<CommentRow>(`SELECT ${COMMENT} FROM comments c WHERE c.id = $1`, [id]);
  }

  /** The comment, kept from other changes until the transaction ends. */
  async lock(id: string): Promise<Comment | null> {
    const held = await this.database.queryOne('SELECT 1 FROM comments WHERE id = $1 FOR UPDATE', [id]);
    return held === null ? null : this.find(id);
  }

  /** Comments of a file, oldest first. */
  list(nodeId: string, offset: number, limit: number): Promise<Comment[]> {
    return this.database.query<CommentRow>(`SELECT ${COMMENT} FROM comments c WHERE c.node_id = $1 ORDER BY c.created_ms, c.id OFFSET $2 LIMIT $3`, [
      nodeId,
      offset,
      limit,
    ]);
  }

  async update(id: string, { text, taggedText, dueMs }: Pick<Comment, 'text' | 'taggedText' | 'dueMs'>, nowMs: number): Promise<void> {
    await this.database.run('UPDATE comments SET text = $2, tagged_text = $3, due_ms = $4, edited_ms = $5 WHERE id = $1', [
      id,
      text,
      taggedText,
      dueMs,
      nowMs,
    ]);
  }

  async remove(id: string): Promise<void> {
    await this.database.run('DELETE FROM comments WHERE id = $1', [id]);
  }

  async addAssignees(commentId: string, assignees: readonly Assignee[]): Promise<void> {
    if (assignees.length === 0) return;
    await this.database.run(
      `INSERT INTO comment_assignees (id, comment_id, account_id, status, created_ms)
       SELECT i.id, $1, i.account_id, i.status, i.created_ms FROM unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[]) AS i (id, account_id, status, created_ms)`,
      [commentId, assignees.map((a) => a.id), assignees.map((a) => a.accountId), assignees.map((a) => a.status), assignees.map((a) => a.createdMs)],
    );
  }

  async removeAssignees(commentId: string, accountIds: readonly number[]): Promise<void> {
    if (accountIds.length === 0) return;
    await this.database.run('DELETE FROM comment_assignees WHERE comment_id = $1 AND account_id = ANY($2::bigint[])', [commentId, accountIds]);
  }

  /** False when the account has no part in the task. */
  async setStatus(commentId: string, accountId: number, status: TaskStatus): Promise<boolean> {
    const changed = await this.database.run('UPDATE comment_assignees SET status = $3 WHERE comment_id = $1 AND account_id = $2', [
      commentId,
      accountId,
      status,
    ]);
    return changed === 1;
  }

  /** Ids of the accounts that have these confirmed addresses. */
  async accountsOf(emails: readonly string[]): Promise<number[]> {
    if (emails.length === 0) return [];
    const rows = await this.database.query<{ id: number }>(
      `SELECT DISTINCT account_id AS id FROM logins WHERE kind = 'email' AND value_key = ANY($1::text[]) AND confirmed_at IS NOT NULL`,
      [emails],
    );
    return rows.map((row) => row.id);
  }

  /** Those of the accounts that work, with their first confirmed address. */
  addressees(accountIds: readonly number[]): Promise<Addressee[]> {
    return this.database.query<Addressee & Record<string, unknown>>(
      `SELECT a.id AS "accountId", a.name, a.lang, coalesce(l.value, '') AS email
         FROM accounts a
         LEFT JOIN LATERAL (
           SELECT value FROM logins WHERE account_id = a.id AND kind = 'email' AND confirmed_at IS NOT NULL ORDER BY created_at, id LIMIT 1) l ON true
        WHERE a.id = ANY($1::bigint[]) AND a.state = 'active' ORDER BY a.id`,
      [accountIds],
    );
  }
}
