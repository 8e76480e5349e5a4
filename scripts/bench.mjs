import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build } from './lib/build.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { inProject } from './lib/project.mjs';
import { say, step } from './lib/progress.mjs';
import { ended, spawnCommand } from './lib/process-tree.mjs';
import { cleanEnv, makeTemporaryDir } from './lib/test-environment.mjs';
import { TestServices } from './lib/test-services.mjs';

const PAGE = 'docs/operations/benchmarks.md';

/** The page of results, from the rows of one run. */
function page(rows) {
  const { length: cores, 0: cpu } = os.cpus();
  return [
    '# Benchmarks',
    '',
    'Made by `npm run bench`: every figure stands beside the limit it is held against in the same run, with `fsync` on and client, api, worker and PostgreSQL on one',
    `machine. This run: ${new Date().toISOString().slice(0, 10)}, ${cores} cores (${cpu.model.trim()}), ${Math.round(os.totalmem() / 2 ** 30)} GiB, Node ${process.version}.`,
    '`npm run bench -- tree search` runs some of them and leaves this page alone.',
    '',
    '| bench | what | measured | limit | kept |',
    '|---|---|---|---|---|',
    ...rows.map((row) => `| ${row.bench} | ${row.what} | ${row.measured} | ${row.limit} | ${row.kept ? 'yes' : '**no**'} |`),
    '',
  ].join('\n');
}

async function main(names) {
  const dir = makeTemporaryDir();
  const results = path.join(dir, 'results.jsonl');
  const services = new TestServices({ dir, baseEnv: cleanEnv(path.join(dir, 'tmp')), durable: true });
  try {
    await ensureDependencies({ dev: true });
    await step('compiling', () => build());
    await services.need(['postgres']);
    const env = { ...services.baseEnv, ...services.env, STOWAGE_TEST_MODE: 'embedded', STOWAGE_BENCH_RESULTS: results };
    const command = [
      process.execPath,
      inProject('node_modules/vitest/vitest.mjs'),
      'run',
      '--project',
      'bench',
      '--no-file-parallelism',
      '--reporter=dot',
      ...names,
    ];
    const { code } = await ended(spawnCommand(command, { cwd: inProject(), env, stdio: 'inherit' }));
    const rows = fs.existsSync(results)
      ? fs
          .readFileSync(results, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [];
    if (names.length === 0 && code === 0) {
      fs.writeFileSync(inProject(PAGE), page(rows));
      say(`${rows.length} results written to ${PAGE}`);
    }
    process.exitCode = code ?? 1;
  } finally {
    await services.stop();
    fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

await main(process.argv.slice(2));
