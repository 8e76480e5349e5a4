import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './lib/build.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { inProject } from './lib/project.mjs';
import { step } from './lib/progress.mjs';
import { ended, spawnCommand } from './lib/process-tree.mjs';
import { cleanEnv, makeTemporaryDir } from './lib/test-environment.mjs';
import { TestServices } from './lib/test-services.mjs';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' }, redis: { type: 'boolean', default: false } },
});

const dir = makeTemporaryDir();
const services = new TestServices({ dir, baseEnv: cleanEnv(path.join(dir, 'tmp')) });
try {
  await ensureDependencies({ dev: true });
  await step('compiling', () => build());
  await services.need(['postgres']);
  const env = {
    ...services.baseEnv,
    ...services.env,
    STOWAGE_TEST_MODE: values.redis ? 'services' : 'embedded',
    STOWAGE_FAULT_KILLS: values.kills,
    STOWAGE_FAULT_SEED: values.seed,
  };
  const command = [
    process.execPath,
    inProject('node_modules/vitest/vitest.mjs'),
    'run',
    '--project',
    'e2e',
    '--testTimeout',
    '14400000',
    'test/e2e/fault.e2e-spec.ts',
  ];
  const { code } = await ended(spawnCommand(command, { cwd: inProject(), env, stdio: 'inherit' }));
  process.exitCode = code ?? 1;
} finally {
  await services.stop();
  fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}
