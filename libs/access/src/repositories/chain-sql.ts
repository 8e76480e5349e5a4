/** Recursive queries end here; a tree is not deeper. */
const MAX_DEPTH = 128;

/** One lookup by key for each step, also while the table is young and without statistics. */
const byKey = (id: string): string =>
  `CROSS JOIN LATERAL (SELECT n.id, n.space_id, n.parent_id, n.removal FROM nodes n WHERE n.id = ${id} LIMIT 1) n`;

/**
 * Common table expressions (after WITH RECURSIVE) over the ways up from the nodes `$1::uuid[]`: `way` has a row for every node and each of its
 * ancestors, itself with depth 0. `open`: the ancestor and all above it are in place. `live`: so is the whole way. `gone`: something on it is being
 * erased or not finished.
 */
export const WAYS_UP = `
  up AS (
    SELECT n.id AS start, n.*, 0 AS depth FROM (SELECT DISTINCT unnest($1::uuid[]) AS id) a ${byKey('a.id')}
    UNION ALL
    SELECT u.start, n.*, u.depth + 1 FROM up u ${byKey('u.parent_id')} WHERE u.depth < ${MAX_DEPTH}
  ), way AS (
    SELECT start, id, space_id, depth,
           bool_and(removal IS NULL) OVER (PARTITION BY start ORDER BY depth DESC) AS open,
           bool_and(removal IS NULL) OVER (PARTITION BY start) AS live,
           bool_or(coalesce(removal, '') IN ('purging', 'staged')) OVER (PARTITION BY start) AS gone
      FROM up
  )`;

/** Joins to a grant `g` the accepted answer `i` of each person whom it counts for: his own grant, or one of a group that he is in now. */
export const ACCEPTED = `
  JOIN invitations i ON i.grant_id = g.id AND i.state = 'accepted'
   AND (g.account_id = i.account_id OR EXISTS (SELECT 1 FROM group_members m WHERE m.group_id = g.group_id AND m.account_id = i.account_id))`;
