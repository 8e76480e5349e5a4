import { availableParallelism } from 'node:os';

import swc from 'unplugin-swc';
import { defineConfig } from 'vitest/config';

// Sources are run as they stand: the `stowage-source` condition makes `#libs/*` resolve to TypeScript instead of dist.
// Only conditions that Node itself may have: vitest hands the list to its workers, where `import` or `module` would make require() load ES modules.
// Files share the modules that a worker has loaded: loading them anew for each file was a third of the CPU time of the suite. So no test may change what a
// module keeps, or leave anything running.
const shared = {
  plugins: [swc.vite({ module: { type: 'es6' } })],
  resolve: { conditions: ['stowage-source', 'node'] },
  ssr: { resolve: { conditions: ['stowage-source', 'node'] } },
};

export default defineConfig({
  ...shared,
  test: {
    // Tests wait for other processes much of their time: two files at once even on two cores, where one would be the default.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        ...shared,
        test: { name: 'unit', include: ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/support/**/*.spec.ts'], environment: 'node', isolate: false },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.int-spec.ts'],
          environment: 'node',
          isolate: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.e2e-spec.ts'],
          setupFiles: ['test/support/show-logs.ts'],
          environment: 'node',
          isolate: false,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
      {
        ...shared,
        test: { name: 'bench', include: ['test/bench/**/*.bench.ts'], environment: 'node', testTimeout: 600_000, hookTimeout: 600_000 },
      },
    ],
  },
});
