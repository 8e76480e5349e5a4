import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../scripts/lib/embedded-postgres.mjs';
import { findRedis, startRedis } from '../../scripts/lib/redis.mjs';

/** A PostgreSQL, and a Redis where wanted, that nothing else uses, so that they can be killed. */
export interface FaultServices {
  readonly env: Readonly<Record<string, string>>;
  readonly databaseUrl: string;
  /** SIGKILL, then the same server again on the same data. */
  killPostgres(): Promise<void>;
  killRedis(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the services with durable writes: what is acknowledged must survive. */
export async function startFaultServices(withRedis: boolean): Promise<FaultServices> {
  const dir = await mkdtemp(join(tmpdir(), 'stowage-fault-'));
  await chmod(dir, 0o711);
  const postgres = await startEmbeddedPostgres({ dataDir: dir, logFile: join(dir, 'postgres.log'), durable: true, maxConnections: 200 });
  const found = withRedis ? await findRedis() : undefined;
  if (withRedis && !found) throw new Error('no Redis can be had on this system');
  let redis = found && (await startRedis(found, { dir: join(dir, 'redis'), durable: true }));
  const env = { DATABASE_URL: postgres.appUrl(), ...(redis && { REDIS_URL: redis.url }) };
  await migrate(env, dir);
  return {
    env,
    databaseUrl: postgres.appUrl(),
    killPostgres: async () => {
      const gone = postgres.ended();
      process.kill(postgres.pid()!, 'SIGKILL');
      await gone;
      await restartPostgres(postgres);
    },
    killRedis: async () => {
      if (!redis || !found) return;
      process.kill(redis.pid, 'SIGKILL');
      await redis.stop();
      redis = await startRedis(found, { dir: join(dir, 'redis'), durable: true, port: redis.port });
    },
    stop: async () => {
      await redis?.stop();
      await postgres.stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The killed server's children hold its shared memory until they notice, so the first tries may be refused. */
async function restartPostgres(postgres: EmbeddedPostgres): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await postgres.restart();
      return;
    } catch (error) {
      if (tries === 50) throw error;
      await sleep(100);
    }
  }
}

async function migrate(env: Record<string, string>, dataDir: string): Promise<void> {
  const child = spawn(process.execPath, [resolve('dist/apps/api/src/migrate.js')], {
    env: {
      ...process.env,
      ...env,
      STOWAGE_DATA_DIR: join(dataDir, 'migrate'),
      STOWAGE_SECRET_KEY: 'x'.repeat(32),
      STOWAGE_ADMIN_PASSWORD: 'irrelevant here',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`migrate ended with ${code}`);
}
