import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { findProgram, isDebian, unpackDebianPackages, unpackedEnv } from './debian-packages.mjs';
import { freePort, waitForPort } from './ports.mjs';
import { dieWithParent, ended, endProcess, spawnCommand } from './process-tree.mjs';

const runs = (program, env) => spawnSync(program, ['--version'], { env }).status === 0;

/**
 * A Redis server program: from PATH (Redis or Valkey), else unpacked Debian packages; undefined where neither is possible.
 * @returns {Promise<{ program: string, env: NodeJS.ProcessEnv, origin: string } | undefined>}
 */
export async function findRedis() {
  for (const name of ['redis-server', 'valkey-server']) {
    const program = findProgram(name);
    if (program && runs(program, process.env)) return { program, env: process.env, origin: program };
  }
  if (!isDebian()) return undefined;
  const programIn = (root) => path.join(root, 'usr/bin/redis-server');
  const root = await unpackDebianPackages('redis', ['redis-server'], (tree) => runs(programIn(tree), unpackedEnv(tree)));
  return { program: programIn(root), env: unpackedEnv(root), origin: 'unpacked Debian packages' };
}

/**
 * Starts a Redis of our own on a free port of 127.0.0.1; it ends with this process.
 * @param {{ program: string, env: NodeJS.ProcessEnv }} found
 * @param {{ dir: string, durable?: boolean, port?: number }} options `durable` keeps an append-only file in `dir`
 * @returns {Promise<{ url: string, port: number, pid: number, stop: () => Promise<void> }>}
 */
export async function startRedis(found, { dir, durable = false, port }) {
  fs.mkdirSync(dir, { recursive: true });
  const chosen = port ?? (await freePort());
  const log = fs.openSync(path.join(dir, 'redis.log'), 'a', 0o600);
  const settings = [
    '--port',
    chosen,
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    durable ? 'yes' : 'no',
    '--maxmemory-policy',
    'noeviction',
    '--databases',
    8192,
    '--daemonize',
    'no',
  ];
  const child = spawnCommand([...dieWithParent('TERM'), found.program, ...settings.map(String)], {
    env: found.env,
    cwd: dir,
    detached: true,
    stdio: ['ignore', log, log],
  });
  fs.closeSync(log);
  let end;
  void ended(child).then((result) => (end = result));
  await waitForPort(chosen, {
    failed: () => end && `redis-server ended: ${fs.readFileSync(path.join(dir, 'redis.log'), 'utf8').trim().split('\n').at(-1)}`,
  });
  return { url: `redis://127.0.0.1:${chosen}`, port: chosen, pid: child.pid, stop: () => endProcess(child, { graceMs: 5000 }) };
}
