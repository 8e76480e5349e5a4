import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ensureDependencies } from './lib/dependencies.mjs';
import { lostChecks, plantMutants } from './lib/access-mutants.mjs';
import { projectRoot } from './lib/project.mjs';
import { say, seconds, step } from './lib/progress.mjs';
import { cleanEnv, makeTemporaryDir } from './lib/test-environment.mjs';

const USAGE = `Usage: npm run mutate:access -- [options]
  --only TEXT       only the checks whose file or text holds TEXT; several, with commas; a number means one check of --list
  --list            tell the checks and end
  --no-int-specs    do not run the integration specs for what the matrix does not find
  --no-matrix       run the integration specs alone
  --near            do not run the whole matrix for what neither its near cases nor the specs find
Takes every check of access out of a copy of the product, one at a time, and looks who notices: the cases of the access matrix that go through it,
or else an integration spec of that part, or else any other case of the matrix. What notices must hold without the change.`;

/** What goes into the copy; the rest is not needed to build and test. */
const PARTS = ['apps', 'libs', 'migrations', 'test', 'scripts', 'package.json', 'tsconfig.json', 'vitest.config.ts', '.swcrc'];
/** Integration specs that look at a part; they are run only for what the matrix did not find. */
const INT_SPECS = [
  ['libs/access/', ['access', 'company-rules', 'access-property', 'shares', 'shared-reading', 'policies']],
  ['libs/shares/', ['company-rules', 'mounts', 'shares', 'access']],
  ['libs/links/', ['links']],
  ['libs/office/', ['office']],
  ['libs/previews/', ['previews']],
  ['libs/comments/', ['comments']],
  ['libs/archives/', ['shared-reading', 'archives']],
  ['libs/trash/', ['shared-trash', 'trash', 'mounts']],
  ['libs/versions/', ['shared-reading', 'versions']],
  ['libs/files/src/tree/', ['mounts', 'shared-reading', 'company-rules', 'files-tree', 'own-tree']],
  ['libs/files/src/uploads/', ['shared-uploads', 'company-rules', 'uploads-many', 'uploads']],
  ['libs/files/src/downloads/', ['shared-reading', 'download-gate', 'archives']],
  ['libs/files/', ['shared-reading', 'diff']],
  ['libs/groups/', ['groups']],
  ['libs/handover/', ['handover', 'migrations-of-content']],
  ['libs/places/', ['places']],
  ['libs/tasks/', ['tasks']],
  ['libs/accounts/', ['accounts-login', 'accounts-hardening', 'policies', 'second-factor']],
  ['libs/kernel/', ['second-factor']],
  ['libs/buckets/', ['buckets']],
  ['libs/own-tree/', ['own-tree']],
  ['libs/file-access/', ['own-tree']],
];

class MutationRun {
  constructor(options) {
    this.options = options;
    this.dir = makeTemporaryDir();
    this.copy = path.join(this.dir, 'copy');
  }

  async run() {
    await ensureDependencies({ dev: true });
    for (const part of PARTS) fs.cpSync(path.join(projectRoot, part), path.join(this.copy, part), { recursive: true });
    fs.symlinkSync(path.join(projectRoot, 'node_modules'), path.join(this.copy, 'node_modules'));
    this.lost = lostChecks(this.copy);
    const all = plantMutants(this.copy);
    const mutants = all.filter((mutant) => this.options.only.length === 0 || this.options.only.some((word) => isMeant(mutant, word)));
    if (this.options.list) return mutants.forEach((mutant) => say(title(mutant)));
    const { build } = await import(path.join(this.copy, 'scripts/lib/build.mjs'));
    await step(`building a copy with ${all.length} switches`, () => build());
    // of the copy, so that it is the copy that prepares the database
    const { TestServices } = await import(path.join(this.copy, 'scripts/lib/test-services.mjs'));
    this.services = new TestServices({ dir: this.dir, baseEnv: cleanEnv(path.join(this.dir, 'tmp')) });
    await this.services.need(['postgres']);
    this.env = { ...cleanEnv(path.join(this.dir, 'tmp')), ...this.services.env, STOWAGE_TEST_MODE: 'embedded' };
    const results = this.options.matrix ? await this.#byMatrix(mutants, false) : mutants.map((mutant) => ({ ...mutant, killedBy: null }));
    const living = () => results.filter(({ killedBy }) => killedBy === null);
    if (this.options.intSpecs) await this.#byIntSpecs(living());
    if (this.options.whole && living().length > 0) {
      const later = new Map((await this.#byMatrix(living(), true)).map((result) => [result.nth, result.killedBy]));
      for (const result of living()) result.killedBy = later.get(result.nth) ?? null;
    }
    this.#tell(results);
    return undefined;
  }

  /** What the cases near the mutants notice, or all others. */
  async #byMatrix(mutants, whole) {
    const work = path.join(this.dir, `mutants-${whole}.json`);
    const log = `${work}.log`;
    fs.writeFileSync(log, '');
    fs.writeFileSync(work, JSON.stringify({ switch: path.join(this.dir, 'switch'), results: `${work}.done`, log, whole, mutants }));
    const spec = 'test/e2e/access-mutants.e2e-spec.ts';
    fs.writeFileSync(
      path.join(this.copy, spec),
      `import { expect, it } from 'vitest';\nimport { tryMutants } from '../support/access-matrix/mutants.js';\n` +
        `it('finds what is missing', async () => expect(await tryMutants(${JSON.stringify(work)})).toBe(true), 36_000_000);\n`,
    );
    const follow = followed(log);
    const code = await this.#vitest(['--project', 'e2e', '--reporter', 'dot', spec], {}, 'inherit');
    follow.end();
    const done = fs.existsSync(`${work}.done`) ? JSON.parse(fs.readFileSync(`${work}.done`, 'utf8')) : [];
    if (code !== 0 || done.length < mutants.length) throw new Error(`the run ended after ${done.length} of ${mutants.length} checks`);
    return done;
  }

  /** What a spec of the part notices that holds without the mutant: of each its next spec, all of them in one run, until none has another one. */
  async #byIntSpecs(results) {
    const specsOf = ({ file }) => INT_SPECS.find(([prefix]) => file.startsWith(prefix))?.[1] ?? [];
    const sound = new Map();
    for (let turn = 0; ; turn++) {
      const asked = results.filter((result) => result.killedBy === null && specsOf(result)[turn]);
      if (asked.length === 0) return;
      const pairs = asked.map((result) => ({ result, name: specsOf(result)[turn] }));
      const plain = [...new Set(pairs.map(({ name }) => name))].filter((name) => !sound.has(name));
      const passed = await this.#specs([
        ...plain.map((name) => ({ nth: 0, fixed: false, name })),
        ...pairs.map(({ result, name }) => ({ nth: result.nth, fixed: result.fixed, name })),
      ]);
      for (const name of plain) {
        sound.set(name, passed(0, name));
        if (!sound.get(name)) say(`${name}.int-spec.ts does not hold as it is: what it notices does not count`);
      }
      for (const { result, name } of pairs) {
        if (sound.get(name) && !passed(result.nth, name)) result.killedBy = `test/integration/${name}.int-spec.ts`;
        say(`${result.killedBy === null ? 'living  ' : 'killed  '} ${title(result)}  ${name}`);
      }
    }
  }

  /** Runs specs, each with every mutant that it is asked about, in processes that read the sources once. Answers which pairs hold. */
  async #specs(runs) {
    const specs = path.join(this.copy, 'test/integration');
    const dir = path.join(specs, 'mutants');
    fs.rmSync(dir, { recursive: true, force: true });
    fs.mkdirSync(dir);
    const names = [...new Set(runs.map(({ name }) => name))];
    for (const name of names) {
      const asked = runs.filter((run) => run.name === name);
      for (const { nth } of asked) fs.copyFileSync(path.join(specs, `${name}.int-spec.ts`), path.join(specs, `m${nth}-${name}.int-spec.ts`));
      fs.writeFileSync(path.join(dir, `${name}.int-spec.ts`), specWith(name, asked));
    }
    const outcome = path.join(this.dir, 'specs.json');
    fs.rmSync(outcome, { force: true });
    const args = ['--project', 'integration', '--reporter', 'json', '--outputFile', outcome, 'test/integration/mutants/'];
    await this.#vitest(args, {}, 'ignore');
    const told = fs.existsSync(outcome) ? JSON.parse(fs.readFileSync(outcome, 'utf8')).testResults : [];
    const tests = told.flatMap(({ name, assertionResults }) =>
      assertionResults.map((test) => ({ ...test, file: path.basename(name, '.int-spec.ts') })),
    );
    return (nth, name) => {
      const states = tests.filter(({ file, ancestorTitles }) => file === name && ancestorTitles[0] === `mutant ${nth}`).map(({ status }) => status);
      // where not even the beginning works, every test is left out
      return states.includes('passed') && !states.includes('failed');
    };
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
    await this.services?.stop();
    fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function title({ nth, file, line, text, change }) {
  return `${nth} ${file}:${line}  ${text.replaceAll(/\s+/g, ' ').slice(0, 110)}  ->  ${change.replaceAll(/\s+/g, ' ').slice(0, 60)}`;
}

/** An integration spec as often as it is asked about a mutant; each time it ends with the first test that notices. */
function specWith(name, runs) {
  const parts = runs.map(
    ({ nth, fixed }) => `
describe('mutant ${nth}', async () => {
  let hasNoticed = false;
  process.env.ACCESS_MUTANT = '${nth}';
  beforeAll(() => void (process.env.ACCESS_MUTANT = '${nth}'));
  beforeEach(({ skip }) => skip(hasNoticed, 'noticed already'));
  afterEach(({ task }) => void (hasNoticed ||= task.result?.state === 'fail'));
  ${fixed ? 'vi.resetModules();' : ''}
  await import('../m${nth}-${name}.int-spec.js');
});`,
  );
  return `import { afterEach, beforeAll, beforeEach, describe, vi } from 'vitest';\n${parts.join('\n')}\n`;
}

/** Whether a word of --only means the mutant. */
function isMeant({ nth, file, text }, word) {
  return /^\d+$/.test(word) ? nth === Number(word) : `${file} ${text}`.includes(word);
}

/** Tells what is written to a file while somebody else writes it. */
function followed(file) {
  let told = 0;
  const tell = () => {
    const text = fs.readFileSync(file, 'utf8');
    if (text.length > told) say(text.slice(told).trimEnd());
    told = text.length;
  };
  const timer = setInterval(tell, 2_000);
  return { end: () => (clearInterval(timer), tell()) };
}

const words = process.argv.slice(2);
if (words.includes('--help')) say(USAGE);
else {
  const begun = performance.now();
  const at = words.indexOf('--only');
  const only = at < 0 ? [] : (words[at + 1] ?? '').split(',').filter(Boolean);
  const has = (word) => words.includes(word);
  const run = new MutationRun({
    only,
    list: has('--list'),
    intSpecs: !has('--no-int-specs'),
    matrix: !has('--no-matrix'),
    whole: !has('--near') && !has('--no-matrix'),
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void run.close().then(() => process.exit(1)));
  try {
    await run.run();
  } finally {
    await run.close();
  }
  say(`whole run: ${seconds(performance.now() - begun)}`);
}
