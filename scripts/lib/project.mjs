import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the project's root folder. */
export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Absolute path inside the project. */
export const inProject = (...parts) => path.join(projectRoot, ...parts);

/**
 * Flags of Node for api and worker; Dockerfile and docker-compose.yml name them too. Answers of thousands of entries die young: with the default
 * young generation of 16 MiB a quarter of the CPU of a large listing was garbage collection.
 */
export const PROCESS_FLAGS = ['--enable-source-maps', '--max-semi-space-size=64'];

/** A failure whose message is meant for the person at the keyboard: shown as it stands, without a stack. */
export class LauncherError extends Error {}

/** Loads `.env` from the project's root when there is one; variables that are already set win. */
export function loadDotEnv() {
  try {
    process.loadEnvFile?.(inProject('.env'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw new LauncherError(`.env cannot be read: ${error.message}`);
  }
}

/** Value of a variable, or undefined when it is unset, empty or only blanks. */
export function setting(name, env = process.env) {
  const value = env[name]?.trim();
  return value ? value : undefined;
}
