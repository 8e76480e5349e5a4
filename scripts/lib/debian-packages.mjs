import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { inProject } from './project.mjs';
import { ended } from './process-tree.mjs';

/** Whether this system gets its programs from Debian packages. */
export function isDebian() {
  const release = osRelease();
  return `${release.ID ?? ''} ${release.ID_LIKE ?? ''}`.split(' ').includes('debian') && Boolean(findProgram('apt-get') && findProgram('dpkg-deb'));
}

function osRelease() {
  try {
    const lines = fs.readFileSync('/etc/os-release', 'utf8').split('\n');
    return Object.fromEntries(lines.filter((line) => line.includes('=')).map((line) => line.replaceAll('"', '').split('=', 2)));
  } catch {
    return {};
  }
}

/** Full path of a program in PATH (sbin folders included), or undefined. */
export function findProgram(name, searchPath = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`) {
  const folders = searchPath.split(':').filter(Boolean);
  return folders.map((folder) => path.join(folder, name)).find(isFile);
}

/** False also for what may not be looked at: PATH can hold folders of another user. */
function isFile(file) {
  try {
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Environment in which programs unpacked below `root` find their libraries, Python modules and each other. */
export function unpackedEnv(root) {
  const machine = `${{ x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch}-linux-gnu`;
  const libraries = [`usr/lib/${machine}`, `lib/${machine}`, `usr/lib/${machine}/ceph`, 'usr/lib'].map((folder) => path.join(root, folder));
  return {
    ...process.env,
    PATH: `${root}/usr/bin:${root}/usr/sbin:${process.env.PATH}:/usr/sbin:/sbin`,
    LD_LIBRARY_PATH: libraries.join(':'),
    PYTHONPATH: `${root}/usr/lib/python3/dist-packages`,
    STOWAGE_UNPACKED_LIB: `${root}/usr/lib/${machine}`,
  };
}

/**
 * Downloads Debian packages with what they need beyond the installed system and unpacks them without installing anything; works for every user.
 * The result is kept in the project's .cache folder and used again.
 * @param {string} name of the folder in the cache
 * @param {string[]} packages
 * @param {(root: string) => boolean} works tells whether an unpacked tree can be used
 * @returns {Promise<string>} the folder that stands for `/`
 */
export async function unpackDebianPackages(name, packages, works) {
  const cache = inProject('.cache', `debian-${osRelease().VERSION_ID ?? 'unknown'}-${process.arch}`);
  const target = path.join(cache, name);
  if (fs.existsSync(target)) {
    if (works(target)) return target;
    fs.rmSync(target, { recursive: true, force: true });
  }
  fs.mkdirSync(cache, { recursive: true });
  const work = fs.mkdtempSync(path.join(cache, `${name}.`));
  try {
    const root = await downloadAndUnpack(work, packages);
    if (!works(root)) throw new Error(`the unpacked packages ${packages.join(', ')} do not run`);
    if (!fs.existsSync(target)) fs.renameSync(root, target);
    return target;
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

async function downloadAndUnpack(work, packages) {
  const at = (...parts) => path.join(work, ...parts);
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'root']) fs.mkdirSync(at(folder), { recursive: true });
  const options = [
    `Dir::State=${at('state')}`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${at('cache')}`,
    'Debug::NoLocking=1',
    ...(process.getuid() === 0 ? ['APT::Sandbox::User=root'] : []),
    'Acquire::Languages=none',
    'APT::Update::Post-Invoke=',
    'APT::Update::Post-Invoke-Success=',
  ].flatMap((option) => ['-o', option]);
  await capture(['apt-get', ...options, '-qq', 'update'], work);
  const plan = await capture(['apt-get', ...options, '--simulate', '--no-install-recommends', 'install', ...packages], work);
  // Packages that are installed already are part of the system and need no copy.
  const wanted = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]);
  if (wanted.length > 0) await capture(['apt-get', ...options, '-qq', 'download', ...wanted], at('cache'));
  for (const archive of fs.readdirSync(at('cache')).filter((file) => file.endsWith('.deb'))) {
    await capture(['dpkg-deb', '-x', at('cache', archive), at('root')], work);
  }
  fs.chmodSync(at('root'), 0o755);
  return at('root');
}

/** Standard output of a command; its standard error becomes the error's text when it fails. */
async function capture(command, cwd) {
  const child = spawn(command[0], command.slice(1), {
    cwd,
    env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  const closed = new Promise((resolve) => child.once('close', resolve));
  const { code, error } = await ended(child);
  if (error) throw error;
  await closed;
  if (code !== 0) throw new Error(`${command[0]} failed with exit code ${code}: ${errors.trim().split('\n').slice(-3).join(' ')}`);
  return output;
}
