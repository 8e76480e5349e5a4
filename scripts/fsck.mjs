import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build } from './lib/build.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { startEmbeddedPostgres } from './lib/embedded-postgres.mjs';
import { claimDataDir, secretKey } from './lib/instance.mjs';
import { isSameProcess } from './lib/process-tree.mjs';
import { inProject, LauncherError, loadDotEnv, projectRoot, setting } from './lib/project.mjs';

// Compares the ledger in the database with the objects in the store, while Stowage runs or not. Reads the same settings as `npm start`.
// Exit code 0: nothing is wrong; 1: something is; 2: it could not be looked at.

/** The database of the instance in this data folder: of the one that runs, or started for the check. */
async function embeddedDatabase(dataDir) {
  const credentials = path.join(dataDir, 'postgres.json');
  if (!fs.existsSync(credentials)) throw new LauncherError(`there is no Stowage in ${dataDir}; set STOWAGE_DATA_DIR, or DATABASE_URL`);
  const state = readJson(path.join(dataDir, 'state.json'));
  if (state?.postgres && isSameProcess(state.pid, state.identity)) {
    const host = encodeURIComponent(state.postgres.socketDir);
    return { url: `postgresql://stowage:${readJson(credentials).appPassword}@localhost/stowage?host=${host}&port=5432`, stop: async () => undefined };
  }
  const claim = claimDataDir(dataDir);
  const postgres = await startEmbeddedPostgres({ dataDir, logFile: path.join(dataDir, 'log', 'postgres.log') });
  const stop = async () => {
    await postgres.stop();
    claim.release();
  };
  return { url: postgres.appUrl(), stop };
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

let stop = async () => undefined;
try {
  loadDotEnv();
  const dataDir = path.resolve(projectRoot, setting('STOWAGE_DATA_DIR') ?? '.stowage');
  await ensureDependencies({});
  await build();
  const env = { ...process.env, STOWAGE_DATA_DIR: dataDir };
  if (!setting('DATABASE_URL')) {
    const database = await embeddedDatabase(dataDir);
    stop = database.stop;
    env.DATABASE_URL = database.url;
  }
  // No URL is signed here: with a database of one's own there may be no key in this folder.
  env.STOWAGE_SECRET_KEY = setting('STOWAGE_SECRET_KEY') ?? (fs.existsSync(dataDir) ? secretKey(dataDir) : 'fsck signs no URL, so any text will do');
  const { status } = spawnSync(process.execPath, ['--enable-source-maps', inProject('dist/apps/worker/src/fsck.js'), ...process.argv.slice(2)], {
    cwd: projectRoot,
    env,
    stdio: 'inherit',
  });
  process.exitCode = status ?? 2;
} catch (error) {
  console.error(error instanceof LauncherError ? `fsck: ${error.message}` : error.stack);
  process.exitCode = 2;
} finally {
  await stop();
}
