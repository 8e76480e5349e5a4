import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

export type NoticeStatus = 'new' | 'viewed' | 'waiting' | 'declined' | 'accepted';
export type NoticeBehavior = 'interactive' | 'static';
export type NoticeType = 'global' | 'personal';

export interface NoticeFilter {
  readonly type?: NoticeType;
  readonly behavior?: NoticeBehavior;
  readonly status?: NoticeStatus;
}

export interface NoticeView {
  readonly id: string;
  readonly type: NoticeType;
  readonly behavior: NoticeBehavior;
  readonly status: NoticeStatus;
  /** Of the invitation or request that an interactive notice asks about. */
  readonly hash: string;
  readonly action: string;
  readonly actorId: number | null;
  readonly actorName: string;
  readonly path: string;
  readonly text: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

/** Rows of `notices` and `notice_views`, read. */
@Injectable()
export class NoticeRepository {
  constructor(private readonly database: Database) {}

  /** The newest notices of the account and of everybody; those for everybody count from the day the account was made. */
  async list(accountId: number, { type, behavior, status }: NoticeFilter, limit: number): Promise<NoticeView[]> {
    return this.database.query<NoticeView & Record<string, unknown>>(
      `SELECT * FROM (
         SELECT n.id, CASE WHEN n.account_id IS NULL THEN 'global' ELSE 'personal' END AS type, n.behavior,
                CASE WHEN v.notice_id IS NULL THEN n.status ELSE 'viewed' END AS status, n.hash, n.action, n.actor_id AS "actorId",
                coalesce(a.name, '') AS "actorName", n.path, n.text, n.created_ms AS "createdMs", n.modified_ms AS "modifiedMs"
           FROM notices n
           LEFT JOIN accounts a ON a.id = n.actor_id
           LEFT JOIN notice_views v ON v.notice_id = n.id AND v.account_id = $1
          WHERE n.account_id = $1
             OR (n.account_id IS NULL AND n.created_ms >= (SELECT extract(epoch FROM created_at) * 1000 FROM accounts WHERE id = $1))
       ) n
       WHERE ($2::text IS NULL OR type = $2) AND ($3::text IS NULL OR behavior = $3) AND ($4::text IS NULL OR status = $4)
       ORDER BY "createdMs" DESC, id DESC LIMIT $5`,
      [accountId, type ?? null, behavior ?? null, status ?? null, limit],
    );
  }

  /** Notes that the account has seen these new notices. */
  async markViewed(accountId: number, ids: readonly string[], nowMs: number): Promise<void> {
    await this.database.run(
      `WITH own AS (UPDATE notices SET status = 'viewed', modified_ms = $3 WHERE id = ANY($2::uuid[]) AND account_id = $1 AND status = 'new')
       INSERT INTO notice_views (notice_id, account_id) SELECT id, $1 FROM notices WHERE id = ANY($2::uuid[]) AND account_id IS NULL ON CONFLICT DO NOTHING`,
      [accountId, ids, nowMs],
    );
  }

  /** A static notice for everybody. */
  async insertGlobal(notice: {
    readonly id: string;
    readonly hash: string;
    readonly action: string;
    readonly actorId: number | null;
    readonly text: string;
    readonly nowMs: number;
  }): Promise<void> {
    const { id, hash, action, actorId, text, nowMs } = notice;
    await this.database.run(
      `INSERT INTO notices (id, account_id, hash, action, behavior, status, actor_id, path, text, created_ms, modified_ms)
       VALUES ($1, NULL, $2, $3, 'static', 'new', $4, '', $5, $6, $6)`,
      [id, hash, action, actorId, text, nowMs],
    );
  }

  /** Removes up to `limit` notices from before `beforeMs` that wait for no answer; returns how many. */
  async removeOld(beforeMs: number, limit: number): Promise<number> {
    return this.database.run(
      `DELETE FROM notices WHERE id = ANY(ARRAY(SELECT id FROM notices WHERE modified_ms < $1 AND status <> 'waiting' LIMIT $2))`,
      [beforeMs, limit],
    );
  }
}
