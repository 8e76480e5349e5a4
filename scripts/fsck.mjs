import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build } from './lib/build.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { embeddedDatabase } from './lib/embedded-database.mjs';
import { secretKey } from './lib/instance.mjs';
import { inProject, LauncherError, loadDotEnv, projectRoot, setting } from './lib/project.mjs';

// Compares the ledger in the database with the objects in the store, while Stowage runs or not. Reads the same settings as `npm start`.
// Exit code 0: nothing is wrong; 1: something is; 2: it could not be looked at.

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
