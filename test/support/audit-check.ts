import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import pg from 'pg';

/**
 * Tables whose changes prove nothing. Counters, caches and records are beside calls. The tree, its ledgers and feeds are also changed by bytes that arrive at signed
 * URLs, by homes that come with the first use, and by later transactions of a call (copies, uploads in parts): there the numbers of calls and records are
 * compared alone, and test/integration/audit.int-spec.ts shows that the record is in the transaction.
 */
const NOT_WATCHED = new Set([
  ...[
    'limiter_slots',
    'login_guards',
    'second_factor_uses',
    'oauth_nonces',
    'audit_records',
    'audit_heads',
    'schema_migrations',
    'subscribe_tickets',
    'outbox',
    'tasks',
  ],
  ...[
    'nodes',
    'versions',
    'blobs',
    'blob_candidates',
    'quotas',
    'spaces',
    'change_events',
    'upload_sessions',
    'object_tombstones',
    'derived_objects',
  ],
  ...['notices', 'notice_views', 'previews', 'preview_turns', 'preview_scan', 'renditions', 'quota_days', 'account_days', 'analytics_figures'],
]);
/** Times of activity, written for everybody once a second. */
const ACTIVITY = '^UPDATE (accounts SET last_activity_at|auth_tokens SET last_used_at) =';
const SETTLE_MS = 10_000;

/** From now on the database notes which transactions of api processes change which tables. Called before the processes start. */
export async function watchWrites(adminUrl: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    await client.query(`
      CREATE UNLOGGED TABLE test_writes (xid xid8, relation text, PRIMARY KEY (xid, relation));
      CREATE FUNCTION test_note_write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          IF current_setting('application_name') = 'stowage-api' AND current_query() !~ '${ACTIVITY}' THEN
            INSERT INTO test_writes VALUES (pg_current_xact_id(), TG_TABLE_NAME) ON CONFLICT DO NOTHING;
          END IF;
          RETURN NULL;
        END
      $$;
    `);
    const { rows } = await client.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'test_writes'`,
    );
    for (const { name } of rows) {
      if (NOT_WATCHED.has(name)) continue;
      await client.query(`CREATE TRIGGER zz_test_note AFTER INSERT OR UPDATE OR DELETE ON "${name}" FOR EACH ROW EXECUTE FUNCTION test_note_write()`);
    }
  });
}

/**
 * What does not hold between the calls that the api processes count and the records in the database: each call that may change something, granted or a refused sign-in,
 * has exactly one record. `strict`: also no call was refused after it had changed something, and no transaction changed a watched table without a
 * record; for tests whose calls need one transaction each. Empty when all is well.
 */
export async function auditDefects(baseUrls: readonly string[], adminUrl: string, { strict = false, settleMs = SETTLE_MS } = {}): Promise<string[]> {
  return withClient(adminUrl, async (client) => {
    for (const deadline = Date.now() + settleMs; ;) {
      const calls = await countedCalls(baseUrls).catch(() => null);
      // a process that is gone has taken its counts along
      if (calls === null) return [];
      const defects = [...(await wrongCounts(client, calls)), ...(strict ? [...undone(calls), ...(await silentWrites(client))] : [])];
      if (defects.length === 0) await noteRecorded(client);
      // calls whose client went away may still be ending
      if (defects.length === 0 || Date.now() > deadline) return defects;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });
}

/** Adds what was recorded rightly to what the e2e files of this run have recorded together; see scripts/audit-coverage.mjs. */
async function noteRecorded(client: pg.Client): Promise<void> {
  const folder = process.env.STOWAGE_TEST_AUDIT_DIR;
  if (!folder) return;
  const { rows } = await client.query<{ action: string }>(
    `SELECT DISTINCT dialect || ' ' || action AS action FROM audit_records WHERE outcome <> 'refused'`,
  );
  await writeFile(join(folder, `${randomUUID()}.json`), JSON.stringify(rows.map(({ action }) => action)));
}

interface Counted {
  readonly action: string;
  readonly result: string;
  readonly count: number;
}

async function countedCalls(baseUrls: readonly string[]): Promise<Counted[]> {
  const pages = await Promise.all(baseUrls.map(async (url) => (await fetch(`${url}/metrics`)).text()));
  return pages
    .flatMap((page) => [...page.matchAll(/^stowage_audited_calls_total\{action="([^"]*)",result="([^"]*)"\} (\d+)$/gm)])
    .map(([, action, result, count]) => ({ action: action!, result: result!, count: Number(count) }));
}

async function wrongCounts(client: pg.Client, calls: readonly Counted[]): Promise<string[]> {
  const expected = new Map<string, number>();
  for (const { action, result, count } of calls) if (result !== 'passed over') expected.set(action, (expected.get(action) ?? 0) + count);
  const { rows } = await client.query<{ action: string; count: string }>('SELECT action, count(*) FROM audit_records GROUP BY action');
  const found = new Map(rows.map(({ action, count }) => [action, Number(count)]));
  const wrong = [...new Set([...expected.keys(), ...found.keys()])].filter((action) => (expected.get(action) ?? 0) !== (found.get(action) ?? 0));
  return wrong.map((action) => `${action}: ${expected.get(action) ?? 0} calls and ${found.get(action) ?? 0} audit records`);
}

function undone(calls: readonly Counted[]): string[] {
  const late = calls.filter(({ result, count }) => result === 'undone' && count > 0);
  return late.map(({ action, count }) => `${action}: ${count} calls were refused after they had changed something`);
}

async function silentWrites(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ tables: string; count: string }>(`
    SELECT tables, count(*) FROM (
      SELECT w.xid, string_agg(w.relation, '+' ORDER BY w.relation) AS tables FROM test_writes w
       WHERE NOT EXISTS (SELECT 1 FROM audit_records r WHERE r.xid = w.xid) GROUP BY w.xid
    ) s GROUP BY tables ORDER BY tables`);
  return rows.map(({ tables, count }) => `${count} transactions without an audit record changed ${tables}`);
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
