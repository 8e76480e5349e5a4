import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ensureDependencies } from './lib/dependencies.mjs';
import { lostChecks, plantMutants } from './lib/access-mutants.mjs';
import { projectRoot } from './lib/project.mjs';
import { say, seconds, step } from './lib/progress.mjs';
import { cleanEnv, makeTemporaryDir } from './lib/test-environment.mjs';
import { TestServices } from './lib/test-services.mjs';

const USAGE = `Usage: npm run mutate:access -- [options]
  --only TEXT       only the checks whose file or text holds TEXT
  --list            tell the checks and end
  --no-int-specs    do not run the integration specs for what the matrix does not find
Takes every check of access out of a copy of the product, one at a time, and looks whether the access matrix, or else an integration spec, notices.`;

/** What goes into the copy; the rest is not needed to build and test. */
const PARTS = ['apps', 'libs', 'migrations', 'test', 'scripts', 'package.json', 'tsconfig.json', 'vitest.config.ts', '.swcrc'];
/** Integration specs that look at a part; they are run only for what the matrix did not find. */
const INT_SPECS = [
  ['libs/access/', ['access', 'access-property', 'shares', 'shared-reading']],
  ['libs/shares/', ['shares', 'access']],
  ['libs/links/', ['links']],
  ['libs/office/', ['office']],
  ['libs/previews/', ['previews']],
  ['libs/comments/', ['comments']],
  ['libs/archives/', ['archives', 'shared-reading']],
  ['libs/trash/', ['shared-trash', 'trash']],
  ['libs/versions/', ['versions', 'shared-reading']],
  ['libs/files/src/tree/', ['mounts', 'shared-reading', 'files-tree']],
  ['libs/files/src/uploads/', ['shared-uploads', 'uploads-many']],
  ['libs/files/', ['shared-reading', 'diff']],
  ['libs/groups/', ['groups']],
  ['libs/tasks/', ['tasks']],
  ['libs/accounts/', ['accounts-login', 'accounts-hardening']],
];

class MutationRun {
  constructor(options) {
    this.options = options;
    this.dir = makeTemporaryDir();
    this.copy = path.join(this.dir, 'copy');
    this.services = new TestServices({ dir: this.dir, baseEnv: cleanEnv(path.join(this.dir, 'tmp')) });
  }

  async run() {
    await ensureDependencies({ dev: true });
    for (const part of PARTS) fs.cpSync(path.join(projectRoot, part), path.join(this.copy, part), { recursive: true });
    fs.symlinkSync(path.join(projectRoot, 'node_modules'), path.join(this.copy, 'node_modules'));
    this.lost = lostChecks(this.copy);
    const all = plantMutants(this.copy);
    const mutants = all.filter(({ file, text }) => !this.options.only || `${file} ${text}`.includes(this.options.only));
    if (this.options.list) return mutants.forEach((mutant) => say(title(mutant)));
    const { build } = await import(path.join(this.copy, 'scripts/lib/build.mjs'));
    await step(`building a copy with ${all.length} switches`, () => build());
    await this.services.need(['postgres']);
    this.env = { ...cleanEnv(path.join(this.dir, 'tmp')), ...this.services.env, STOWAGE_TEST_MODE: 'embedded' };
    const results = await this.#byMatrix(mutants);
    if (this.options.intSpecs) for (const result of results.filter(({ killedBy }) => killedBy === null)) await this.#byIntSpecs(result);
    this.#tell(results);
    return undefined;
  }

  async #byMatrix(mutants) {
    const work = path.join(this.dir, 'mutants.json');
    fs.writeFileSync(work, JSON.stringify({ switch: path.join(this.dir, 'switch'), results: `${work}.done`, mutants }));
    const spec = 'test/e2e/access-mutants.e2e-spec.ts';
    fs.writeFileSync(
      path.join(this.copy, spec),
      `import { expect, it } from 'vitest';\nimport { tryMutants } from '../support/access-matrix/mutants.js';\n` +
        `it('finds what is missing', async () => expect(await tryMutants(${JSON.stringify(work)})).toBe(true), 36_000_000);\n`,
    );
    await this.#vitest(['--project', 'e2e', '--reporter', 'dot', spec], {}, 'inherit');
    return JSON.parse(fs.readFileSync(`${work}.done`, 'utf8'));
  }

  async #byIntSpecs(result) {
    const names = INT_SPECS.find(([prefix]) => result.file.startsWith(prefix))?.[1] ?? [];
    for (const name of names) {
      const file = `test/integration/${name}.int-spec.ts`;
      if (!fs.existsSync(path.join(this.copy, file))) continue;
      const code = await this.#vitest(['--project', 'integration', '--bail', '1', file], { ACCESS_MUTANT: String(result.nth) }, 'ignore');
      if (code === 0) continue;
      result.killedBy = file;
      return;
    }
  }

  #vitest(args, env, stdio) {
    const child = spawn(process.execPath, [path.join(this.copy, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
      cwd: this.copy,
      env: { ...this.env, ...env },
      stdio,
    });
    this.child = child;
    return new Promise((resolve) => child.once('close', resolve));
  }

  #tell(results) {
    const living = results.filter(({ killedBy }) => killedBy === null);
    const unexplained = living.filter(({ equivalent }) => !equivalent);
    for (const result of results)
      say(
        `${result.killedBy === null ? (result.equivalent ? 'same    ' : 'SURVIVED') : 'killed  '} ${title(result)}\n           ${result.killedBy ?? result.equivalent ?? 'nothing noticed'}`,
      );
    say(
      `${results.length} checks, ${results.length - living.length} killed, ${living.length - unexplained.length} without effect for a known reason, ${unexplained.length} survived`,
    );
    for (const check of this.lost) say(`LOST     ${check}  (scripts/lib/access-mutants.mjs must follow the code)`);
    process.exitCode = unexplained.length + this.lost.length > 0 ? 1 : 0;
  }

  async close() {
    this.child?.kill('SIGTERM');
    await this.services.stop();
    fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function title({ nth, file, line, text, change }) {
  return `${nth} ${file}:${line}  ${text.replaceAll(/\s+/g, ' ').slice(0, 110)}  ->  ${change.replaceAll(/\s+/g, ' ').slice(0, 60)}`;
}

const words = process.argv.slice(2);
if (words.includes('--help')) say(USAGE);
else {
  const begun = performance.now();
  const at = words.indexOf('--only');
  const run = new MutationRun({ only: at < 0 ? '' : words[at + 1], list: words.includes('--list'), intSpecs: !words.includes('--no-int-specs') });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void run.close().then(() => process.exit(1)));
  try {
    await run.run();
  } finally {
    await run.close();
  }
  say(`whole run: ${seconds(performance.now() - begun)}`);
}
