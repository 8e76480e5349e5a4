/**
 * The rows that the bytes of an account count in, its own and its company's, as a FROM item `o (owner_kind, owner_id)`. `account` is a SQL
 * expression of ours, never text from outside.
 */
export function quotaOwners(account: string): string {
  return `(SELECT 'account' AS owner_kind, ${account}::bigint AS owner_id
           UNION ALL SELECT 'company', company_id FROM accounts WHERE id = ${account} AND company_id IS NOT NULL) o`;
}
