import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { freePort } from '../../scripts/lib/ports.mjs';
import { findRedis, startRedis } from '../../scripts/lib/redis.mjs';
import { BreakableProxy } from '../support/breakable-proxy.js';
import { CloudikeUser } from '../support/cloudike-user.js';
import { type Stack, startStack } from '../support/stack.js';

const services = process.env['STOWAGE_TEST_MODE'] === 'services';
const PATIENCE = { timeout: 20_000, interval: 100 };

/** A Redis that nothing else uses, so that it can be killed. */
class OwnRedis {
  private constructor(
    private readonly dir: string,
    private server: Awaited<ReturnType<typeof startRedis>>,
  ) {}

  static async start(): Promise<OwnRedis> {
    const dir = await mkdtemp(join(tmpdir(), 'stowage-redis-'));
    return new OwnRedis(dir, await OwnRedis.server(dir));
  }

  private static async server(dir: string, port?: number): ReturnType<typeof startRedis> {
    const found = await findRedis();
    if (!found) throw new Error('no Redis can be had on this system');
    return startRedis(found, port === undefined ? { dir } : { dir, port });
  }

  get url(): string {
    return this.server.url;
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.server.pid, name);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.server.stop();
  }

  async startAgain(): Promise<void> {
    this.server = await OwnRedis.server(this.dir, this.server.port);
  }

  async configure(name: string, value: string): Promise<void> {
    const client = new Redis(this.url);
    await client.config('SET', name, value);
    client.disconnect();
  }

  async remove(): Promise<void> {
    await this.server.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

let stack: Stack;
let workerUrl: string;
let redis: OwnRedis | undefined;
let storeProxy: BreakableProxy | undefined;

beforeAll(async () => {
  const env: Record<string, string> = { STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_WORKER_HTTP_PORT: String(await freePort()) };
  if (services) {
    redis = await OwnRedis.start();
    env['REDIS_URL'] = redis.url;
    const { proxy, url } = await BreakableProxy.inFrontOf(process.env['STOWAGE_TEST_S3_ENDPOINT']!);
    storeProxy = proxy;
    env['S3_ENDPOINT'] = url;
  }
  stack = await startStack({ env });
  workerUrl = `http://127.0.0.1:${env['STOWAGE_WORKER_HTTP_PORT']}`;
});

afterAll(async () => {
  await stack?.stop();
  await storeProxy?.close();
  await redis?.remove();
});

type Check = { readonly ok: boolean; readonly error?: string };

async function ready(url: string) {
  const response = await fetch(`${url}/health/ready`);
  const { status, checks } = (await response.json()) as { status: string; checks: Record<string, Check> };
  const failing = Object.keys(checks).filter((name) => !checks[name]!.ok);
  return { http: response.status, status, names: Object.keys(checks).sort(), failing, checks };
}

const api = () => ready(stack.baseUrl);
const worker = () => ready(workerUrl);
const WELL = { http: 200, status: 'ok', failing: [] };

/** Takes the store of bytes away; the result brings it back. */
async function takeStoreAway(): Promise<() => Promise<void>> {
  if (storeProxy) {
    storeProxy.kill();
    return () => Promise.resolve(storeProxy!.restore());
  }
  const blobs = join(stack.dataDir, 'blobs');
  await rename(blobs, `${blobs}.away`);
  await writeFile(blobs, 'a file where the folder was');
  return async () => {
    await rm(blobs, { recursive: true });
    await rename(`${blobs}.away`, blobs);
  };
}

describe('readiness', () => {
  it('watches everything that a process was given', async () => {
    await expect.poll(api, PATIENCE).toMatchObject({ ...WELL, names: ['blob store', 'database', ...(services ? ['redis'] : [])] });
    await expect
      .poll(worker, PATIENCE)
      .toMatchObject({ ...WELL, names: ['blob store', 'database', 'queue', ...(services ? ['redis'] : []), 'relay'] });
  });

  it('is lost by api and worker with the store of bytes, and comes back with it', async () => {
    const bringBack = await takeStoreAway();
    try {
      await expect.poll(api, PATIENCE).toMatchObject({ http: 503, status: 'unavailable', failing: ['blob store'] });
      await expect.poll(worker, PATIENCE).toMatchObject({ http: 503, status: 'unavailable', failing: ['blob store'] });
      expect((await fetch(`${stack.baseUrl}/health/live`)).status).toBe(200);
    } finally {
      await bringBack();
    }
    await expect.poll(api, PATIENCE).toMatchObject(WELL);
    await expect.poll(worker, PATIENCE).toMatchObject(WELL);
  });

  const withRedis = services ? it : undefined;

  withRedis?.('stays with the api, which goes on degraded, and is lost by the worker when Redis is killed', async () => {
    await redis!.kill();
    await expect.poll(api, PATIENCE).toMatchObject({
      http: 200,
      status: 'degraded',
      failing: ['redis'],
      checks: { redis: { ok: false, error: 'there is no connection to Redis' } },
    });
    await expect.poll(worker, PATIENCE).toMatchObject({ http: 503, status: 'unavailable', failing: expect.arrayContaining(['queue', 'redis']) });
    const user = await CloudikeUser.register(stack.baseUrl);
    await user.upload('/meanwhile.txt', Buffer.from('no Redis'));
    expect((await user.download('/meanwhile.txt')).toString()).toBe('no Redis');
    await stack.restart('api');
    expect(await api()).toMatchObject({ http: 200, status: 'degraded', failing: ['redis'] });
    await redis!.startAgain();
    await expect.poll(api, PATIENCE).toMatchObject(WELL);
    await expect.poll(worker, PATIENCE).toMatchObject(WELL);
  });

  withRedis?.('sees a Redis that hangs, and one that answers but takes no write', async () => {
    redis!.signal('SIGSTOP');
    try {
      await expect.poll(api, PATIENCE).toMatchObject({ http: 200, status: 'degraded', failing: ['redis'] });
      await expect.poll(worker, PATIENCE).toMatchObject({ http: 503, status: 'unavailable' });
    } finally {
      redis!.signal('SIGCONT');
    }
    await expect.poll(api, PATIENCE).toMatchObject(WELL);
    await redis!.configure('maxmemory', '1');
    await expect.poll(api, PATIENCE).toMatchObject({ http: 200, status: 'degraded', checks: { redis: { error: expect.stringContaining('OOM') } } });
    await redis!.configure('maxmemory', '0');
    await expect.poll(api, PATIENCE).toMatchObject(WELL);
    await expect.poll(worker, PATIENCE).toMatchObject(WELL);
  });
});
