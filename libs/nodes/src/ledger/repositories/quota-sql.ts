/**
 * The rows that the bytes of an account count in, its own and its company's, as a FROM item `o (owner_kind, owner_id)`. `account` is a SQL
 * expression of ours, never text from outside.
 */
export function quotaOwners(account: string): string {
  return `(SELECT 'account' AS owner_kind, ${account}::bigint AS owner_id
           UNION ALL SELECT 'company', company_id FROM accounts WHERE id = ${account} AND company_id IS NOT NULL) o`;
}

/**
 * The same rows of `quotas` as a FROM item `q`, locked: the account first, then the company. One lookup by key each: a join would be
 * planned as a scan of the whole table for as long as the table is young and without statistics.
 */
export function lockedQuotas(account: string): string {
  return `${quotaOwners(account)}
      CROSS JOIN LATERAL (SELECT * FROM quotas x WHERE x.owner_kind = o.owner_kind AND x.owner_id = o.owner_id LIMIT 1 FOR UPDATE) q`;
}

/** Limit of the quota row `q`. Without one, sums still end where a number stops being exact: announced sizes are whatever a client says. */
export const BYTE_LIMIT = `coalesce(q.limit_bytes, ${Number.MAX_SAFE_INTEGER})`;
