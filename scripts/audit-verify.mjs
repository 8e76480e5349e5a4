import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build } from './lib/build.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { embeddedDatabase } from './lib/embedded-database.mjs';
import { secretKey } from './lib/instance.mjs';
import { inProject, LauncherError, loadDotEnv, projectRoot, setting } from './lib/project.mjs';

// Reads the chain of audit records, while Stowage runs or not, with the settings of `npm start`: its secret key, because the records are signed with it.
// Exit code 0: the records hold; 1: they do not; 2: they could not be looked at.

let stop = async () => undefined;
try {
  loadDotEnv();
  const dataDir = path.resolve(projectRoot, setting('STOWAGE_DATA_DIR') ?? '.stowage');
  const key = setting('STOWAGE_SECRET_KEY') ?? (fs.existsSync(dataDir) ? secretKey(dataDir) : undefined);
  if (!key) throw new LauncherError('the records are signed with STOWAGE_SECRET_KEY; set it as for the server');
  await ensureDependencies({});
  await build();
  const env = { ...process.env, STOWAGE_DATA_DIR: dataDir, STOWAGE_SECRET_KEY: key };
  if (!setting('DATABASE_URL')) {
    const database = await embeddedDatabase(dataDir);
    stop = database.stop;
    env.DATABASE_URL = database.url;
  }
  const command = ['--enable-source-maps', inProject('dist/apps/worker/src/audit-verify.js'), ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, command, { cwd: projectRoot, env, stdio: 'inherit' }).status ?? 2;
} catch (error) {
  console.error(error instanceof LauncherError ? `audit: ${error.message}` : error.stack);
  process.exitCode = 2;
} finally {
  await stop();
}
