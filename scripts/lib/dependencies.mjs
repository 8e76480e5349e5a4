import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { inProject, LauncherError, projectRoot } from './project.mjs';
import { say, seconds } from './progress.mjs';
import { ended } from './process-tree.mjs';

const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

/**
 * Names the first package that the lock file asks for and node_modules does not hold in that version; undefined when all are there.
 * Optional packages (other platforms) may be missing, and so may development packages when `dev` is false.
 * @param {{ packages: Record<string, { version?: string, optional?: boolean, dev?: boolean, devOptional?: boolean, link?: boolean }> }} lock
 * @param {{ packages: Record<string, { version?: string }> }} installed content of node_modules/.package-lock.json
 */
export function findMissingPackage(lock, installed, { dev }) {
  for (const [place, wanted] of Object.entries(lock.packages)) {
    if (place === '' || wanted.link) continue;
    const found = installed.packages[place];
    const mayBeMissing = wanted.optional || wanted.devOptional || (wanted.dev && !dev);
    if (found ? found.version !== wanted.version : !mayBeMissing) return place.replace(/^.*node_modules\//, '');
  }
  return undefined;
}

function reasonToInstall({ dev }) {
  const record = inProject('node_modules/.package-lock.json');
  if (!fs.existsSync(record)) return 'node_modules is missing';
  const missing = findMissingPackage(readJson(inProject('package-lock.json')), readJson(record), { dev });
  return missing && `${missing} is not installed as package-lock.json asks`;
}

/**
 * Installs the packages of package-lock.json when they are not there. Install scripts are not needed and not run.
 * @param {{ dev?: boolean, signal?: AbortSignal }} [options] `dev`: the development packages are needed too
 */
export async function ensureDependencies({ dev = false, signal } = {}) {
  const reason = reasonToInstall({ dev });
  if (!reason) return;
  const begun = performance.now();
  say(`  installing packages (${reason}): npm ci ...`);
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const args = [...npm.slice(1), 'ci', '--ignore-scripts', '--include=optional', ...(dev ? ['--include=dev'] : [])];
  const child = spawn(npm[0], args, { cwd: projectRoot, signal, stdio: ['ignore', 'inherit', 'inherit'] });
  const heartbeat = setInterval(() => say(`  installing packages: ${Math.round((performance.now() - begun) / 1000)} s so far`), 5000);
  const { code, error } = await ended(child);
  clearInterval(heartbeat);
  if (error) throw new LauncherError(`npm could not be started (${error.message}); install npm, or run "npm ci" yourself`);
  if (code !== 0) throw new LauncherError(`"npm ci" failed with exit code ${code}; its own message is above`);
  say(`  installing packages: done in ${seconds(performance.now() - begun)}`);
}
