import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { findProgram, isDebian, unpackDebianPackages, unpackedEnv } from './debian-packages.mjs';

const NAMES = ['chromium', 'chromium-headless-shell', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** The browser without a window, and one family of fonts: it ends at once where there is none. */
const PACKAGES = ['chromium-headless-shell', 'fonts-dejavu-core'];

const runs = (program, env) => spawnSync(program, ['--version'], { env, timeout: 30_000 }).status === 0;
const shellIn = (root) => path.join(root, 'usr/lib/chromium/chromium-headless-shell');

/**
 * A Chromium: from PATH, else unpacked Debian packages; undefined where neither is possible.
 * @returns {Promise<{ program: string, origin: string } | undefined>}
 */
export async function findChromium() {
  for (const name of NAMES) {
    const program = findProgram(name);
    if (program && runs(program, process.env)) return { program, origin: program };
  }
  if (!isDebian()) return undefined;
  const root = await unpackDebianPackages('chromium', PACKAGES, (tree) => runs(shellIn(tree), { ...process.env, ...environment(tree) }));
  return { program: starter(root), origin: 'unpacked Debian packages' };
}

function environment(root) {
  const { LD_LIBRARY_PATH, STOWAGE_UNPACKED_LIB } = unpackedEnv(root);
  return { LD_LIBRARY_PATH: `${LD_LIBRARY_PATH}:${STOWAGE_UNPACKED_LIB}/pulseaudio`, FONTCONFIG_FILE: path.join(root, 'fonts.conf') };
}

/** A script beside the unpacked tree's folders that starts its browser with its libraries and fonts, so that one path is all that callers need. */
function starter(root) {
  const fonts = ['/usr/share/fonts', path.join(root, 'usr/share/fonts')].map((folder) => `<dir>${escaped(folder)}</dir>`).join('');
  writeOnce(
    path.join(root, 'fonts.conf'),
    `<?xml version="1.0"?>\n<fontconfig>${fonts}<cachedir>${escaped(path.join(root, 'font-cache'))}</cachedir></fontconfig>\n`,
    0o644,
  );
  const variables = Object.entries(environment(root)).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  return writeOnce(path.join(root, 'chromium'), `#!/bin/sh\n${variables.join('')}exec ${quoted(shellIn(root))} "$@"\n`, 0o755);
}

/** Writes a file, unless it is so already, in one step: another run never sees half of it, and a user who may only read needs no more. */
function writeOnce(file, text, mode) {
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) return file;
  const temporary = `${file}.${process.pid}`;
  fs.writeFileSync(temporary, text, { mode });
  fs.renameSync(temporary, file);
  return file;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
