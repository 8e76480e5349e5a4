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

const PERSONAL = `
  WITH news AS MATERIALIZED (
    SELECT i.*, nextval('change_events_seq_seq') AS seq FROM json_to_recordset($1::json) AS i (
      event_id uuid, type text, actor_id bigint, node_id uuid, path text, at_ms bigint, facts jsonb, account_ids bigint[])
  ),
  home AS (
    SELECT n.*, s.id AS scope_id, s.account_id
      FROM news n CROSS JOIN LATERAL unnest(n.account_ids) AS a (id) JOIN spaces s ON s.account_id = a.id AND s.kind = 'account'
  ),
  written AS (
    INSERT INTO change_events (${FEED_COLUMNS}) OVERRIDING SYSTEM VALUE
    SELECT scope_id, seq, event_id, type, actor_id, node_id, path, NULL, at_ms, facts FROM home
  )
  SELECT DISTINCT account_id AS "accountId", scope_id AS "scopeId" FROM home`;

/** An event of persons as a row of `news`: no way up, the feeds are known. */
export interface PersonalItem {
  readonly event_id: string;
  readonly type: string;
  readonly actor_id: number | null;
  readonly node_id: string | null;
  readonly path: string;
  readonly at_ms: number;
  readonly facts: JsonFacts;
  /** Each of them once. */
  readonly account_ids: readonly number[];
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

  /** Writes each event into the feeds of the home spaces of its accounts; returns the accounts that have a home, and its feed. One statement. */
  async insertPersonal(items: readonly PersonalItem[]): Promise<Map<number, string>> {
    const rows = await this.database.query<{ accountId: number; scopeId: string }>(PERSONAL, [JSON.stringify(items)]);
    return new Map(rows.map((row) => [row.accountId, row.scopeId]));
  }
}
