import crypto from 'node:crypto';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { findProgram, isDebian, unpackDebianPackages, unpackedEnv } from './debian-packages.mjs';
import { freePorts, waitForPort } from './ports.mjs';
import { dieWithParent, ended, endProcess, spawnCommand } from './process-tree.mjs';

// A whole, real S3 server for tests: Ceph's object gateway over one monitor and one storage daemon that keeps its objects in memory.

const PROGRAMS = ['ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin'];
const PACKAGES = ['ceph-mon', 'ceph-osd', 'radosgw', 'ceph-common'];

/**
 * Ceph's programs: from PATH, else unpacked Debian packages; undefined where neither is possible.
 * @returns {Promise<{ root?: string, env: NodeJS.ProcessEnv, origin: string } | undefined>}
 */
export async function findCeph() {
  if (PROGRAMS.every((name) => findProgram(name))) {
    return { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }, origin: 'programs in PATH' };
  }
  if (!isDebian()) return undefined;
  const root = await unpackDebianPackages(
    'ceph',
    PACKAGES,
    (tree) => spawnSync(path.join(tree, 'usr/bin/radosgw'), ['--version'], { env: unpackedEnv(tree) }).status === 0,
  );
  return { root, env: unpackedEnv(root), origin: 'unpacked Debian packages' };
}

/**
 * Starts the gateway on a free port of 127.0.0.1 with one user; everything ends with this process and nothing is kept.
 * @param {{ root?: string, env: NodeJS.ProcessEnv }} found
 * @param {{ dir: string }} options a short path: sockets are made in it
 * @returns {Promise<{ endpoint: string, accessKeyId: string, secretAccessKey: string, gatewayPid: number, stop: () => Promise<void> }>}
 */
export async function startCeph(found, { dir }) {
  for (const folder of ['mon', 'osd', 'run', 'log', 'rgw']) fs.mkdirSync(path.join(dir, folder), { recursive: true });
  const [port, monitorPort, legacyPort] = await freePorts(3);
  const monitor = `[v2:127.0.0.1:${monitorPort},v1:127.0.0.1:${legacyPort}]`;
  const fsid = crypto.randomUUID();
  const configFile = path.join(dir, 'ceph.conf');
  fs.writeFileSync(configFile, cephConfig({ dir, fsid, monitor, library: found.root && found.env.STOWAGE_UNPACKED_LIB }));
  const site = { env: { ...found.env, CEPH_CONF: configFile, CEPH_ARGS: `--conf ${configFile}` }, dir, root: found.root };
  const daemons = [];
  const stop = async () => {
    await Promise.all(daemons.map((daemon) => endProcess(daemon, { signal: 'SIGKILL' })));
  };
  const keys = { accessKeyId: crypto.randomBytes(10).toString('hex').toUpperCase(), secretAccessKey: crypto.randomBytes(20).toString('hex') };
  try {
    await runCeph(site, ['monmaptool', '--create', '--fsid', fsid, '--addv', 'a', monitor, path.join(dir, 'monmap')]);
    await runCeph(site, ['ceph-mon', '--mkfs', '-i', 'a', '--monmap', path.join(dir, 'monmap'), '--keyring', '/dev/null']);
    const mon = startDaemon(site, daemons, ['ceph-mon', '-f', '-i', 'a']);
    await waitForPort(monitorPort, { failed: mon.failed });
    const osdId = crypto.randomUUID();
    await runCeph(site, [...cephCommand(found), '--connect-timeout', '30', 'osd', 'new', osdId]);
    await runCeph(site, ['ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osdId]);
    startDaemon(site, daemons, ['ceph-osd', '-f', '-i', '0']);
    await runCeph(site, [
      'radosgw-admin',
      'user',
      'create',
      '--uid=tests',
      '--display-name=tests',
      `--access-key=${keys.accessKeyId}`,
      `--secret=${keys.secretAccessKey}`,
    ]);
    const gateway = startDaemon(site, daemons, ['radosgw', '-f', '-n', 'client.admin', '--rgw-frontends', `beast endpoint=127.0.0.1:${port}`]);
    await waitForPort(port, { timeoutMs: 60_000, failed: gateway.failed });
    return { endpoint: `http://127.0.0.1:${port}`, ...keys, gatewayPid: gateway.pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The `ceph` command is a Python script; unpacked, it may need the Python that was unpacked with it. */
function cephCommand({ root }) {
  if (!root) return ['ceph'];
  const programs = fs.readdirSync(path.join(root, 'usr/bin'));
  const python = programs.find((name) => /^python3\.\d+$/.test(name));
  return [python ? path.join(root, 'usr/bin', python) : 'python3', path.join(root, 'usr/bin/ceph')];
}

function startDaemon({ env, dir }, daemons, command) {
  const file = path.join(dir, 'log', `${command[0]}.out`);
  const log = fs.openSync(file, 'a');
  const child = spawnCommand([...dieWithParent('KILL'), ...command], { env, cwd: dir, detached: true, stdio: ['ignore', log, log] });
  fs.closeSync(log);
  daemons.unshift(child);
  let end;
  void ended(child).then((result) => (end = result));
  return { pid: child.pid, failed: () => end && `${command[0]} ended: ${fs.readFileSync(file, 'utf8').trim().split('\n').slice(-3).join(' ')}` };
}

async function runCeph({ env, dir }, command) {
  const child = spawnCommand([...dieWithParent('KILL'), ...command], { env, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const { code, signal, error } = await ended(child);
  clearTimeout(timer);
  if (code === 0) return;
  throw new Error(
    `${command.slice(0, 3).join(' ')} failed (${error?.message ?? signal ?? `exit code ${code}`}): ${errors.trim().split('\n').slice(-3).join(' ')}`,
  );
}

function cephConfig({ dir, fsid, monitor, library }) {
  const sections = {
    global: {
      fsid,
      'mon host': monitor,
      'mon initial members': 'a',
      'public addr': '127.0.0.1',
      'cluster addr': '127.0.0.1',
      // No keys between the daemons: all of them are ours and listen on loopback only. Without `crc` the gateway asks for encryption and hangs.
      'auth cluster required': 'none',
      'auth service required': 'none',
      'auth client required': 'none',
      'ms mon client mode': 'crc',
      'ms client mode': 'crc',
      'ms cluster mode': 'crc',
      'ms service mode': 'crc',
      'run dir': `${dir}/run`,
      'log file': `${dir}/log/$name.log`,
      'admin socket': `${dir}/run/$name.asok`,
      'mon data': `${dir}/mon`,
      'osd data': `${dir}/osd`,
      'rgw data': `${dir}/rgw`,
      'osd objectstore': 'memstore',
      'memstore device bytes': 8 * 2 ** 30,
      'osd pool default size': 1,
      'osd pool default min size': 1,
      'osd pool default pg num': 1,
      'osd pool default pgp num': 1,
      'osd pool default pg autoscale mode': 'off',
      'osd crush chooseleaf type': 0,
      'mon allow pool size one': true,
      'mon warn on pool no redundancy': false,
      'mon max pg per osd': 1000,
      'mon data avail crit': 1,
      'osd max object name len': 2048,
      'osd class load list': '*',
      'osd class default list': '*',
      // The defaults collect changes of the cluster map for a second each; a start consists of a dozen of them.
      'paxos propose interval': 0.02,
      'paxos min wait': 0.01,
      'mon tick interval': 1,
      'rgw run sync thread': false,
      'rgw enable lc threads': false,
      'rgw gc obj min wait': 10,
      'rgw gc processor period': 10,
      'rgw gc processor max time': 10,
      'rgw enable usage log': false,
      'rgw enable ops log': false,
      ...(library && {
        'plugin dir': `${library}/ceph`,
        'osd class dir': `${library}/rados-classes`,
        'erasure code dir': `${library}/ceph/erasure-code`,
      }),
    },
    'client.admin': { keyring: '/dev/null' },
  };
  const section = ([name, entries]) => [`[${name}]`, ...Object.entries(entries).map(([key, value]) => `${key} = ${value}`)].join('\n');
  return `${Object.entries(sections).map(section).join('\n')}\n`;
}
