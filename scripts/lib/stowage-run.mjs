import { createInterface } from 'node:readline';
import fs from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { startEmbeddedPostgres } from './embedded-postgres.mjs';
import { claimDataDir, openDataDir, secretKey } from './instance.mjs';
import { portProblem } from './ports.mjs';
import { dieWithParent, ended, endForeignProcess, isSameProcess, processIdentity, spawnCommand } from './process-tree.mjs';
import { inProject, LauncherError, projectRoot, setting } from './project.mjs';
import { say, seconds, step, warn } from './progress.mjs';
import { keepPostgresRunning, rotateLog, SupervisedApp } from './supervisor.mjs';

const DRAIN_MS = 20_000;

/** Thrown inside the start when a stop was asked for meanwhile. */
class StartAbandoned extends Error {}

/** One run of the whole product: database, migrations, api and worker, from the first check to the last process gone. */
export class StowageRun {
  /** True from the moment a stop was asked for. */
  stopping = false;
  /** Resolves with the reason when a running part cannot be kept alive. */
  failed;

  #fail;
  #abort = new AbortController();
  #starting;
  #stopped;
  #claim;
  #postgres;
  #apps = [];

  constructor() {
    this.failed = new Promise((resolve) => (this.#fail = resolve));
  }

  /** Starts everything in order; resolves when the product answers. Rejects with LauncherError for what a person can put right. */
  start() {
    this.#starting = this.#start();
    return this.#starting;
  }

  /** Stops in the opposite order: api and worker drain, then the database. Every call returns the same promise. */
  stop() {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Ends api and worker without waiting for their work; the database still closes its files in order. */
  kill() {
    warn('ending api and worker now');
    for (const app of this.#apps) app.kill();
  }

  async #start() {
    const begun = performance.now();
    say('Stowage starts');
    const dataDir = openDataDir(path.resolve(projectRoot, setting('STOWAGE_DATA_DIR') ?? '.stowage'));
    this.#claim = claimDataDir(dataDir);
    await tidyEarlierRun(this.#claim.earlier);
    const address = await checkAddress();
    await this.#abandonable(ensureDependencies({ signal: this.#abort.signal }));
    await this.#abandonable(step('compiling', async (note) => note(compiled(await build()))));
    const env = {
      ...process.env,
      NODE_ENV: setting('NODE_ENV') ?? 'production',
      // The packages that are installed run on this Node; advice for later versions is no news for whoever starts the product.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      STOWAGE_DATA_DIR: dataDir,
      STOWAGE_SECRET_KEY: setting('STOWAGE_SECRET_KEY') ?? secretKey(dataDir),
      DATABASE_URL: setting('DATABASE_URL') ?? (await this.#abandonable(this.#startPostgres(dataDir))),
    };
    showAdmin(await this.#abandonable(step('migrating', () => migrate(env, this.#abort.signal))));
    await this.#abandonable(step('starting api and worker', () => this.#startApps(dataDir, env)));
    showReady({ address, dataDir, begun, clusterDir: this.#postgres?.clusterDir });
  }

  /** The promise's result, unless a stop was asked for meanwhile. */
  async #abandonable(promise) {
    const result = await promise;
    if (this.stopping) throw new StartAbandoned();
    return result;
  }

  async #startPostgres(dataDir) {
    const logFile = path.join(dataDir, 'log', 'postgres.log');
    rotateLog(logFile);
    await step('starting PostgreSQL', async (note) => {
      this.#postgres = await startEmbeddedPostgres({ dataDir, logFile });
      note(`as ${this.#postgres.ranAs}`);
    });
    for (const line of this.#postgres.notes) say(`  note: ${line}`);
    const { clusterDir, socketDir } = this.#postgres;
    const record = () => this.#claim.update({ postgres: { clusterDir, socketDir, pid: this.#postgres.pid() } });
    record();
    keepPostgresRunning(this.#postgres, { isStopping: () => this.stopping, onRestart: record, onGiveUp: this.#fail });
    return this.#postgres.appUrl();
  }

  async #startApps(dataDir, env) {
    this.#apps = ['api', 'worker'].map(
      (name) =>
        new SupervisedApp({
          name,
          entry: inProject(`dist/apps/${name}/src/main.js`),
          env,
          logFile: path.join(dataDir, 'log', `${name}.log`),
          onLaunch: (pid) => this.#claim.update({ [name]: { pid, identity: processIdentity(pid) } }),
          onGiveUp: this.#fail,
        }),
    );
    await Promise.all(this.#apps.map((app) => app.start()));
  }

  async #stop() {
    this.stopping = true;
    this.#abort.abort();
    if (this.#apps.length > 0) say('Stowage stops: waiting for api and worker');
    await Promise.all(this.#apps.map((app) => app.stop(DRAIN_MS)));
    await this.#starting?.catch(() => undefined);
    if (this.#postgres) await step('stopping PostgreSQL', () => this.#postgres.stop());
    this.#claim?.release();
    if (this.#apps.length > 0) say('Stowage has stopped');
  }
}

/** Ends what a killed run left behind and says so. Its api and worker end by themselves, but may still be at their last work. */
async function tidyEarlierRun(earlier) {
  if (!earlier) return;
  say(
    `  note: an earlier run${earlier.pid ? ` (process ${earlier.pid}, started ${earlier.startedAt})` : ''} ended without cleaning up; its leftovers are removed`,
  );
  for (const left of [earlier.api, earlier.worker]) {
    if (!left || !isSameProcess(left.pid, left.identity)) continue;
    if (!(await endForeignProcess(left.pid, 'SIGTERM', DRAIN_MS))) await endForeignProcess(left.pid, 'SIGKILL', 5000);
  }
  const socketDir = earlier.postgres?.socketDir;
  if (socketDir && path.basename(socketDir).startsWith('stowage-pg-')) fs.rmSync(socketDir, { recursive: true, force: true });
}

/** The address of the api as far as it can be judged before the configuration is read; a busy one is an error. */
async function checkAddress() {
  const host = setting('STOWAGE_HTTP_HOST') ?? '127.0.0.1';
  const port = Number(setting('STOWAGE_HTTP_PORT') ?? 8080);
  const url =
    setting('STOWAGE_PUBLIC_URL') ?? `http://${host.includes(':') ? `[${host}]` : host.replace(/^(0\.0\.0\.0|127\.0\.0\.1)$/, 'localhost')}:${port}`;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return { url };
  const problem = await portProblem(port, host);
  if (problem === 'EADDRINUSE') throw new LauncherError(`port ${port} on ${host} is in use by another program; set STOWAGE_HTTP_PORT to a free one`);
  if (problem === 'EACCES')
    throw new LauncherError(`port ${port} may not be used by user ${process.getuid()}; set STOWAGE_HTTP_PORT to one above 1023`);
  if (problem) throw new LauncherError(`the api cannot listen on ${host} (${problem}); set STOWAGE_HTTP_HOST to an address of this machine`);
  return { url };
}

const compiled = ({ built, total }) => (built === 0 ? `${total} files unchanged` : `${built} of ${total} files`);

/**
 * Runs the migrations and first-start work; resolves with the administrator that was created, if any.
 * @returns {Promise<{ email: string, password?: string, created?: boolean } | undefined>}
 */
export async function migrate(env, signal) {
  const command = [...dieWithParent('TERM'), process.execPath, '--enable-source-maps', inProject('dist/apps/api/src/migrate.js')];
  const child = spawnCommand(command, { cwd: projectRoot, env, signal, stdio: ['ignore', 'pipe', 'inherit'] });
  let admin;
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const found = parseAdmin(line);
    if (found) admin = found;
    else if (!line.startsWith('{')) say(`  ${line}`);
  });
  const read = new Promise((resolve) => lines.once('close', resolve));
  const { code, signal: endSignal, error } = await ended(child);
  await read;
  if (endSignal || error) throw new LauncherError(`the preparation of the database was ended (${endSignal ?? error.message})`);
  if (code !== 0) throw new LauncherError(`the preparation of the database failed (exit code ${code}); the reason is above`);
  return admin;
}

/** The administrator in a line of migrate's output, or undefined for any other line. */
export function parseAdmin(line) {
  try {
    return JSON.parse(line).admin;
  } catch {
    return undefined;
  }
}

function showAdmin(admin) {
  if (!admin?.created) return;
  say('');
  say(`  First administrator: ${admin.email}`);
  if (admin.password) say(`  Password:            ${admin.password}   (shown only now; change it after the first login)`);
  say('');
}

function showReady({ address, dataDir, begun, clusterDir }) {
  const outside = clusterDir && path.relative(dataDir, clusterDir).startsWith('..') ? `, database in ${clusterDir}` : '';
  say(`Stowage is ready after ${seconds(performance.now() - begun)}`);
  say(`  address        ${address.url}`);
  say(`  documentation  ${address.url}/docs`);
  say(`  health         ${address.url}/health/ready`);
  say(`  data           ${dataDir}${outside}`);
  say(`  logs           ${path.join(dataDir, 'log')}`);
  say('Ctrl-C stops it.');
}
