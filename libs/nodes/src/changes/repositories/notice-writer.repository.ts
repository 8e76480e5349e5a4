import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { newId } from '#libs/kernel';

import type { NoticeRule } from '../notice-rules.js';

export interface NoticeToWrite {
  readonly action: string;
  /** Ties a question to its answer. */
  readonly hash: string;
  readonly actorId: number | null;
  readonly path: string;
  readonly text: string;
  readonly nowMs: number;
}

/** Rows of `notices`, written with the event they tell of. */
@Injectable()
export class NoticeWriter {
  constructor(private readonly database: Database) {}

  /** Applies the rule to the notices of these accounts. At most two statements. */
  async write(rule: NoticeRule, accountIds: readonly number[], notice: NoticeToWrite): Promise<void> {
    const { hash, actorId, nowMs } = notice;
    const others = [...new Set(accountIds)].filter((id) => id !== actorId);
    if (rule === 'withdrawn') {
      await this.database.run(
        `DELETE FROM notices WHERE behavior = 'interactive' AND hash = $1 AND account_id = ANY($2::bigint[]) AND status = 'waiting'`,
        [hash, accountIds],
      );
    } else if (rule !== 'ask') {
      await this.database.run(
        `UPDATE notices SET status = $3, modified_ms = $4 WHERE behavior = 'interactive' AND hash = $1 AND account_id = $2 AND status = 'waiting'`,
        [hash, actorId, rule, nowMs],
      );
    }
    if (others.length > 0) await this.insert(rule === 'ask', others, notice);
  }

  /** A question that was asked before is asked anew. */
  private async insert(
    interactive: boolean,
    accountIds: readonly number[],
    { action, hash, actorId, path, text, nowMs }: NoticeToWrite,
  ): Promise<void> {
    await this.database.run(
      `INSERT INTO notices (id, account_id, hash, action, behavior, status, actor_id, path, text, created_ms, modified_ms)
       SELECT n.id, n.account_id, $3, $4, CASE WHEN $5::boolean THEN 'interactive' ELSE 'static' END, CASE WHEN $5::boolean THEN 'waiting' ELSE 'new' END,
              $6, $7, $8, $9, $9
         FROM unnest($1::uuid[], $2::bigint[]) AS n (id, account_id)
       ON CONFLICT (account_id, hash) WHERE behavior = 'interactive'
       DO UPDATE SET status = 'waiting', actor_id = excluded.actor_id, path = excluded.path, text = excluded.text,
                     created_ms = excluded.created_ms, modified_ms = excluded.modified_ms`,
      [accountIds.map(() => newId(nowMs)), accountIds, hash, action, interactive, actorId, path, text, nowMs],
    );
  }
}
