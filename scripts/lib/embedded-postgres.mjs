import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { binaryVersion, copyBinaries, findBinaries } from './postgres-binaries.mjs';
import { asNamespace, asUser, canEnter, lentUser, ordinaryRunner, userOf } from './postgres-user.mjs';
import { LauncherError } from './project.mjs';
import { commandLine, dieWithParent, ended, endForeignProcess, endProcess, processIdentity, spawnCommand } from './process-tree.mjs';

/** Where root keeps what PostgreSQL must reach and the project's folder does not let it reach. */
export const SYSTEM_ROOT = '/var/lib/stowage';
const SOCKET_PORT = 5432;
const ADMIN = 'postgres';
const APP = 'stowage';
const PROGRAM_ENV = { PATH: process.env.PATH, LC_ALL: 'C', LANG: 'C', TZ: 'UTC', HOME: '/' };

/**
 * @typedef {object} EmbeddedPostgres
 * @property {string} clusterDir where the database lies
 * @property {string} socketDir where its Unix socket lies
 * @property {string} ranAs for messages: the user the server runs as
 * @property {string[]} notes what was found and put right at this start
 * @property {(database?: string) => string} adminUrl connection string of the superuser
 * @property {(database?: string) => string} appUrl connection string of the role that owns the application's databases
 * @property {() => number | undefined} pid
 * @property {() => Promise<void>} restart starts the server again after it ended
 * @property {() => Promise<{ code: number | null, signal: string | null }>} ended settles when the running server ends
 * @property {() => Promise<void>} stop fast shutdown, then the socket's folder is removed
 */

/**
 * Starts the PostgreSQL that npm brought, as a child process that ends with this one. Makes the cluster, the application's role and database on
 * the first start. Clients reach it only over a Unix socket in a folder of its own.
 * @param {{ dataDir: string, logFile: string, durable?: boolean, maxConnections?: number }} options `durable: false` trades safety for speed (tests)
 * @returns {Promise<EmbeddedPostgres>}
 */
export async function startEmbeddedPostgres({ dataDir, logFile, durable = true, maxConnections = 200 }) {
  const notes = [];
  const cluster = openCluster(dataDir);
  const socketDir = makeSocketDir(cluster.runner);
  let child;
  try {
    if (!fs.existsSync(path.join(cluster.dir, 'PG_VERSION'))) initialise(cluster, { durable, socketDir });
    checkMajorVersion(cluster);
    await clearEarlierServer(cluster, notes);
    const launch = () => launchServer(cluster, { socketDir, logFile, durable, maxConnections });
    child = await launch();
    const url = (user, password) => (database) =>
      `postgresql://${user}:${password}@localhost/${database}?host=${encodeURIComponent(socketDir)}&port=${SOCKET_PORT}`;
    const adminUrl = (database = 'postgres') => url(ADMIN, cluster.credentials.adminPassword)(database);
    await ensureAppDatabase(adminUrl(), cluster.credentials.appPassword);
    return {
      clusterDir: cluster.dir,
      socketDir,
      ranAs: cluster.runner.name,
      notes,
      adminUrl,
      appUrl: (database = APP) => url(APP, cluster.credentials.appPassword)(database),
      pid: () => child.pid,
      restart: async () => {
        child = await launch();
      },
      ended: () => ended(child),
      stop: async () => {
        await stopServer(child);
        fs.rmSync(socketDir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    if (child) await stopServer(child);
    fs.rmSync(socketDir, { recursive: true, force: true });
    throw error;
  }
}

/** Finds the cluster of this data folder or decides where a new one goes, and how its programs are run. */
function openCluster(dataDir) {
  const native = findBinaries();
  const credentialsFile = path.join(dataDir, 'postgres.json');
  const cluster = fs.existsSync(credentialsFile) ? existingCluster(dataDir, credentialsFile) : newCluster(dataDir, native);
  return { ...cluster, credentialsFile, native: reachableBinaries(native, cluster.runner) };
}

function existingCluster(dataDir, credentialsFile) {
  let credentials;
  try {
    credentials = JSON.parse(fs.readFileSync(credentialsFile, 'utf8'));
  } catch (error) {
    throw new LauncherError(`${credentialsFile}, which holds the passwords of the embedded database, cannot be read: ${error.message}`);
  }
  const dir = path.resolve(dataDir, credentials.clusterDir);
  // A first start that was killed between its last two steps: the cluster is whole and only lacks its final name.
  if (!fs.existsSync(dir) && fs.existsSync(path.join(`${dir}.new`, 'PG_VERSION'))) fs.renameSync(`${dir}.new`, dir);
  const owner = fs.statSync(dir, { throwIfNoEntry: false });
  if (!owner)
    throw new LauncherError(`the database folder ${dir}, named in ${credentialsFile}, is gone; restore it, or remove ${dataDir} to begin anew`);
  if (process.getuid() !== 0) {
    if (owner.uid !== process.getuid()) {
      throw new LauncherError(
        `the database in ${dir} belongs to ${userOf(owner.uid).name}; start Stowage as the user who started it first, or set STOWAGE_DATA_DIR`,
      );
    }
    return { dir, credentials, runner: ordinaryRunner() };
  }
  if (owner.uid !== 0) return { dir, credentials, runner: asUser(userOf(owner.uid, owner.gid)) };
  const runner = asNamespace();
  if (runner) return { dir, credentials, runner };
  throw new LauncherError(
    `the database in ${dir} belongs to root and this system no longer permits user namespaces; give the folder to another user (chown -R)`,
  );
}

function newCluster(dataDir, native) {
  const password = () => crypto.randomBytes(24).toString('base64url');
  const place = (dir, runner) => {
    if (fs.existsSync(path.join(dir, 'PG_VERSION'))) {
      throw new LauncherError(
        `there is a database in ${dir}, but ${path.join(dataDir, 'postgres.json')} with its passwords is missing; restore that file, or move the folder away`,
      );
    }
    return {
      dir,
      runner,
      credentials: {
        clusterDir: path.relative(dataDir, dir).startsWith('..') ? dir : path.relative(dataDir, dir),
        adminPassword: password(),
        appPassword: password(),
      },
    };
  };
  const inDataDir = path.join(dataDir, 'pg');
  if (process.getuid() !== 0) return place(inDataDir, ordinaryRunner());
  const lent = asUser(lentUser());
  if (canEnter(lent, dataDir)) return place(inDataDir, lent);
  const namespace = asNamespace();
  if (namespace && binaryVersion(native, namespace)) return place(inDataDir, namespace);
  return place(path.join(SYSTEM_ROOT, `database-${crypto.randomBytes(8).toString('hex')}`, 'pg'), lent);
}

/** The programs where they lie, or a copy that the run-as user can reach. */
function reachableBinaries(native, runner) {
  if (binaryVersion(native, runner)) return native;
  const version = process.getuid() === 0 ? binaryVersion(native, { ids: {}, wrap: (command) => command }) : undefined;
  const copy = version && copyBinaries(native, version, SYSTEM_ROOT);
  if (copy && binaryVersion(copy, runner)) return copy;
  throw new LauncherError(
    `the embedded PostgreSQL in ${native} does not run as ${runner.name} on this system; set DATABASE_URL to a PostgreSQL of your own`,
  );
}

/** The socket's path may have 107 bytes at most, so its folder is not below the data folder. */
function makeSocketDir(runner) {
  const base = os.tmpdir().length <= 60 ? os.tmpdir() : '/tmp';
  const dir = fs.mkdtempSync(path.join(base, 'stowage-pg-'));
  if (runner.kind === 'user') fs.chownSync(dir, runner.uid, runner.gid);
  return dir;
}

/** initdb into a folder beside the final one, renamed when whole: an interrupted first start leaves nothing that looks like a database. */
function initialise({ dir, runner, native, credentials, credentialsFile }, { durable, socketDir }) {
  const unfinished = `${dir}.new`;
  fs.rmSync(unfinished, { recursive: true, force: true });
  if (path.dirname(dir) !== path.dirname(credentialsFile)) makeSystemFolder(path.dirname(dir));
  fs.mkdirSync(unfinished, { mode: 0o700 });
  const passwordFile = path.join(socketDir, 'password');
  fs.writeFileSync(passwordFile, credentials.adminPassword, { mode: 0o600 });
  if (runner.kind === 'user') for (const file of [unfinished, passwordFile]) fs.chownSync(file, runner.uid, runner.gid);
  const [program, ...args] = runner.wrap([
    path.join(native, 'bin', 'initdb'),
    ...['-D', unfinished, '-U', ADMIN, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--data-checksums'],
    ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ...(durable ? [] : ['--no-sync']),
  ]);
  const result = spawnSync(program, args, { cwd: '/', env: PROGRAM_ENV, encoding: 'utf8', ...runner.ids });
  fs.rmSync(passwordFile, { force: true });
  if (result.status !== 0) {
    fs.rmSync(unfinished, { recursive: true, force: true });
    throw new LauncherError(`initdb failed in ${dir}: ${(result.error?.message ?? result.stderr).trim()}`);
  }
  fs.writeFileSync(credentialsFile, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  fs.renameSync(unfinished, dir);
}

function makeSystemFolder(folder) {
  fs.mkdirSync(folder, { recursive: true });
  for (const each of [SYSTEM_ROOT, folder]) fs.chmodSync(each, 0o755);
}

function checkMajorVersion({ dir, native, runner }) {
  const made = fs.readFileSync(path.join(dir, 'PG_VERSION'), 'utf8').trim();
  const running = binaryVersion(native, runner).split('.')[0];
  if (made === running) return;
  throw new LauncherError(
    `the database in ${dir} was made by PostgreSQL ${made}, the embedded one is ${running}; move it with pg_dump of version ${made} first`,
  );
}

/** Ends a server that an earlier, killed launcher left behind, and removes a pid file whose number now belongs to another program. */
async function clearEarlierServer({ dir }, notes) {
  const pidFile = path.join(dir, 'postmaster.pid');
  if (!fs.existsSync(pidFile)) return;
  const pid = Number(fs.readFileSync(pidFile, 'utf8').split('\n')[0]);
  if (!processIdentity(pid)) {
    notes.push('the database was not shut down last time; PostgreSQL recovers it from its log');
  } else if (commandLine(pid).includes(dir)) {
    notes.push(`the database server of an earlier run (process ${pid}) was still there and was stopped`);
    if (!(await endForeignProcess(pid, 'SIGINT', 10_000)) && !(await endForeignProcess(pid, 'SIGQUIT', 10_000))) {
      throw new LauncherError(`the database server of an earlier run (process ${pid}) does not end; end it and start again`);
    }
  } else {
    notes.push('the database was not shut down last time; PostgreSQL recovers it from its log');
    fs.rmSync(pidFile);
  }
}

async function launchServer(cluster, options) {
  // After a kill the last backends need a moment to notice that their server is gone; until then PostgreSQL refuses the shared memory.
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launchOnce(cluster, options);
    } catch (error) {
      if (attempt === 10 || !/pre-existing shared memory|lock file/.test(error.message)) throw error;
      await sleep(300);
    }
  }
}

async function launchOnce({ dir, runner, native }, { socketDir, logFile, durable, maxConnections }) {
  const settings = serverSettings({ socketDir, durable, maxConnections });
  const program = [path.join(native, 'bin', 'postgres'), '-D', dir, '-p', String(SOCKET_PORT), ...settings.flatMap((entry) => ['-c', entry])];
  // Changing ids clears the death signal, so setpriv does both, in its own order; a namespace is entered before.
  const mortal = dieWithParent('INT');
  const byUser = runner.kind === 'user' && mortal.length > 0;
  const command = byUser
    ? [...mortal, `--reuid=${runner.uid}`, `--regid=${runner.gid}`, '--clear-groups', ...program]
    : runner.wrap([...mortal, ...program]);
  const log = fs.openSync(logFile, 'a', 0o600);
  const logBegin = fs.fstatSync(log).size;
  // A session of its own: Ctrl-C in the terminal must not reach the server before its clients have ended.
  const child = spawnCommand(command, { cwd: '/', env: PROGRAM_ENV, stdio: ['ignore', log, log], detached: true, ...(byUser ? {} : runner.ids) });
  fs.closeSync(log);
  let end;
  void ended(child).then((result) => (end = result));
  const deadline = Date.now() + 60_000;
  while (!isReady(dir, child.pid)) {
    if (end) throw new LauncherError(`PostgreSQL did not start: ${lastLines(logFile, logBegin) || end.error?.message || `exit code ${end.code}`}`);
    if (Date.now() > deadline) {
      await stopServer(child);
      throw new LauncherError(`PostgreSQL is not ready after 60 s; its log is ${logFile}`);
    }
    await sleep(10);
  }
  return child;
}

/** The eighth line of postmaster.pid tells the server's state. */
function isReady(dir, pid) {
  try {
    const lines = fs.readFileSync(path.join(dir, 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid && /^ready/.test(lines[7] ?? '');
  } catch {
    return false;
  }
}

const stopServer = (child) => endProcess(child, { signal: 'SIGINT', graceMs: 15_000, lastSignal: 'SIGQUIT' });

function serverSettings({ socketDir, durable, maxConnections }) {
  const memory = Math.min(os.totalmem(), process.constrainedMemory?.() || Infinity);
  const megabytes = (share, least, most) => `${Math.round(Math.min(most, Math.max(least, memory / 2 ** 20 / share)))}MB`;
  return [
    'listen_addresses=',
    `unix_socket_directories=${socketDir}`,
    'unix_socket_permissions=0700',
    `max_connections=${maxConnections}`,
    `shared_buffers=${megabytes(16, 64, 1024)}`,
    `effective_cache_size=${megabytes(2, 256, 16_384)}`,
    `maintenance_work_mem=${megabytes(64, 64, 512)}`,
    'work_mem=8MB',
    'max_wal_size=2GB',
    'random_page_cost=1.1',
    'jit=off',
    // A young database grows faster than its statistics: until they are made, plans cached for tiny tables read them whole.
    'autovacuum_naptime=10s',
    'timezone=UTC',
    'log_timezone=UTC',
    'logging_collector=off',
    'log_line_prefix=%m [%p] %q%u@%d ',
    ...(durable ? ['wal_compression=on'] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'wal_level=minimal', 'max_wal_senders=0']),
  ];
}

function lastLines(file, from) {
  const text = fs.readFileSync(file).subarray(from).toString();
  const lines = text.trim().split('\n');
  return lines.slice(-6).join('\n');
}

/** Makes the application's role (no superuser) and its database when they are missing. */
async function ensureAppDatabase(adminUrl, appPassword) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [APP]);
    if (role.rowCount === 0) await client.query(`CREATE ROLE ${APP} LOGIN PASSWORD ${client.escapeLiteral(appPassword)}`);
    const database = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [APP]);
    if (database.rowCount === 0) await client.query(`CREATE DATABASE ${APP} OWNER ${APP}`);
  } finally {
    await client.end();
  }
}
