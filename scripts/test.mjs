import fs from 'node:fs';
import path from 'node:path';
import { build } from './lib/build.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { inProject, LauncherError } from './lib/project.mjs';
import { say, seconds, step, warn } from './lib/progress.mjs';
import { cleanEnv, makeTemporaryDir } from './lib/test-environment.mjs';
import { parseTestOptions, STAGES, USAGE } from './lib/test-options.mjs';
import { TestServices } from './lib/test-services.mjs';
import { add, StageRunner, SUITES } from './lib/test-stages.mjs';

class TestRun {
  counts = { passed: 0, failed: 0, skipped: 0 };
  summary = [];
  interrupted = false;

  constructor(options) {
    this.options = options;
    this.dir = makeTemporaryDir();
    this.env = cleanEnv(path.join(this.dir, 'tmp'));
    this.services = new TestServices({ dir: this.dir, baseEnv: this.env });
    this.runner = new StageRunner();
  }

  /** Runs the chosen stages in order; a stage that fails does not keep the next one from running. */
  async stages() {
    await ensureDependencies({ dev: true });
    await this.#compile();
    const chosen = STAGES.filter((stage) => this.options.stages.includes(stage));
    for (const [index, name] of chosen.entries()) {
      if (this.interrupted) return;
      const begun = performance.now();
      say(`[${index + 1}/${chosen.length}] ${name}`);
      const counts = await this.#stage(name);
      add(this.counts, counts);
      const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
      this.summary.push(`  ${name.padEnd(14)} ${counts.passed} passed, ${counts.failed} failed${skipped} (${seconds(performance.now() - begun)})`);
    }
  }

  /** What does not compile is a failure, but no reason to leave out the tests that do not need it. */
  async #compile() {
    try {
      await step('compiling', () => build());
    } catch (error) {
      if (!(error instanceof LauncherError)) throw error;
      warn(error.message);
      this.counts.failed += 1;
      this.summary.push('  compiling      FAILED');
    }
  }

  async #stage(name) {
    if (name === 'static') return this.runner.staticChecks(this.env);
    const suite = SUITES.find((each) => each.name === name);
    await this.services.need(suite.services.filter((service) => !this.options.without.includes(service)));
    const missing = this.services.missing.filter((entry) => suite.services.includes(entry.name));
    for (const { name: service, reason } of missing) warn(`  ${service} IS MISSING: ${reason}`);
    const failed = missing.some((entry) => entry.counts) ? 1 : 0;
    if (suite.mode === 'services' && missing.some((entry) => !['browser', 'previews', 'ldap'].includes(entry.name))) {
      warn(`  ${name} WAS NOT RUN`);
      return { passed: 0, failed, skipped: 0 };
    }
    const recorded = suite.mode && path.join(this.dir, `recorded-${name}`);
    if (recorded) fs.mkdirSync(recorded);
    const env = { ...this.env, ...this.services.env, ...(suite.mode && { STOWAGE_TEST_MODE: suite.mode, STOWAGE_TEST_AUDIT_DIR: recorded }) };
    const counts = await this.runner.vitest(suite, { env, dir: this.dir, args: this.options.vitestArgs });
    // what single files leave out, the whole suite may not
    if (recorded && this.options.vitestArgs.length === 0 && !this.interrupted) add(counts, await this.runner.auditCoverage(recorded, this.env));
    const noTest = counts.passed + counts.failed === 0 && this.options.vitestArgs.length === 0;
    if (noTest) return { ...counts, failed: 1 };
    // without a browser the tests of pages are left out, without programs those of what they make show little; where they could be had, that is a failure
    return suite.mode ? { ...counts, failed: counts.failed + failed } : counts;
  }

  /** Starts every service and tells their variables, for tests run by hand. */
  async serve() {
    await ensureDependencies({ dev: true });
    await this.#compile();
    await this.services.need(['postgres', 'redis', 's3', 'browser', 'previews'].filter((name) => !this.options.without.includes(name)));
    for (const { name, reason } of this.services.missing) warn(`  ${name} IS MISSING: ${reason}`);
    const file = inProject('.cache/test-services.env');
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(
      file,
      Object.entries(this.services.env)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
      { mode: 0o600 },
    );
    say('Services run until Ctrl-C. Use them with:');
    say('  node --env-file=.cache/test-services.env node_modules/.bin/vitest run --project integration FILE');
    await new Promise((resolve) => (this.interrupt = resolve));
    fs.rmSync(file, { force: true });
  }

  /** Stops the stages; `close` follows. */
  interrupt() {}

  abort() {
    this.interrupted = true;
    this.runner.abort();
    this.interrupt();
  }

  async close() {
    await this.services.stop();
    fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function main() {
  const options = parseTestOptions(process.argv.slice(2));
  if (options.help) return void say(USAGE);
  const begun = performance.now();
  const run = new TestRun(options);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => run.abort());
  try {
    await (options.serve ? run.serve() : run.stages());
  } catch (error) {
    if (!run.interrupted) warn(error instanceof LauncherError ? error.message : error.stack);
    run.counts.failed += 1;
  } finally {
    await run.close();
  }
  if (options.serve) return;
  const { passed, failed, skipped } = run.counts;
  say('');
  for (const line of run.summary) say(line);
  if (run.interrupted) say('  interrupted');
  if (skipped > 0) say(`  ${skipped} skipped in all`);
  say(`  whole run: ${seconds(performance.now() - begun)}`);
  say(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 || run.interrupted ? 1 : 0;
}

await main().catch((error) => {
  warn(error instanceof LauncherError ? error.message : error.stack);
  process.exitCode = 1;
});
