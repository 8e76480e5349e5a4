import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Limits {
  /** What a process may allocate, in bytes; each process of a program has as much. */
  readonly memoryBytes: number;
  readonly timeoutMs: number;
  /** Largest file it may write, in bytes. */
  readonly fileBytes: number;
}

/** How a program ended, with the end of what it said. */
export interface Ended {
  readonly ok: boolean;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program could not be run, ran for too long, was killed, or reported a failure. The content is to blame, not the house. */
export class ConversionFailed extends Error {
  override readonly name = 'ConversionFailed';
}

const KEPT_CHARACTERS = 256 * 1024;
/** How long after its time a program is killed by us, should the killing inside fail. */
const LATE_MS = 2_000;

/**
 * Ways to shut a program in, the strictest first: no network, no other processes to see, and all that it started ends with it. Which of them a
 * system allows differs; limits on memory, processor time and files hold in every case.
 */
const WALLS = [
  ['unshare', '--user', '--map-root-user', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', '--'],
  ['unshare', '--user', '--map-root-user', '--net', '--pid', '--fork', '--kill-child', '--'],
  ['unshare', '--user', '--map-root-user', '--net', '--'],
];
// A limit that a system does not know is left out; all others hold. `timeout` ends a program also when this process is not there any more to do so.
const SET_LIMITS = [
  'ulimit -c 0',
  'ulimit -d "$1" 2>/dev/null',
  'ulimit -t "$2" 2>/dev/null',
  'ulimit -f "$3" 2>/dev/null',
  'seconds="$2"',
  'shift 3',
  'command -v timeout >/dev/null && exec timeout -s KILL "$seconds" "$@"',
  'exec "$@"',
].join('\n');

/** Runs programs on files that nobody may trust: each in a folder of its own, with nothing of our environment. */
export class Sandbox {
  private walls: Promise<readonly string[]> | undefined;

  constructor(
    private readonly searchPath: string,
    private readonly limits: Limits,
  ) {}

  /** Gives `work` a new private folder, and removes it afterwards. */
  async inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'stowage-preview-'));
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  /** Runs a program in `folder` and resolves when it and all that it started are gone. Throws ConversionFailed unless it succeeds. */
  async run(
    program: string,
    args: readonly string[],
    folder: string,
    { signal, timeoutMs = this.limits.timeoutMs }: RunOptions = {},
  ): Promise<Ended> {
    this.walls ??= this.findWalls();
    const ended = await this.spawn([...(await this.walls), program, ...args], folder, timeoutMs, signal);
    signal?.throwIfAborted();
    if (ended.timedOut) throw new ConversionFailed(`no end after ${Math.round(timeoutMs / 1000)} seconds`);
    if (!ended.ok) throw new ConversionFailed(ended.stderr.trim().split('\n').slice(-2).join(' ').slice(0, 300) || 'the program was killed');
    return ended;
  }

  private async findWalls(): Promise<readonly string[]> {
    for (const wall of WALLS) {
      const { ok } = await this.spawn([...wall, 'true'], tmpdir(), 5_000).catch(() => ({ ok: false }));
      if (ok) return wall;
    }
    return [];
  }

  private spawn(command: readonly string[], folder: string, timeoutMs: number, signal?: AbortSignal): Promise<Ended> {
    const { memoryBytes, fileBytes } = this.limits;
    const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
    const limits = [memoryBytes / 1024, seconds, fileBytes / 512].map((value) => String(Math.floor(value)));
    const child = spawn('/bin/sh', ['-c', SET_LIMITS, 'sh', ...limits, ...command], {
      cwd: folder,
      env: { PATH: this.searchPath, HOME: folder, TMPDIR: folder, LANG: 'C.UTF-8', VIPS_CONCURRENCY: '1', MALLOC_ARENA_MAX: '2', NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    return new Promise((resolve, reject) => {
      const begun = performance.now();
      const said = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (text: string) => (said[name] = (said[name] + text).slice(-KEPT_CHARACTERS)));
      }
      const killAll = (): void => {
        try {
          if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        } catch {
          // they are gone already
        }
      };
      const late = setTimeout(killAll, timeoutMs + LATE_MS);
      signal?.addEventListener('abort', killAll, { once: true });
      const done = (): void => {
        clearTimeout(late);
        signal?.removeEventListener('abort', killAll);
        killAll();
      };
      child.once('error', (error) => {
        done();
        reject(error);
      });
      child.once('exit', killAll);
      child.once('close', (code) => {
        done();
        resolve({ ok: code === 0, timedOut: code !== 0 && performance.now() - begun >= timeoutMs, ...said });
      });
    });
  }
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}
