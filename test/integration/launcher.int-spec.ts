import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { freePort } from '../../scripts/lib/ports.mjs';
import { processIdentity } from '../../scripts/lib/process-tree.mjs';

const projectRoot = resolve(import.meta.dirname, '../..');

interface RunState {
  pid: number;
  api: { pid: number };
  worker: { pid: number };
  postgres: { pid: number; socketDir: string };
}

/** `npm start` without npm, with what it prints. */
class Launcher {
  output = '';
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | null>;
  private waiting: (() => void)[] = [];

  constructor(
    readonly dataDir: string,
    port: number,
    env: Record<string, string> = {},
  ) {
    this.child = spawn(process.execPath, ['scripts/start.mjs'], {
      cwd: projectRoot,
      env: { PATH: process.env.PATH ?? '', TMPDIR: tmpdir(), STOWAGE_DATA_DIR: dataDir, STOWAGE_HTTP_PORT: String(port), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.waiting.forEach((check) => check());
      });
    }
    this.ended = once(this.child, 'close').then(([code]) => code as number | null);
    running.add(this);
    void this.ended.then(() => {
      running.delete(this);
      this.waiting.forEach((check) => check());
    });
  }

  /** Resolves when the output holds the text; rejects with the whole output when the launcher ends before. */
  async prints(text: string): Promise<void> {
    await new Promise<void>((found, fail) => {
      const check = () => {
        if (this.output.includes(text)) found();
        else if (!running.has(this)) fail(new Error(`ended without printing "${text}":\n${this.output}`));
      };
      this.waiting.push(check);
      check();
    });
  }

  state(): RunState {
    return JSON.parse(readFileSync(join(this.dataDir, 'state.json'), 'utf8')) as RunState;
  }

  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal) this.child.kill(signal);
    return this.ended;
  }
}

const running = new Set<Launcher>();

/** Waits until none of the processes is alive; the test's own time limit ends the wait. */
async function allGone(pids: number[]): Promise<void> {
  while (pids.some((pid) => processIdentity(pid))) await new Promise((resolvePause) => setTimeout(resolvePause, 20));
}

const allPids = ({ pid, api, worker, postgres }: RunState) => [pid, api.pid, worker.pid, postgres.pid];
const health = async (port: number) => (await fetch(`http://127.0.0.1:${port}/health/ready`)).status;

describe('npm start', { timeout: 180_000 }, () => {
  let root: string;
  let dataDir: string;
  let port: number;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'start-'));
    dataDir = join(root, 'data');
    port = await freePort();
  });
  afterEach(async () => {
    await Promise.all([...running].map((launcher) => launcher.end('SIGTERM')));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('makes everything at the first start, refuses a second one, ends cleanly on Ctrl-C', async () => {
    const launcher = new Launcher(dataDir, port);
    await launcher.prints('Ctrl-C stops it.');
    expect(launcher.output).toMatch(/First administrator: \S+@\S+\n\s+Password:\s+\S{12,}/);
    expect(launcher.output).toContain(`http://localhost:${port}/docs`);
    expect(await health(port)).toBe(200);

    const twin = new Launcher(dataDir, await freePort());
    expect(await twin.end()).toBe(1);
    expect(twin.output).toContain(`another Stowage (process ${launcher.state().pid}) already runs on the data folder ${dataDir}`);

    const rival = new Launcher(join(root, 'other'), port);
    expect(await rival.end()).toBe(1);
    expect(rival.output).toContain(`port ${port} on 127.0.0.1 is in use by another program; set STOWAGE_HTTP_PORT to a free one`);

    const state = launcher.state();
    expect(await launcher.end('SIGINT')).toBe(0);
    expect(launcher.output).toContain('Stowage has stopped');
    expect(allPids(state).filter((pid) => processIdentity(pid))).toEqual([]);
    expect(existsSync(join(dataDir, 'state.json'))).toBe(false);
    expect(existsSync(state.postgres.socketDir)).toBe(false);
  });

  it('finds its data at the next start, and starts a crashed part again', async () => {
    const secret = readFileSync(join(dataDir, 'secret.key'), 'utf8');
    const launcher = new Launcher(dataDir, port);
    await launcher.prints('Ctrl-C stops it.');
    expect(launcher.output).not.toContain('First administrator');
    expect(launcher.output).not.toContain('note:');
    expect(readFileSync(join(dataDir, 'secret.key'), 'utf8')).toBe(secret);

    process.kill(launcher.state().api.pid, 'SIGKILL');
    await launcher.prints('[api] runs again');
    expect(await health(port)).toBe(200);
    process.kill(launcher.state().worker.pid, 'SIGKILL');
    await launcher.prints('[worker] runs again');
    process.kill(launcher.state().postgres.pid, 'SIGKILL');
    await launcher.prints('[postgres] runs again');
    expect(await launcher.end('SIGINT')).toBe(0);
  });

  it('leaves no process when it is killed, and says at the next start what it found', async () => {
    const killed = new Launcher(dataDir, port);
    await killed.prints('Ctrl-C stops it.');
    const state = killed.state();
    await killed.end('SIGKILL');
    await allGone(allPids(state));

    const launcher = new Launcher(dataDir, port);
    await launcher.prints('Ctrl-C stops it.');
    expect(launcher.output).toContain(`an earlier run (process ${state.pid}, started `);
    expect(existsSync(state.postgres.socketDir)).toBe(false);
    expect(await launcher.end('SIGINT')).toBe(0);
  });

  it('passes the one line on that says what is wrong with the configuration', async () => {
    const launcher = new Launcher(dataDir, port, { STOWAGE_ACCOUNT_CONFIRMATION: 'maybe' });
    expect(await launcher.end()).toBe(1);
    expect(launcher.output).toMatch(/^.*STOWAGE_ACCOUNT_CONFIRMATION must be one of mail, off.*$/m);
    expect(launcher.output).not.toContain('    at ');
  });

  it('stops in order when it is told to while it starts', async () => {
    const launcher = new Launcher(dataDir, port);
    await launcher.prints('migrating ...');
    const { postgres } = launcher.state();
    expect(await launcher.end('SIGTERM')).toBe(0);
    expect(processIdentity(postgres.pid)).toBeUndefined();
    expect(existsSync(join(dataDir, 'state.json'))).toBe(false);
  });
});
