import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { LauncherError, PROCESS_FLAGS, projectRoot } from './project.mjs';
import { say, warn } from './progress.mjs';
import { dieWithParent, ended, endProcess, spawnCommand } from './process-tree.mjs';

const CRASH_LIMIT = 5;
const CRASH_WINDOW_MS = 60_000;
/** A process that ends with this code has found its configuration wrong: a new start does not help. */
const EXIT_CONFIG = 78;
const LOG_LIMIT_BYTES = 20 * 2 ** 20;

/** Counts crashes: `true` from `tooMany()` once the limit is reached within the window. */
export class CrashCounter {
  #times = [];

  constructor(limit = CRASH_LIMIT, windowMs = CRASH_WINDOW_MS) {
    this.limit = limit;
    this.windowMs = windowMs;
  }

  /** Notes one crash at `now` and returns how many lie within the window. */
  add(now = Date.now()) {
    this.#times = [...this.#times.filter((time) => now - time < this.windowMs), now];
    return this.#times.length;
  }

  /** Wait before the next start: 0.25 s, doubled with each crash in the window. */
  get backoffMs() {
    return 250 * 2 ** Math.max(0, this.#times.length - 1);
  }

  get tooMany() {
    return this.#times.length >= this.limit;
  }
}

/** Keeps one older file of a log that has grown beyond its limit. */
export function rotateLog(file) {
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) fs.renameSync(file, `${file}.1`);
}

/**
 * One line of a child's output as it is shown on the terminal: text as it stands, a structured record from level `warn` upwards in short form,
 * undefined for what belongs to the log file alone.
 */
export function visibleLine(line) {
  if (!line.startsWith('{')) return line.trim() === '' ? undefined : line;
  try {
    const record = JSON.parse(line);
    if (typeof record.level !== 'number') return line;
    if (record.level < 40) return undefined;
    const cause = record.err?.message ? `: ${record.err.message}` : '';
    return `${record.level >= 50 ? 'error' : 'warning'}: ${record.msg ?? ''}${cause}`;
  } catch {
    return line;
  }
}

/** A Node process of the application: started, watched, started again after a crash, stopped. */
export class SupervisedApp {
  #child;
  #stopping = false;
  #crashes = new CrashCounter();

  /**
   * @param {{ name: string, entry: string, env: NodeJS.ProcessEnv, logFile: string, onLaunch?: (pid: number) => void, onGiveUp: (error: Error) => void }} options
   * `onLaunch` is told every process id, `onGiveUp` the reason when the process cannot be kept alive
   */
  constructor(options) {
    this.options = options;
  }

  /** Starts the process and resolves when it says that it is ready; a process that ends before that is an error. */
  async start() {
    rotateLog(this.options.logFile);
    const { child, ready } = this.#launch();
    await ready;
    void this.#watch(child);
  }

  /** Asks the process to end and resolves when it has; `graceMs` later it is killed. */
  async stop(graceMs) {
    this.#stopping = true;
    if (this.#child) await endProcess(this.#child, { signal: 'SIGTERM', graceMs });
  }

  /** Ends the process at once. */
  kill() {
    this.#stopping = true;
    this.#child?.kill('SIGKILL');
  }

  #launch() {
    const { name, entry, env, logFile, onLaunch } = this.options;
    const log = fs.createWriteStream(logFile, { flags: 'a', mode: 0o600 });
    const command = [...dieWithParent('TERM'), process.execPath, ...PROCESS_FLAGS, entry];
    // A session of its own: the terminal's Ctrl-C reaches the launcher alone, which passes it on once.
    const child = spawnCommand(command, { cwd: projectRoot, env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#child = child;
    if (child.pid) onLaunch?.(child.pid);
    for (const [stream, show] of [
      [child.stdout, say],
      [child.stderr, warn],
    ]) {
      createInterface({ input: stream }).on('line', (line) => {
        log.write(`${line}\n`);
        const visible = visibleLine(line);
        if (visible) show(`[${name}] ${visible}`);
      });
    }
    child.once('close', () => log.end());
    const ready = Promise.race([
      new Promise((resolve) => child.on('message', (message) => message?.type === 'ready' && resolve())),
      ended(child).then(({ code, signal, error }) => {
        if (this.#stopping) return;
        throw new LauncherError(
          `the ${name} process ended while it started (${error?.message ?? signal ?? `exit code ${code}`}); its log is ${logFile}`,
        );
      }),
    ]);
    return { child, ready };
  }

  async #watch(child) {
    for (let current = child; ;) {
      const { code, signal } = await ended(current);
      if (this.#stopping) return;
      const { name, logFile, onGiveUp } = this.options;
      const count = this.#crashes.add();
      if (this.#crashes.tooMany || code === EXIT_CONFIG) {
        onGiveUp(
          new LauncherError(
            `the ${name} process ended (${count} time${count === 1 ? '' : 's'} within a minute), last with ${signal ?? `exit code ${code}`}; its log is ${logFile}`,
          ),
        );
        return;
      }
      warn(`[${name}] ended unexpectedly (${signal ?? `exit code ${code}`}); starting it again in ${this.#crashes.backoffMs} ms`);
      await sleep(this.#crashes.backoffMs);
      if (this.#stopping) return;
      const launched = this.#launch();
      launched.ready.then(() => !this.#stopping && say(`[${name}] runs again`)).catch(() => undefined);
      current = launched.child;
    }
  }
}

/** Starts the embedded database again whenever it ends by itself, with the same limit on crashes as the applications. */
export function keepPostgresRunning(postgres, { isStopping, onRestart, onGiveUp }) {
  const crashes = new CrashCounter();
  const watch = async () => {
    for (;;) {
      const { code, signal } = await postgres.ended();
      if (isStopping()) return;
      const count = crashes.add();
      if (crashes.tooMany) throw new LauncherError(`PostgreSQL ended ${count} times within a minute`);
      warn(`[postgres] ended unexpectedly (${signal ?? `exit code ${code}`}); starting it again`);
      await sleep(crashes.backoffMs);
      if (isStopping()) return;
      await postgres.restart();
      onRestart();
      say('[postgres] runs again');
    }
  };
  watch().catch((error) => !isStopping() && onGiveUp(error));
}
