import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { LauncherError } from './project.mjs';
import { isSameProcess, processIdentity } from './process-tree.mjs';

/**
 * Makes the data folder when it is missing and checks that this user can write to it.
 * @returns {string} its absolute path
 */
export function openDataDir(dataDir) {
  const absolute = path.resolve(dataDir);
  const problem = (error) =>
    new LauncherError(
      `the data folder ${absolute} cannot be made or written by user ${process.getuid()} (${error.code}); set STOWAGE_DATA_DIR to a folder that can`,
    );
  try {
    if (!fs.existsSync(absolute)) {
      makeFolders(absolute);
      // Root lends the database to another user, who has to pass through; what lies inside has its own, narrow rights.
      fs.chmodSync(absolute, process.getuid() === 0 ? 0o711 : 0o700);
    }
    const probe = path.join(absolute, `.probe-${process.pid}`);
    fs.writeFileSync(probe, '');
    fs.rmSync(probe);
    fs.mkdirSync(path.join(absolute, 'log'), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw problem(error);
  }
  return absolute;
}

/** Makes a folder and those above it. (Node's own recursive form never returns where the file system refuses folders, as /proc does.) */
function makeFolders(folder) {
  if (!fs.existsSync(path.dirname(folder))) makeFolders(path.dirname(folder));
  fs.mkdirSync(folder);
}

/**
 * Claims the data folder for this process by creating `state.json` in it; another living Stowage there is an error that names its process.
 * @param {string} dataDir
 * @returns {{ earlier?: object, update: (facts: object) => void, release: () => void }} `earlier`: state left by a run that ended without clean-up
 */
export function claimDataDir(dataDir) {
  const file = path.join(dataDir, 'state.json');
  let state = { pid: process.pid, identity: processIdentity(process.pid), startedAt: new Date().toISOString() };
  const write = (flag) => fs.writeFileSync(file, `${JSON.stringify(state, null, 2)}\n`, { flag, mode: 0o600 });
  let earlier;
  for (let attempt = 1; ; attempt += 1) {
    try {
      write('wx');
      break;
    } catch (error) {
      if (error.code !== 'EEXIST' || attempt === 5) throw error;
      earlier = readState(file);
      if (earlier && isSameProcess(earlier.pid, earlier.identity)) {
        throw new LauncherError(
          `another Stowage (process ${earlier.pid}) already runs on the data folder ${dataDir}; stop it, or set STOWAGE_DATA_DIR to another folder`,
        );
      }
      // Renamed first: of two launchers that find the same leftover only one can take it away.
      const aside = `${file}.${process.pid}`;
      fs.renameSync(file, aside);
      fs.rmSync(aside);
    }
  }
  return {
    earlier,
    update: (facts) => {
      state = { ...state, ...facts };
      const temporary = `${file}.new`;
      fs.writeFileSync(temporary, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
      fs.renameSync(temporary, file);
    },
    release: () => fs.rmSync(file, { force: true }),
  };
}

function readState(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}

/** The key that signs URLs and tokens, made at the first start and kept in `secret.key`. */
export function secretKey(dataDir) {
  const file = path.join(dataDir, 'secret.key');
  try {
    const fresh = crypto.randomBytes(48).toString('base64url');
    fs.writeFileSync(file, `${fresh}\n`, { flag: 'wx', mode: 0o600 });
    return fresh;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const key = fs.readFileSync(file, 'utf8').trim();
  if (key.length < 32)
    throw new LauncherError(`${file} holds no key of at least 32 characters; restore it, or remove it to have a new one made (signed URLs end)`);
  return key;
}
