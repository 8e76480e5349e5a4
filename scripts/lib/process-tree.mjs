import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';

let deathSignalSupported;

/**
 * Command words that make a program receive `signal` when its parent dies, however the parent dies. Empty where `setpriv` does not exist
 * (it is part of util-linux), in which case a killed parent may leave the program running.
 */
export function dieWithParent(signal) {
  deathSignalSupported ??= process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig=TERM', 'true']).status === 0;
  return deathSignalSupported ? ['setpriv', `--pdeathsig=${signal}`] : [];
}

/** Spawns `command` (program and arguments as one list). */
export function spawnCommand(command, options) {
  return spawn(command[0], command.slice(1), options);
}

/** Text that tells one life of a process id from a later reuse of the same id; undefined when no such process is alive. */
export function processIdentity(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return undefined;
  }
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return fs.existsSync('/proc/self') ? undefined : commandLine(pid);
  }
}

/** Whether the process that had this identity is still alive. */
export const isSameProcess = (pid, identity) => Boolean(identity) && processIdentity(pid) === identity;

/** Command line of a process, words joined by blanks; empty when unknown. */
export function commandLine(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    try {
      return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      return '';
    }
  }
}

/** Resolves with `{code, signal, error?}` when the child has ended (at once when it already has). */
export function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve({ code: child.exitCode, signal: child.signalCode });
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
  });
}

/**
 * Asks a child to end and resolves when it has.
 * @param {import('node:child_process').ChildProcess} child
 * @param {{ signal?: NodeJS.Signals, graceMs?: number, lastSignal?: NodeJS.Signals }} [options] after `graceMs` the last signal follows
 */
export async function endProcess(child, { signal = 'SIGTERM', graceMs = 10_000, lastSignal = 'SIGKILL' } = {}) {
  if (child.pid === undefined) return;
  const end = ended(child);
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  const timer = setTimeout(() => child.kill(lastSignal), graceMs);
  await end;
  clearTimeout(timer);
}

/** Sends `signal` to a process that is not our child and waits until it is gone; false when it is still there after `timeoutMs`. */
export async function endForeignProcess(pid, signal, timeoutMs) {
  const identity = processIdentity(pid);
  if (!identity) return true;
  process.kill(pid, signal);
  const deadline = Date.now() + timeoutMs;
  while (isSameProcess(pid, identity)) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return true;
}
