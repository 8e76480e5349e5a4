import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

import { MAX_DEPTH } from '../../node.js';
import type { JsonFacts } from '../change.js';
import { type ChangeItem, FEED_COLUMNS, feedPath, feedsAbove, newsFrom, plainNews } from './feed-sql.js';

// Statements are put together once, here, from constant pieces: $1 = the changes as JSON.

const WOKEN = 'SELECT DISTINCT scope_id AS "scopeId" FROM written';

const PLAIN = `WITH RECURSIVE ${plainNews('$1')} ${WOKEN}`;

/** Shared folders in what comes or goes, with nothing between that is removed by itself: for their members the whole folder comes or goes. */
const BELOW = `
  shared_way AS (
    SELECT s.scope_id, s.id, s.parent_id, true AS open, s.removed, 0 AS depth
      FROM (SELECT DISTINCT below_space_id AS space_id FROM news WHERE below_space_id IS NOT NULL) d
     CROSS JOIN LATERAL (SELECT n.id AS scope_id, n.id, n.parent_id, n.removal IS NOT NULL AS removed FROM nodes n WHERE n.space_id = d.space_id AND n.shared) s
    UNION ALL
    SELECT w.scope_id, n.id, n.parent_id, w.open AND NOT w.removed, n.removed, w.depth + 1
      FROM shared_way w CROSS JOIN LATERAL (SELECT n.id, n.parent_id, n.removal IS NOT NULL AS removed FROM nodes n WHERE n.id = w.parent_id LIMIT 1) n
     WHERE w.depth < ${MAX_DEPTH}
  )`;

const ANY = `
  WITH RECURSIVE ${newsFrom('$1')},
  ${feedsAbove('SELECT start_id FROM news UNION SELECT old_start_id FROM news WHERE old_start_id IS NOT NULL')},
  ${BELOW},
  place AS (
    SELECT seq, scope_id, here.path, there.path AS old_path
      FROM (SELECT i.seq, f.scope_id, ${feedPath('f.prefix || i.tail')} AS path FROM news i JOIN feed f ON f.start_id = i.start_id) here
      FULL JOIN (SELECT i.seq, f.scope_id, ${feedPath('f.prefix || i.old_tail')} AS path FROM news i JOIN feed f ON f.start_id = i.old_start_id) there USING (seq, scope_id)
    UNION
    SELECT i.seq, w.scope_id, '/', NULL FROM news i JOIN shared_way w ON w.id = i.node_id AND w.open WHERE i.below_space_id IS NOT NULL
  ),
  written AS (
    INSERT INTO change_events (${FEED_COLUMNS}) OVERRIDING SYSTEM VALUE
    SELECT p.scope_id, i.seq, i.event_id,
           CASE WHEN i.old_start_id IS NULL OR (p.path IS NOT NULL AND p.old_path IS NOT NULL) THEN i.type WHEN p.path IS NULL THEN i.left_type ELSE i.arrived_type END,
           i.actor_id, i.node_id, coalesce(p.path, p.old_path), CASE WHEN p.path IS NOT NULL THEN p.old_path END, i.at_ms,
           CASE WHEN i.old_start_id IS NULL OR (p.path IS NOT NULL AND p.old_path IS NOT NULL) THEN i.facts
                ELSE i.facts || jsonb_build_object('half', CASE WHEN p.path IS NULL THEN 'left' ELSE 'arrived' END, 'whole', i.type) END
      FROM place p JOIN news i ON i.seq = p.seq
    RETURNING scope_id
  )
  ${WOKEN}`;

/** An event of persons: no way up, the feeds are known. */
export interface PersonalItem {
  readonly eventId: string;
  readonly type: string;
  readonly actorId: number | null;
  readonly nodeId: string | null;
  readonly path: string;
  readonly atMs: number;
  readonly facts: JsonFacts;
}

/** Rows of `change_events`, written. */
@Injectable()
export class ChangeRepository {
  constructor(private readonly database: Database) {}

  /** Writes the changes into every feed they belong to; returns the feeds. One statement. */
  async insert(items: readonly ChangeItem[]): Promise<string[]> {
    const plain = items.every((item) => item.old_start_id === null && item.below_space_id === null);
    const rows = await this.database.query<{ scopeId: string }>(plain ? PLAIN : ANY, [JSON.stringify(items)]);
    return rows.map((row) => row.scopeId);
  }

  /** Writes one event into the feeds of the home spaces of these accounts; returns the accounts that have a home, and its feed. */
  async insertPersonal(
    accountIds: readonly number[],
    { eventId, type, actorId, nodeId, path, atMs, facts }: PersonalItem,
  ): Promise<Map<number, string>> {
    const rows = await this.database.query<{ accountId: number; scopeId: string }>(
      `WITH home AS (SELECT id, account_id FROM spaces WHERE account_id = ANY($1::bigint[]) AND kind = 'account'),
       written AS (
         INSERT INTO change_events (${FEED_COLUMNS}) OVERRIDING SYSTEM VALUE
         SELECT h.id, e.seq, $2, $3, $4, $5, $6, NULL, $7, $8::jsonb FROM home h, (SELECT nextval('change_events_seq_seq') AS seq) e
       )
       SELECT account_id AS "accountId", id AS "scopeId" FROM home`,
      [accountIds, eventId, type, actorId, nodeId, path, atMs, JSON.stringify(facts)],
    );
    return new Map(rows.map((row) => [row.accountId, row.scopeId]));
  }
}
