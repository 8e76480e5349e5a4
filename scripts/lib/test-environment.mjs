import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const OWN_VARIABLES = /^(STOWAGE_|S3_|AWS_|REDIS_URL$|DATABASE_URL$|SMTP_URL$|NODE_ENV$|VITEST)/;

/** The environment of tools and tests: what configures a Stowage on this machine must not reach them. */
export function cleanEnv(temporary) {
  const kept = Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.test(name));
  const PATH = `${path.dirname(process.execPath)}:${process.env.PATH}`;
  return { ...Object.fromEntries(kept), PATH, TMPDIR: temporary, NODE_ENV: 'test', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
}

/** A short temporary folder that other users may pass through, because root lends PostgreSQL to one. */
export function makeTemporaryDir() {
  const base = os.tmpdir().length <= 20 ? os.tmpdir() : '/tmp';
  const dir = fs.mkdtempSync(path.join(base, 'stowage-test-'));
  fs.mkdirSync(path.join(dir, 'tmp'));
  for (const each of [dir, path.join(dir, 'tmp')]) fs.chmodSync(each, 0o711);
  return dir;
}
