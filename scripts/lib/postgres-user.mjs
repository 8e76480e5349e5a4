import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

// PostgreSQL refuses to run as root and needs an entry in the user list. A "runner" is the way one of its programs is started on this machine:
//   ids   uid and gid for spawn (empty when they need no change)
//   wrap  command words to put around a program
//   name  for messages

const NOBODY = 65534;
// A private user namespace in which our own id carries the number of `nobody`: files stay ours outside, PostgreSQL sees an ordinary user.
const NAMESPACE = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];

function userEntries() {
  const lines = fs.readFileSync('/etc/passwd', 'utf8').split('\n');
  return lines.map((line) => line.split(':')).map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
}

const asItself = () => ({ kind: 'self', name: `user ${process.getuid()}`, ids: {}, wrap: (command) => command });

/** Runner that changes to the given user; only root can use it. */
export function asUser({ name, uid, gid }) {
  return { kind: 'user', name, uid, gid, ids: { uid, gid }, wrap: (command) => command };
}

/** Runner inside a user namespace, or undefined where the system does not permit one. */
export function asNamespace() {
  const probe = spawnSync(NAMESPACE[0], [...NAMESPACE.slice(1), 'true'], { cwd: '/' });
  if (probe.status !== 0) return undefined;
  return { kind: 'namespace', name: 'a user namespace', ids: {}, wrap: (command) => [...NAMESPACE, ...command] };
}

/** The unprivileged user that root lends to PostgreSQL: `postgres` where it exists, else `nobody`. */
export function lentUser() {
  const entries = userEntries();
  const found = ['postgres', 'nobody'].map((name) => entries.find((entry) => entry.name === name)).find(Boolean);
  return found ?? { name: 'nobody', uid: NOBODY, gid: NOBODY };
}

/** User entry for a uid; without a name when the user list has none. */
export function userOf(uid, gid) {
  return userEntries().find((entry) => entry.uid === uid) ?? { name: `user ${uid}`, uid, gid };
}

/** Runner for a user who is not root: itself, or a namespace when the user list does not know the id (`docker run --user 12345`). */
export function ordinaryRunner() {
  if (process.platform !== 'linux' || userEntries().some((entry) => entry.uid === process.getuid())) return asItself();
  return asNamespace() ?? asItself();
}

/** Whether the runner can enter this folder. */
export function canEnter(runner, folder) {
  const [program, ...args] = runner.wrap(['/bin/sh', '-c', 'cd "$1"', 'sh', folder]);
  return spawnSync(program, args, { cwd: '/', ...runner.ids }).status === 0;
}
