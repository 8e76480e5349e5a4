import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { PROCESS_FLAGS } from '../../scripts/lib/project.mjs';
import { auditDefects, watchWrites } from './audit-check.js';
import { adminCredentials, createTestBucket, createTestDatabase, testRedisUrl } from './services.js';

const projectRoot = resolve(import.meta.dirname, '../..');
const LOG_LINES_KEPT = 5000;
const LOG_LINES_SHOWN = 120;
const READY_LIMIT_MS = 180_000;

export type StackMode = 'embedded' | 'services';
export type StackProcess = 'api' | 'worker';

export interface StackOptions {
  /** `embedded`: queue in PostgreSQL, blobs in the file system; `services`: Redis and S3. Default: the mode of this test run. */
  readonly mode?: StackMode;
  /** Variables that win over those of the stack. */
  readonly env?: Readonly<Record<string, string>>;
  /** Number of api processes, each with its own port; default 1. */
  readonly apis?: number;
  /**
   * In tests that kill nothing `stop` throws unless every call that may change something has its audit record. `strict`: the database also notes what the api
   * changes, for `auditDefects`; false: `stop` does not look.
   */
  readonly audit?: 'counts' | 'strict' | false;
}

/** One running Stowage with a database, a queue, a store and a data folder of its own. */
export interface Stack {
  readonly mode: StackMode;
  /** Address of the first api, without a slash at the end. */
  readonly baseUrl: string;
  /** Addresses of all api processes. */
  readonly baseUrls: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly dataDir: string;
  readonly databaseUrl: string;
  /** The same database as one who may do everything in it. */
  readonly adminUrl: string;
  /** The first system administrator. */
  readonly admin: { readonly email: string; readonly password: string };
  /** Process id of a running process. */
  pid(name: StackProcess, index?: number): number;
  /** Sends a signal (default SIGKILL) and resolves with the exit code when the process is gone. */
  kill(name: StackProcess, signal?: NodeJS.Signals, index?: number): Promise<number | null>;
  /** Ends the process if it runs and starts it again on the same port; resolves when it is ready. */
  restart(name: StackProcess, index?: number): Promise<void>;
  /** The last lines that a process wrote. */
  logs(name: StackProcess, index?: number): string;
  /** Ends everything and removes database, bucket and data folder. */
  stop(): Promise<void>;
}

const running = new Set<{ describeLogs(): string }>();

/** The last lines of all processes that run now. */
export function runningLogs(): string {
  return [...running].map((stack) => `${stack.describeLogs()}\n`).join('');
}

/** One process of the product under test. */
class AppProcess {
  private child: ChildProcess | undefined;
  private readonly lines: string[] = [];

  constructor(
    readonly title: string,
    private readonly entry: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  async start(): Promise<void> {
    const child = spawn(process.execPath, [...PROCESS_FLAGS, this.entry], {
      cwd: projectRoot,
      env: { ...this.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        this.lines.push(...parts);
        if (this.lines.length > LOG_LINES_KEPT) this.lines.splice(0, this.lines.length - LOG_LINES_KEPT);
      });
    }
    await new Promise<void>((ready, fail) => {
      const limit = setTimeout(() => fail(new Error(`${this.title} is not ready after ${READY_LIMIT_MS} ms\n${this.tail()}`)), READY_LIMIT_MS);
      child.on('message', (message) => {
        if ((message as { type?: unknown } | null)?.type !== 'ready') return;
        clearTimeout(limit);
        ready();
      });
      child.once('close', (code, signal) => {
        clearTimeout(limit);
        fail(new Error(`${this.title} ended before it was ready (${signal ?? `exit code ${code}`})\n${this.tail()}`));
      });
    });
  }

  get pid(): number {
    if (this.child?.pid === undefined || !this.isRunning) throw new Error(`${this.title} does not run`);
    return this.child.pid;
  }

  private get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this;
    if (!child || !this.isRunning) return child?.exitCode ?? null;
    const end = once(child, 'exit');
    child.kill(signal);
    const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
    await end;
    clearTimeout(limit);
    return child.exitCode;
  }

  tail(count = LOG_LINES_SHOWN): string {
    return [`--- ${this.title}, last lines:`, ...this.lines.slice(-count)].join('\n');
  }

  log(): string {
    return this.lines.join('\n');
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Variables of the chosen mode and what to remove at the end. */
async function modeServices(mode: StackMode): Promise<{ env: Record<string, string>; drop: () => Promise<void> }> {
  if (mode === 'embedded') return { env: {}, drop: () => Promise.resolve() };
  const [bucket, redis] = await Promise.all([createTestBucket(), testRedisUrl()]);
  return { env: { ...bucket.env, REDIS_URL: redis }, drop: () => bucket.drop() };
}

function modeOfRun(): StackMode {
  const mode = process.env.STOWAGE_TEST_MODE ?? 'embedded';
  if (mode !== 'embedded' && mode !== 'services') throw new Error(`STOWAGE_TEST_MODE is ${mode}; it must be embedded or services`);
  return mode;
}

/** A stack that others use after this file, or have used before: it is not ended or started anew, and nobody is alone in it. */
export type SharedStack = Omit<Stack, 'kill' | 'restart'>;

let shared: Promise<Stack> | undefined;

/**
 * The stack of all those files of one test process that ask for nothing but that new accounts sign in at once; to start one costs more CPU time than most
 * files do. `stop` leaves it running and checks the audit records, as that of a stack does; it ends with the test process.
 */
export async function sharedStack(): Promise<SharedStack> {
  shared ??= startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
  const stack = await shared;
  return { ...stack, stop: () => requireAudit(stack.baseUrls, stack.adminUrl) };
}

async function requireAudit(baseUrls: readonly string[], adminUrl: string): Promise<void> {
  const defects = await auditDefects(baseUrls, adminUrl);
  if (defects.length > 0) throw new Error(`the audit records are not complete:\n${defects.join('\n')}`);
}

/** Starts api and worker as `npm start` does, on free ports, and resolves when they answer. The logs are shown when a test fails. */
export async function startStack({ mode = modeOfRun(), env: extraEnv = {}, apis = 1, audit = 'counts' }: StackOptions = {}): Promise<Stack> {
  if (!existsSync(join(projectRoot, 'dist/apps/api/src/main.js'))) throw new Error('there is no compiled api: run "npm run build" first');
  const [database, services, dataDir] = await Promise.all([createTestDatabase(), modeServices(mode), mkdtemp(join(tmpdir(), 'stowage-data-'))]);
  if (audit === 'strict') await watchWrites(database.adminUrl);
  const ports = await Promise.all(Array.from({ length: apis }, freePort));
  const baseUrls = ports.map((port) => `http://127.0.0.1:${port}`);
  const [baseUrl = ''] = baseUrls;
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    TMPDIR: tmpdir(),
    NODE_ENV: 'production',
    STOWAGE_LOG_LEVEL: 'warn',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    STOWAGE_HTTP_HOST: '127.0.0.1',
    STOWAGE_HTTP_PORT: String(ports[0]),
    STOWAGE_PUBLIC_URL: baseUrl,
    STOWAGE_DATA_DIR: dataDir,
    STOWAGE_SECRET_KEY: randomBytes(32).toString('hex'),
    DATABASE_URL: database.url,
    ...services.env,
    ...extraEnv,
  };
  const app = (name: StackProcess) => join(projectRoot, `dist/apps/${name}/src/main.js`);
  const processes = {
    api: ports.map((port, index) => new AppProcess(`api ${index}`, app('api'), { ...env, STOWAGE_HTTP_PORT: String(port) })),
    worker: [new AppProcess('worker', app('worker'), env)],
  };
  const all = [...processes.api, ...processes.worker];
  const find = (name: StackProcess, index: number): AppProcess => {
    const found = processes[name][index];
    if (!found) throw new Error(`this stack has no ${name} ${index}`);
    return found;
  };
  const shown = { describeLogs: () => all.map((each) => each.tail()).join('\n') };
  // what an api has counted ends with it
  let countsAreWhole = audit !== false;
  const stop = async (): Promise<void> => {
    running.delete(shown);
    const [audit] = await Promise.allSettled([countsAreWhole ? requireAudit(baseUrls, database.adminUrl) : undefined]);
    await Promise.all(all.map((each) => each.end('SIGTERM')));
    await Promise.all([database.drop(), services.drop(), rm(dataDir, { recursive: true, force: true, maxRetries: 5 })]);
    if (audit.status === 'rejected') throw audit.reason;
  };
  try {
    await Promise.all(all.map((each) => each.start()));
  } catch (error) {
    countsAreWhole = false;
    await stop();
    throw error;
  }
  running.add(shown);
  return {
    mode,
    baseUrl,
    baseUrls,
    env,
    dataDir,
    databaseUrl: database.url,
    adminUrl: database.adminUrl,
    admin: adminCredentials(),
    pid: (name, index = 0) => find(name, index).pid,
    kill: (name, signal = 'SIGKILL', index = 0) => {
      countsAreWhole &&= name !== 'api';
      return find(name, index).end(signal);
    },
    restart: async (name, index = 0) => {
      countsAreWhole &&= name !== 'api';
      await find(name, index).end('SIGTERM');
      await find(name, index).start();
    },
    logs: (name, index = 0) => find(name, index).log(),
    stop,
  };
}
