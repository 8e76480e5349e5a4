import { Injectable } from '@nestjs/common';

import { Database } from '#libs/database';

/** A column whose rows say that they end with an account (ON DELETE CASCADE). */
interface OwnedColumn {
  readonly relation: string;
  readonly column: string;
}

/** Rows that stay although they say that they end with the account. */
const KEPT: ReadonlySet<string> = new Set([
  // what somebody said about a file of others stays, by nobody
  'comments.author_id',
]);
/** Conditions on rows that go; all of them where there is none. `$2` is the task that erases. */
const CONDITIONS: Readonly<Record<string, string>> = {
  // a device that has yet to hear that it is to wipe itself
  'auth_tokens.account_id': 'AND NOT t.remote_wipe',
  'tasks.account_id': 'AND t.id <> $2::uuid',
};
const EVENTS_A_BATCH = 2_000;

/** Facts of events that name a person, each with the fact that says who it is. */
const NAMED: readonly (readonly [id: string, name: string])[] = [
  ['collab_id', 'collab_name'],
  ['owner', 'owner_name'],
  ['receiver_id', 'receiver_name'],
];
const NAMES_HIM = NAMED.map(([id, name]) => `(e.facts -> '${id}' = to_jsonb($1::bigint) AND e.facts ->> '${name}' <> '')`).join(' OR ');
const WITHOUT_HIM = NAMED.map(
  ([id, name]) => `CASE WHEN e.facts -> '${id}' = to_jsonb($4::bigint) AND e.facts ? '${name}' THEN '{"${name}": ""}'::jsonb ELSE '{}' END`,
).join(' || ');

/**
 * What the tables hold of a person. Which tables those are is read from the database itself: every column that references an account and says that its
 * rows end with it, so that a table made tomorrow is not forgotten.
 */
@Injectable()
export class PersonalDataRepository {
  constructor(private readonly database: Database) {}

  /** Table and column of everything that ends with an account, but what stays on purpose. */
  async owned(): Promise<OwnedColumn[]> {
    const columns = await this.database.query<{ relation: string; column: string }>(
      `SELECT c.conrelid::regclass::text AS relation, quote_ident(a.attname) AS column
         FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND c.confrelid = 'accounts'::regclass AND c.confdeltype = 'c' AND array_length(c.conkey, 1) = 1 ORDER BY 1, 2`,
    );
    return columns.filter(({ relation, column }) => !KEPT.has(`${relation}.${column}`));
  }

  /** Deletes the account's rows of such a column, but the task that does it. Names come from the catalogue of the database, which has quoted them. */
  async deleteOwned({ relation, column }: OwnedColumn, accountId: number, taskId: string): Promise<void> {
    const condition = CONDITIONS[`${relation}.${column}`] ?? '';
    const values = condition.includes('$2') ? [accountId, taskId] : [accountId];
    await this.database.run(`DELETE FROM ${relation} t WHERE t.${column} = $1 ${condition}`, values);
  }

  /** Takes from devices that have yet to be wiped what describes them. */
  async forgetDevices(accountId: number): Promise<void> {
    await this.database.run(
      `UPDATE auth_tokens SET device_description = '', user_agent = '', ip = NULL WHERE account_id = $1 AND remote_wipe AND wiped_at IS NULL`,
      [accountId],
    );
    await this.database.run('DELETE FROM auth_tokens WHERE account_id = $1 AND wiped_at IS NOT NULL', [accountId]);
  }

  /** Ends the tokens of erased accounts whose devices have been wiped, or have not been heard of since `silentSince`. */
  async endDevices(silentSince: Date): Promise<void> {
    await this.database.run(
      `DELETE FROM auth_tokens t USING accounts a WHERE a.id = t.account_id AND a.erased_at IS NOT NULL AND (t.wiped_at IS NOT NULL OR a.erased_at <= $1)`,
      [silentSince],
    );
  }

  /** Ends what was counted of tries at the account's logins: before the logins go. */
  async forgetTries(accountId: number): Promise<void> {
    await this.database.run(`DELETE FROM login_guards g USING logins l WHERE l.account_id = $1 AND g.login_key = l.kind || ':' || l.value_key`, [
      accountId,
    ]);
  }

  /** Notices to others about what the person did, and what he told the house. */
  async forgetWords(accountId: number): Promise<void> {
    await this.database.run('DELETE FROM notices WHERE actor_id = $1', [accountId]);
    await this.database.run('DELETE FROM feedback WHERE account_id = $1', [accountId]);
    await this.database.run('DELETE FROM former_passwords WHERE account_id = $1', [accountId]);
    await this.database.run('DELETE FROM preview_turns WHERE tenant_id = -$1::bigint', [accountId]);
  }

  /** Archives, listings and logs that were made for the account end now. */
  async expireObjects(accountId: number, now: Date): Promise<void> {
    await this.database.run(
      `UPDATE derived_objects SET ready = false, expires_at = least(expires_at, $2) WHERE account_id = $1 AND kind NOT IN ('rendition', 'logo')`,
      [accountId, now],
    );
  }

  /**
   * Lets the leases of uploads end that the account brings, or that go into its space. True when bytes of one of them may still be on their way: its
   * object must not be deleted at once.
   */
  async endUploads(accountId: number, spaceId: string | null, now: Date): Promise<boolean> {
    const rows = await this.database.query<{ open: boolean }>(
      `UPDATE upload_sessions SET lease_until = $3 WHERE account_id = $1 OR space_id = $2
       RETURNING state = 'reserved' AND opened_at IS NOT NULL AS open`,
      [accountId, spaceId, now],
    );
    return rows.some((row) => row.open);
  }

  /** Deletes some events of the feed of a space, or of the folders in it; how many. */
  deleteFeeds(spaceId: string): Promise<number> {
    return this.database.run(
      `DELETE FROM change_events d WHERE d.ctid = ANY (ARRAY(
         SELECT e.ctid FROM (SELECT $1::uuid AS id UNION ALL SELECT n.id FROM nodes n WHERE n.space_id = $1 AND n.kind = 'folder') f
           JOIN change_events e ON e.scope_id = f.id LIMIT $2))`,
      [spaceId, EVENTS_A_BATCH],
    );
  }

  /** Takes the person's name out of some events in the feeds of others; how many. The search holds no reader of feeds up: it writes nothing. */
  async forgetName(accountId: number): Promise<number> {
    const found = await this.database.query<{ scope: string; xid: string; seq: string }>(
      `SELECT e.scope_id AS scope, e.xid::text AS xid, e.seq::text AS seq FROM change_events e WHERE ${NAMES_HIM} LIMIT $2`,
      [accountId, EVENTS_A_BATCH],
    );
    if (found.length === 0) return 0;
    await this.database.run(
      `UPDATE change_events e SET facts = e.facts || ${WITHOUT_HIM}
         FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS k (scope_id, xid, seq) WHERE e.scope_id = k.scope_id AND e.xid = k.xid::xid8 AND e.seq = k.seq`,
      [found.map((key) => key.scope), found.map((key) => key.xid), found.map((key) => key.seq), accountId],
    );
    return found.length;
  }
}
