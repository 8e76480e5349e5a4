import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { newId } from '#libs/kernel';

import type { NoticeRule } from '../notice-rules.js';

export interface NoticeToWrite {
  /** Each of them once. */
  readonly accountIds: readonly number[];
  /** Ties a question to its answer. */
  readonly hash: string;
  readonly path: string;
  readonly text: string;
}

/** What led to notices. */
export interface NoticeCause {
  readonly action: string;
  readonly actorId: number | null;
  readonly nowMs: number;
}

/** Rows of `notices`, written with the event they tell of. */
@Injectable()
export class NoticeWriter {
  constructor(private readonly database: Database) {}

  /** Applies the rule to the notices of these accounts; nobody is asked twice by one hash. At most two statements, however many notices. */
  async write(rule: NoticeRule, notices: readonly NoticeToWrite[], cause: NoticeCause): Promise<void> {
    const { actorId, nowMs } = cause;
    const rows = notices.flatMap(({ accountIds, ...notice }) => accountIds.map((accountId) => ({ accountId, ...notice })));
    if (rule === 'withdrawn') {
      await this.database.run(
        `DELETE FROM notices n USING unnest($1::text[], $2::bigint[]) AS w (hash, account_id)
          WHERE n.behavior = 'interactive' AND n.hash = w.hash AND n.account_id = w.account_id AND n.status = 'waiting'`,
        [rows.map((row) => row.hash), rows.map((row) => row.accountId)],
      );
    } else if (rule !== 'ask') {
      await this.database.run(
        `UPDATE notices SET status = $3, modified_ms = $4
          WHERE behavior = 'interactive' AND hash = ANY($1::text[]) AND account_id = $2 AND status = 'waiting'`,
        [[...new Set(notices.map((notice) => notice.hash))], actorId, rule, nowMs],
      );
    }
    const others = rows.filter((row) => row.accountId !== actorId);
    if (others.length > 0) await this.insert(rule === 'ask', others, cause);
  }

  /** A question that was asked before is asked anew. */
  private async insert(
    interactive: boolean,
    rows: readonly (Omit<NoticeToWrite, 'accountIds'> & { readonly accountId: number })[],
    { action, actorId, nowMs }: NoticeCause,
  ): Promise<void> {
    await this.database.run(
      `INSERT INTO notices (id, account_id, hash, action, behavior, status, actor_id, path, text, created_ms, modified_ms)
       SELECT n.id, n.account_id, n.hash, $6, CASE WHEN $7::boolean THEN 'interactive' ELSE 'static' END, CASE WHEN $7::boolean THEN 'waiting' ELSE 'new' END,
              $8, n.path, n.text, $9, $9
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[]) AS n (id, account_id, hash, path, text)
       ON CONFLICT (account_id, hash) WHERE behavior = 'interactive'
       DO UPDATE SET status = 'waiting', actor_id = excluded.actor_id, path = excluded.path, text = excluded.text,
                     created_ms = excluded.created_ms, modified_ms = excluded.modified_ms`,
      [
        rows.map(() => newId(nowMs)),
        rows.map((row) => row.accountId),
        rows.map((row) => row.hash),
        rows.map((row) => row.path),
        rows.map((row) => row.text),
        action,
        interactive,
        actorId,
        nowMs,
      ],
    );
  }
}
