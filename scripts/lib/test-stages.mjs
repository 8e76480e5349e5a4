import fs from 'node:fs';
import path from 'node:path';
import { inProject, projectRoot } from './project.mjs';
import { say, seconds, warn } from './progress.mjs';
import { dieWithParent, ended, spawnCommand } from './process-tree.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** A static check: `file` is what the check cannot do without; a check whose file is missing fails unless `optional` is set. */
export const STATIC_CHECKS = [
  { name: 'types', file: 'tsconfig.json', command: ['tsc', '--noEmit', '-p', 'tsconfig.json'] },
  { name: 'lint', file: 'eslint.config.mjs', command: ['eslint', '.', '--max-warnings', '0'] },
  { name: 'formatting', file: '.prettierrc.json', command: ['prettier', '--check', '**/*.{ts,mjs,js,json}'] },
  {
    name: 'dependency rules',
    file: '.dependency-cruiser.mjs',
    command: ['depcruise', '--config', '.dependency-cruiser.mjs', 'apps', 'libs', 'migrations'],
  },
  { name: 'libs know no API', file: 'scripts/neutral-libs.mjs', command: ['node', 'scripts/neutral-libs.mjs'] },
  { name: 'unused code', file: 'knip.json', command: ['knip'] },
  { name: 'OpenAPI is current', file: 'scripts/openapi.mjs', command: ['node', 'scripts/openapi.mjs', '--check'] },
];

/** The suites that vitest runs, the services each of them needs, and the mode of its stacks. */
export const SUITES = [
  { name: 'unit', project: 'unit', services: [] },
  { name: 'integration', project: 'integration', services: ['postgres', 'redis', 's3', 'previews', 'ldap'] },
  { name: 'e2e-embedded', project: 'e2e', services: ['postgres', 'browser', 'previews', 'ldap'], mode: 'embedded' },
  { name: 'e2e-services', project: 'e2e', services: ['postgres', 'redis', 's3', 'browser', 'previews', 'ldap'], mode: 'services' },
];

const STAGE_LIMIT_MS = 45 * 60_000;

/** Runs commands of the project's tools and can end whatever of them is still running. */
export class StageRunner {
  #running = new Set();

  /** Ends every command under way with all that it started: vitest alone would first finish the tests it has begun. */
  abort() {
    for (const child of this.#running) killGroup(child);
  }

  /** Runs the static checks, two at a time; the output of a check is shown only when it fails. */
  async staticChecks(env) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const waiting = [...STATIC_CHECKS];
    const next = async () => {
      for (let check = waiting.shift(); check; check = waiting.shift()) add(counts, await this.#staticCheck(check, env));
    };
    await Promise.all([next(), next()]);
    return counts;
  }

  async #staticCheck({ name, file, command, optional = false }, env) {
    const begun = performance.now();
    if (!fs.existsSync(inProject(file))) {
      warn(`  ${name}: ${optional ? 'left out' : 'FAILED'}, ${file} does not exist`);
      return { passed: 0, failed: optional ? 0 : 1, skipped: optional ? 1 : 0 };
    }
    const { code, output } = await this.#run(tool(command), { env, capture: true });
    say(`  ${name}: ${code === 0 ? 'ok' : 'FAILED'} after ${seconds(performance.now() - begun)}`);
    if (code !== 0) warn(output.trimEnd());
    return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  }

  /**
   * Runs one suite with vitest and counts its tests.
   * @param {{ name: string, project: string }} suite
   * @param {{ env: NodeJS.ProcessEnv, dir: string, args: string[] }} options `args`: a developer's own, such as a file name
   */
  async vitest({ name, project }, { env, dir, args }) {
    const report = path.join(dir, `report-${name}.json`);
    const command = [
      'vitest',
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      '--no-color',
      ...args,
    ];
    const { code } = await this.#run(tool([...command, ...(args.length > 0 ? ['--passWithNoTests'] : [])]), { env });
    return countTests(readReport(report), code);
  }

  /** Whether the files of a suite have called everything that may change something; `folder` is what they have noted. */
  auditCoverage(folder, env) {
    return this.#staticCheck(
      { name: 'audit records of all actions', file: 'scripts/audit-coverage.mjs', command: ['node', 'scripts/audit-coverage.mjs', folder] },
      env,
    );
  }

  async #run(command, { env, capture = false }) {
    const child = spawnCommand([...dieWithParent('KILL'), ...command], {
      cwd: projectRoot,
      env,
      detached: true,
      stdio: ['ignore', capture ? 'pipe' : 'inherit', capture ? 'pipe' : 'inherit'],
    });
    this.#running.add(child);
    let output = '';
    for (const stream of capture ? [child.stdout, child.stderr] : []) stream.setEncoding('utf8').on('data', (chunk) => (output += chunk));
    const limit = setTimeout(() => {
      warn(`  no end after ${STAGE_LIMIT_MS / 60_000} minutes: ${command.slice(1, 4).join(' ')}`);
      killGroup(child);
    }, STAGE_LIMIT_MS);
    const closed = capture ? new Promise((resolve) => child.once('close', resolve)) : undefined;
    const { code, error } = await ended(child);
    if (!error) await closed;
    clearTimeout(limit);
    this.#running.delete(child);
    return { code: error ? 1 : code, output: error?.message ?? output };
  }
}

/** Kills a command that was started in a group of its own, and everything in that group. */
function killGroup(child) {
  try {
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Command line of a development tool under the Node that runs now. */
function tool([name, ...args]) {
  return name === 'node' ? [process.execPath, ...args] : [process.execPath, fs.realpathSync(inProject('node_modules/.bin', name)), ...args];
}

function readReport(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Counts of a vitest JSON report. A file that failed outside of a test (it does not compile, a hook threw) counts as one failure, and so does a run that
 * ended badly without naming a test.
 * @returns {Counts}
 */
export function countTests(report, exitCode) {
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Adds `more` to `counts`. */
export function add(counts, more) {
  for (const key of ['passed', 'failed', 'skipped']) counts[key] += more[key];
}
