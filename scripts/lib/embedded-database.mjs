import fs from 'node:fs';
import path from 'node:path';
import { startEmbeddedPostgres } from './embedded-postgres.mjs';
import { claimDataDir } from './instance.mjs';
import { isSameProcess } from './process-tree.mjs';
import { LauncherError } from './project.mjs';

/** The database of the instance in this data folder: of the one that runs, or started for the check. */
export async function embeddedDatabase(dataDir) {
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
