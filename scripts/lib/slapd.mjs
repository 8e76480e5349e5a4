import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { findProgram, isDebian, unpackDebianPackages, unpackedEnv } from './debian-packages.mjs';

const runs = (program, env) => spawnSync(program, ['-VV'], { env }).status === 0;

/**
 * An LDAP server (OpenLDAP's slapd): from PATH, else unpacked Debian packages; undefined where neither is possible. `root` is what stands for `/`.
 * @returns {Promise<{ program: string, root: string, libraries: string, origin: string } | undefined>}
 */
export async function findSlapd() {
  const program = findProgram('slapd');
  if (program && runs(program, process.env)) return { program, root: '/', libraries: '', origin: program };
  if (!isDebian()) return undefined;
  const programIn = (root) => path.join(root, 'usr/sbin/slapd');
  const root = await unpackDebianPackages('slapd', ['slapd'], (tree) => runs(programIn(tree), unpackedEnv(tree)));
  return { program: programIn(root), root, libraries: unpackedEnv(root).LD_LIBRARY_PATH, origin: 'unpacked Debian packages' };
}
