import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { CloudikeUser } from '../support/cloudike-user.js';
import { type Stack, startStack } from '../support/stack.js';
import { seeded } from '../support/torture.js';
import { type FaultServices, startFaultServices } from './fault-services.js';
import { isReady, Lane } from './lane.js';

const LANES = 4;

export interface FaultReport {
  readonly kills: Readonly<Record<string, number>>;
  /** Operations that were answered with success. */
  readonly acknowledged: number;
  /** Operations without an answer: a kill hit them. */
  readonly cutOff: number;
  /** Everything acknowledged that is lost or altered, everything visible that is not whole, and every rule of the ledgers that does not hold. */
  readonly violations: readonly string[];
}

/** Kills api, worker, PostgreSQL and Redis `kills` times at random moments under load, lets everything recover, and compares the end with what was acknowledged. */
export async function runFaults(options: { kills: number; seed: number; redis: boolean; say: (line: string) => void }): Promise<FaultReport> {
  const random = seeded(options.seed);
  const services = await startFaultServices(options.redis);
  const stack = await startStack({
    mode: 'embedded',
    env: {
      ...services.env,
      STOWAGE_ACCOUNT_CONFIRMATION: 'off',
      STOWAGE_LOG_LEVEL: 'error',
      STOWAGE_UPLOAD_TTL_SECONDS: '20',
      STOWAGE_BLOB_GRACE_SECONDS: '1',
    },
  });
  try {
    const lanes = await Promise.all(
      Array.from({ length: LANES }, async (_, index) => {
        const user = await CloudikeUser.register(stack.baseUrl);
        await user.mkdir(`/lane ${index}`);
        return new Lane(user, `/lane ${index}`, seeded(options.seed * 1000 + index));
      }),
    );
    let stopped = false;
    const work = Promise.all(lanes.map((lane) => lane.work(() => stopped)));
    const kills = await killAtRandom(stack, services, { ...options, random });
    stopped = true;
    await work;
    await recovered(stack);
    for (const lane of lanes) await lane.verify();
    const violations = lanes.flatMap((lane) => lane.violations);
    violations.push(...(await ledgerViolations(services.databaseUrl, stack)));
    return {
      kills,
      acknowledged: lanes.reduce((sum, lane) => sum + lane.acknowledged, 0),
      cutOff: lanes.reduce((sum, lane) => sum + lane.cutOff, 0),
      violations,
    };
  } finally {
    await stack.stop();
    await services.stop();
  }
}

async function killAtRandom(
  stack: Stack,
  services: FaultServices,
  { kills, redis, random, say }: { kills: number; redis: boolean; random: () => number; say: (line: string) => void },
): Promise<Record<string, number>> {
  const victims: Record<string, () => Promise<void>> = {
    api: () => stack.kill('api').then(() => stack.restart('api')),
    worker: () => stack.kill('worker').then(() => stack.restart('worker')),
    postgres: () => services.killPostgres(),
    ...(redis && { redis: () => services.killRedis() }),
  };
  const names = Object.keys(victims);
  const counts = Object.fromEntries(names.map((name) => [name, 0]));
  for (let done = 1; done <= kills; done++) {
    await sleep(50 + random() * 500);
    const name = names[Math.floor(random() * names.length)]!;
    await victims[name]!();
    counts[name]! += 1;
    if (done % 50 === 0) say(`${done} of ${kills} kills`);
  }
  return counts;
}

async function recovered(stack: Stack): Promise<void> {
  for (let tries = 0; !(await isReady(stack.baseUrl)); tries++) {
    if (tries === 100) throw new Error('the api is not ready again after the last kill');
    await sleep(200);
  }
}

/** What the ledgers must say once the reapers have been through: nothing reserved, used = sum of versions, store = ledger, one tree. */
async function ledgerViolations(databaseUrl: string, stack: Stack): Promise<string[]> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    await client.query(`UPDATE upload_sessions SET lease_until = now() WHERE state <> 'committed'`);
    await client.query('UPDATE blob_candidates SET due_at = now()');
    const leftovers = `
      SELECT (SELECT count(*) FROM upload_sessions WHERE state <> 'committed')::int AS sessions, (SELECT count(*) FROM nodes WHERE removal = 'purging')::int AS purging,
             (SELECT count(*) FROM blob_candidates WHERE due_at < now())::int AS candidates, (SELECT count(*) FROM object_tombstones)::int AS tombstones,
             (SELECT count(*) FROM outbox)::int AS outbox`;
    const deadline = Date.now() + 240_000;
    let left: Record<string, number> = {};
    do {
      await sleep(1000);
      left = (await client.query<Record<string, number>>(leftovers)).rows[0]!;
    } while (Object.values(left).some((count) => count > 0) && Date.now() < deadline);
    const violations = Object.entries(left)
      .filter(([, count]) => count > 0)
      .map(([what, count]) => `${count} ${what} are left over`);
    const checks: Record<string, string> = {
      'a quota does not equal the sum of its versions': `
        SELECT q.owner_id, q.used_bytes, q.reserved_bytes, coalesce(v.sum, 0) AS sum FROM quotas q
          LEFT JOIN (SELECT s.account_id, sum(v.size_bytes)::bigint AS sum FROM versions v JOIN spaces s ON s.id = v.space_id GROUP BY 1) v ON v.account_id = q.owner_id
         WHERE q.owner_kind = 'account' AND (q.used_bytes <> coalesce(v.sum, 0) OR q.reserved_bytes <> 0)`,
      'the counters of a folder do not equal its children': `
        SELECT f.id, f.name FROM nodes f LEFT JOIN LATERAL (
          SELECT count(*) FILTER (WHERE kind = 'file') AS files, count(*) FILTER (WHERE kind = 'folder') AS folders, coalesce(sum(size_bytes) FILTER (WHERE kind = 'file'), 0) AS bytes
            FROM nodes c WHERE c.parent_id = f.id AND c.removal IS NULL) c ON true
         WHERE f.kind = 'folder' AND f.removal IS NULL AND (f.child_files, f.child_folders, f.child_bytes) <> (c.files, c.folders, c.bytes)`,
      'a blob has neither a version nor a candidate': `
        SELECT b.id FROM blobs b WHERE NOT EXISTS (SELECT FROM versions v WHERE v.blob_id = b.id) AND NOT EXISTS (SELECT FROM blob_candidates c WHERE c.blob_id = b.id)`,
    };
    for (const [what, sql] of Object.entries(checks)) {
      const { rows } = await client.query(sql);
      if (rows.length > 0) violations.push(`${what}: ${JSON.stringify(rows.slice(0, 3))}`);
    }
    return [...violations, ...(await fsckViolations(stack))];
  } finally {
    await client.end();
  }
}

async function fsckViolations(stack: Stack): Promise<string[]> {
  const child = spawn(process.execPath, [resolve('dist/apps/worker/src/fsck.js'), '--deep'], {
    env: { ...stack.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0 ? [] : [`fsck ended with ${code}: ${output.slice(0, 2000)}`];
}
