import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';
import { type JsonFacts, MAX_DEPTH } from '#libs/nodes';

import type { Bookmark, Position } from '../event.js';

/** One event as it stands in one feed of one viewer. */
export interface FeedRow extends Position {
  readonly eventId: string;
  readonly type: string;
  readonly actorId: number | null;
  readonly actorName: string | null;
  readonly nodeId: string | null;
  readonly path: string;
  readonly oldPath: string | null;
  readonly ownerName: string | null;
  readonly atMs: number;
  readonly facts: JsonFacts;
  /** Where the feed begins in the viewer's tree: empty for his own home. */
  readonly prefix: string;
}

/** A feed that a viewer may read now, with its next events or none. */
export interface ScopeRow {
  /** Place of the reader in the question, from 0. */
  readonly turn: number;
  readonly scopeId: string;
  readonly prefix: string;
  /** The snapshot that was read. */
  readonly window: string;
  readonly event: FeedRow | null;
}

/** What `list` and `count` look for. Absent = all. */
export interface EventFilter {
  readonly types?: readonly string[];
  readonly person?: 'me' | 'other';
  readonly fromMs?: number;
  readonly toMs?: number;
}

/**
 * The feeds of the readers `reader (turn, account_id, ...)`: the own home, and every shared folder whose invitation is accepted, from the
 * acceptance on and as long as a grant (his own, or of a group he is in now) is there. Paths go through the mount to where it stands now; one that
 * lies in the trash opens nothing.
 */
const SCOPES = `
  home AS (
    SELECT r.turn, r.account_id, s.id AS space_id FROM reader r JOIN spaces s ON s.account_id = r.account_id AND s.kind = 'account'
  ),
  mounted AS (
    SELECT h.turn, m.mount_of AS scope_id, m.id AS mount_id, coalesce(floor(extract(epoch FROM min(i.answered_at)) * 1000), 0)::bigint AS since_ms
      FROM home h
      JOIN nodes m ON m.space_id = h.space_id AND m.mount_of IS NOT NULL
      JOIN grants g ON g.node_id = m.mount_of
      JOIN invitations i ON i.grant_id = g.id AND i.account_id = h.account_id AND i.state = 'accepted'
     WHERE g.account_id = h.account_id
        OR EXISTS (SELECT 1 FROM group_members gm WHERE gm.group_id = g.group_id AND gm.account_id = h.account_id)
     GROUP BY h.turn, m.mount_of, m.id
  ),
  way AS (
    SELECT m.turn, m.scope_id, m.since_ms, n.parent_id, '/' || n.name AS prefix, n.removal IS NULL AS live, 0 AS depth
      FROM mounted m CROSS JOIN LATERAL (SELECT x.parent_id, x.name, x.removal FROM nodes x WHERE x.id = m.mount_id LIMIT 1) n
    UNION ALL
    SELECT w.turn, w.scope_id, w.since_ms, n.parent_id, CASE WHEN n.parent_id IS NULL THEN w.prefix ELSE '/' || n.name || w.prefix END,
           w.live AND n.removal IS NULL, w.depth + 1
      FROM way w CROSS JOIN LATERAL (SELECT x.parent_id, x.name, x.removal FROM nodes x WHERE x.id = w.parent_id LIMIT 1) n
     WHERE w.depth < ${MAX_DEPTH}
  ),
  scope AS (
    SELECT turn, space_id AS scope_id, 0::bigint AS since_ms, '' AS prefix FROM home
    UNION ALL SELECT turn, scope_id, since_ms, prefix FROM way WHERE parent_id IS NULL AND live
  )`;

const COLUMNS = `e.xid::text AS xid, e.seq::text AS seq, e.event_id AS "eventId", e.type, e.actor_id AS "actorId", a.name AS "actorName", e.node_id AS "nodeId",
  e.path, e.old_path AS "oldPath", o.name AS "ownerName", e.at_ms AS "atMs", e.facts`;

const NAMES = `LEFT JOIN accounts a ON a.id = e.actor_id LEFT JOIN accounts o ON o.id = (e.facts ->> 'owner')::bigint`;

// A row is new to a reader when its transaction was not committed in the reader's base. The oldest that may be new is where the index scan begins,
// said as one condition: of two, PostgreSQL may begin at the weaker one.
const AFTER = `
  WITH RECURSIVE asked AS MATERIALIZED (
    SELECT (r.turn - 1)::int AS turn, r.account_id, r.base::pg_snapshot AS base, coalesce(r.page::pg_snapshot, pg_current_snapshot()) AS page, r.xid, r.seq
      FROM unnest($1::bigint[], $2::text[], $3::text[], $4::xid8[], $5::bigint[]) WITH ORDINALITY AS r (account_id, base, page, xid, seq, turn)
  ),
  reader AS MATERIALIZED (
    SELECT turn, account_id, base, page, greatest(xid, pg_snapshot_xmin(base)) AS xid, CASE WHEN xid >= pg_snapshot_xmin(base) THEN seq ELSE 0 END AS seq FROM asked
  ), ${SCOPES}
  SELECT sc.turn, sc.scope_id AS "scopeId", sc.prefix, r.page::text AS "window", ${COLUMNS}
    FROM scope sc JOIN reader r ON r.turn = sc.turn
    LEFT JOIN LATERAL (
      SELECT * FROM change_events c
       WHERE c.scope_id = sc.scope_id AND (c.xid, c.seq) > (r.xid, r.seq) AND c.at_ms >= sc.since_ms
         AND NOT pg_visible_in_snapshot(c.xid, r.base) AND pg_visible_in_snapshot(c.xid, r.page)
       ORDER BY c.xid, c.seq LIMIT $6
    ) e ON true
    ${NAMES}
   ORDER BY sc.turn, e.xid, e.seq`;

// $1 = the account, $2 types, $3 person, $4 from, $5 to, $6 and $7 the position that all come before
const KEYS = `
  WITH RECURSIVE reader AS MATERIALIZED (SELECT 0 AS turn, $1::bigint AS account_id), ${SCOPES},
  found AS (
    SELECT e.*
      FROM scope sc
     CROSS JOIN LATERAL (
       SELECT c.xid, c.seq, c.type, c.facts ->> 'half' AS half, c.facts ->> 'whole' AS whole
         FROM change_events c
        WHERE c.scope_id = sc.scope_id AND c.at_ms >= greatest(sc.since_ms, $4::bigint) AND ($5::bigint IS NULL OR c.at_ms <= $5)
          AND ($2::text[] IS NULL OR c.type = ANY($2) OR c.facts ->> 'whole' = ANY($2))
          AND CASE $3::text WHEN 'me' THEN c.actor_id = $1 WHEN 'other' THEN c.actor_id IS DISTINCT FROM $1 ELSE true END
          AND ($6::xid8 IS NULL OR (c.xid, c.seq) < ($6::xid8, $7::bigint))
        ORDER BY c.xid DESC, c.seq DESC LIMIT $8
     ) e
  ),
  event AS (
    SELECT xid, seq FROM found GROUP BY xid, seq
    HAVING $2::text[] IS NULL OR CASE WHEN bool_or(half IS NULL) THEN max(type) FILTER (WHERE half IS NULL)
                                      WHEN count(DISTINCT half) = 2 THEN max(whole) ELSE max(type) END = ANY($2)
  )`;

const LIST = `${KEYS},
  page AS (SELECT xid, seq FROM event ORDER BY xid DESC, seq DESC OFFSET $9 LIMIT $10)
  SELECT sc.prefix, ${COLUMNS}
    FROM page p CROSS JOIN scope sc
    JOIN change_events e ON e.scope_id = sc.scope_id AND e.xid = p.xid AND e.seq = p.seq AND e.at_ms >= sc.since_ms
    ${NAMES}
   ORDER BY e.xid DESC, e.seq DESC`;

const COUNT = `${KEYS} SELECT count(*) AS total FROM event`;

/** Reads feeds of changes for persons. */
@Injectable()
export class FeedRepository {
  constructor(private readonly database: Database) {}

  /** The feeds of each reader and up to `limit` rows of each feed that the reader has not been given, in order. Readers without a home are absent. */
  async after(readers: readonly (Bookmark & { readonly accountId: number })[], limit: number): Promise<ScopeRow[]> {
    const rows = await this.database.query<FeedRow & { turn: number; scopeId: string; window: string }>(AFTER, [
      readers.map((reader) => reader.accountId),
      readers.map((reader) => reader.base),
      readers.map((reader) => reader.page?.window ?? null),
      readers.map((reader) => reader.page?.after.xid ?? '0'),
      readers.map((reader) => reader.page?.after.seq ?? '0'),
      limit,
    ]);
    return rows.map(({ turn, scopeId, window, ...row }) => ({
      turn,
      scopeId,
      prefix: row.prefix,
      window,
      event: (row.xid as string | null) === null ? null : row,
    }));
  }

  /** Rows of one page of events, newest first; an event has one row for each feed of the viewer that it stands in. */
  async page(
    accountId: number,
    filter: EventFilter,
    page: { readonly skip: number; readonly limit: number; readonly before?: Position },
  ): Promise<FeedRow[]> {
    const { skip, limit, before } = page;
    // halves of a move are judged together, so with types the rows of one feed do not tell where a page ends
    const perFeed = filter.types ? null : skip + limit;
    return this.database.query<FeedRow & Record<string, unknown>>(LIST, [...keyValues(accountId, filter, before), perFeed, skip, limit]);
  }

  async count(accountId: number, filter: EventFilter): Promise<number> {
    return (await this.database.queryOne<{ total: number }>(COUNT, [...keyValues(accountId, filter), null]))?.total ?? 0;
  }

  /** All that is committed now, as a snapshot. */
  async snapshot(): Promise<string> {
    const row = await this.database.queryOne<{ snapshot: string }>('SELECT pg_current_snapshot()::text AS snapshot');
    return row!.snapshot;
  }

  /** A snapshot before the last event in any feed of the account that is older than `beforeMs`; one before everything when there is none. */
  async snapshotBefore(accountId: number, beforeMs: number): Promise<string> {
    const row = await this.database.queryOne<{ xid: string }>(
      `WITH RECURSIVE reader AS MATERIALIZED (SELECT 0 AS turn, $1::bigint AS account_id), ${SCOPES}
       SELECT max(e.xid)::text AS xid
         FROM scope sc
        CROSS JOIN LATERAL (SELECT c.xid FROM change_events c WHERE c.scope_id = sc.scope_id AND c.at_ms < $2 ORDER BY c.xid DESC, c.seq DESC LIMIT 1) e
       HAVING count(*) > 0`,
      [accountId, beforeMs],
    );
    const xid = row?.xid ?? '1';
    return `${xid}:${xid}:`;
  }

  /** Removes up to `limit` rows of events from before `beforeMs`; returns how many. */
  async removeOld(beforeMs: number, limit: number): Promise<number> {
    return this.database.run('DELETE FROM change_events WHERE ctid = ANY(ARRAY(SELECT ctid FROM change_events WHERE at_ms < $1 LIMIT $2))', [
      beforeMs,
      limit,
    ]);
  }
}

function keyValues(accountId: number, { types, person, fromMs, toMs }: EventFilter, before?: Position): unknown[] {
  return [accountId, types ?? null, person ?? null, fromMs ?? 0, toMs ?? null, before?.xid ?? null, before?.seq ?? null];
}
