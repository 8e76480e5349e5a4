import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { findProgram, isDebian, unpackDebianPackages, unpackedEnv } from './debian-packages.mjs';

/** Programs that make previews: what shows that one runs, and the Debian package that holds it. LibreOffice is too large to be brought for tests. */
const PROGRAMS = {
  pdftoppm: { test: '-v', packageName: 'poppler-utils' },
  ffmpeg: { test: '-version', packageName: 'ffmpeg' },
  ffprobe: { test: '-version', packageName: 'ffmpeg' },
};

const runs = (program, test, env) => spawnSync(program, [test], { env, timeout: 30_000 }).status === 0;

/**
 * Paths of the programs that make previews, by name: from PATH, else from unpacked Debian packages; one that cannot be had is absent.
 * @returns {Promise<Record<string, string>>}
 */
export async function findPreviewPrograms() {
  const found = {};
  for (const [name, { test, packageName }] of Object.entries(PROGRAMS)) {
    const installed = findProgram(name);
    if (installed && runs(installed, test, process.env)) found[name] = installed;
    else if (isDebian()) found[name] = await unpacked(name, test, packageName);
  }
  const office = findProgram('soffice');
  if (office) found.soffice = office;
  return found;
}

/** A script beside the unpacked tree that starts one of its programs with its libraries. */
async function unpacked(name, test, packageName) {
  const root = await unpackDebianPackages(packageName, [packageName], (tree) =>
    runs(path.join(tree, 'usr/bin', name), test, { ...process.env, LD_LIBRARY_PATH: libraries(tree) }),
  );
  const file = path.join(root, `${name}.sh`);
  const temporary = `${file}.${process.pid}`;
  fs.writeFileSync(
    temporary,
    `#!/bin/sh\nLD_LIBRARY_PATH=${quoted(libraries(root))}\nexport LD_LIBRARY_PATH\nexec ${quoted(path.join(root, 'usr/bin', name))} "$@"\n`,
    {
      mode: 0o755,
    },
  );
  fs.renameSync(temporary, file);
  return file;
}

function libraries(root) {
  const { LD_LIBRARY_PATH, STOWAGE_UNPACKED_LIB } = unpackedEnv(root);
  return [LD_LIBRARY_PATH, ...['pulseaudio', 'blas', 'lapack'].map((folder) => `${STOWAGE_UNPACKED_LIB}/${folder}`)].join(':');
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
