import { MAX_DEPTH } from '../../node.js';
import type { JsonFacts } from '../change.js';

/** One change as a row of `news`; the names are those of its columns. */
export interface ChangeItem {
  readonly event_id: string;
  readonly type: string;
  readonly actor_id: number | null;
  readonly node_id: string;
  readonly at_ms: number;
  /** The folder that the way up begins at, and the path below it. */
  readonly start_id: string;
  readonly tail: string;
  readonly facts: JsonFacts;
  /** Moves and renames: the place before, and the types for feeds that have one of the two places only. */
  readonly old_start_id: string | null;
  readonly old_tail: string | null;
  readonly arrived_type: string | null;
  readonly left_type: string | null;
  /** The space whose shared folders may lie in what comes or goes; null: nothing below is concerned. */
  readonly below_space_id: string | null;
}

/** Changes on their way to the statement that writes them into the feeds: the JSON of ChangeItems. Null: there is nothing to tell. */
export type News = string | null;

// Pieces of statements that write changes into the feeds they belong to. Rows of one change have one `seq` in all feeds, so that a reader of
// several feeds sees it once and continues behind it.

export const FEED_COLUMNS = 'scope_id, seq, event_id, type, actor_id, node_id, path, old_path, at_ms, facts';

/** `news`: the changes of the parameter `json`. */
export const newsFrom = (json: string): string => `
  news AS MATERIALIZED (
    SELECT i.*, nextval('change_events_seq_seq') AS seq FROM json_to_recordset(${json}::json) AS i (
      event_id uuid, type text, actor_id bigint, node_id uuid, at_ms bigint, start_id uuid, tail text, facts jsonb,
      old_start_id uuid, old_tail text, arrived_type text, left_type text, below_space_id uuid)
  )`;

const ROW = 'n.id, n.parent_id, n.space_id, n.shared, n.name';

/** One lookup by key for each step, also while the table is young and without statistics. */
const byKey = (id: string): string => `CROSS JOIN LATERAL (SELECT ${ROW} FROM nodes n WHERE n.id = ${id} LIMIT 1) n`;

/** `feed`: the feeds above (and at) each place: shared folders, and the space at the root. */
export const feedsAbove = (places: string): string => `
  way AS (
    SELECT p.start_id, n.*, '' AS prefix, 0 AS depth FROM (${places}) p ${byKey('p.start_id')}
    UNION ALL
    SELECT w.start_id, n.*, '/' || w.name || w.prefix, w.depth + 1 FROM way w ${byKey('w.parent_id')} WHERE w.depth < ${MAX_DEPTH}
  ),
  feed AS (
    SELECT start_id, id AS scope_id, prefix FROM way WHERE shared
    UNION ALL SELECT start_id, space_id, prefix FROM way WHERE parent_id IS NULL
  )`;

/** The path in a feed. */
export const feedPath = (text: string): string => `coalesce(nullif(${text}, ''), '/')`;

/**
 * CTEs of a WITH RECURSIVE that write the changes of the parameter `json` (a News) where nothing was before and nothing is below; `written` has
 * the feeds. With `done`, the name of a CTE of the same statement with `id` and `facts`, only what that holds is told, with those facts (or
 * null) in place of what its caller took for them: there is no news of what was not done. The way up is the one before the statement.
 */
export function plainNews(json: string, done?: string): string {
  return `${newsFrom(json)}, ${feedsAbove('SELECT DISTINCT start_id FROM news')},
  written AS (
    INSERT INTO change_events (${FEED_COLUMNS}) OVERRIDING SYSTEM VALUE
    SELECT f.scope_id, i.seq, i.event_id, i.type, i.actor_id, i.node_id, ${feedPath('f.prefix || i.tail')}, NULL, i.at_ms,
           ${done === undefined ? 'i.facts' : `i.facts || coalesce(d.facts, '{}')`}
      FROM news i JOIN feed f ON f.start_id = i.start_id${done === undefined ? '' : ` JOIN ${done} d ON d.id = i.node_id`}
    RETURNING scope_id
  )`;
}

/** Facts of a file `n` that only the statement knows that writes a version of it, because others may have been writing before. */
export const VERSION_FACTS = `jsonb_build_object('version', n.current_version_no, 'created', n.created_ms)`;

/** The feeds with something new, as one value. */
export const WOKEN_FEEDS = `(SELECT array_agg(DISTINCT scope_id) FROM written)`;
