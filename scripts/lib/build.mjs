import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { inProject, LauncherError, projectRoot } from './project.mjs';

const SOURCE_FOLDERS = ['apps', 'libs', 'migrations'];
const RECORD = inProject('dist/.build.json');

const isSource = (file) => file.endsWith('.ts') && !file.endsWith('.d.ts');
const isTest = (file) => /\.(spec|int-spec|e2e-spec)\.[cm]?[jt]s$/.test(file);
const outputsOf = (file) => (isSource(file) ? [file.replace(/\.ts$/, '.js'), file.replace(/\.ts$/, '.js.map')] : [file]);

/** Every input below the source folders as `relative path -> "size:mtime"`. */
async function findInputs() {
  const inputs = new Map();
  const visit = async (folder) => {
    let entries;
    try {
      entries = await fs.readdir(inProject(folder), { withFileTypes: true });
    } catch (error) {
      if (error.code === 'ENOENT') return;
      throw error;
    }
    await Promise.all(
      entries.map(async (entry) => {
        const relative = `${folder}/${entry.name}`;
        if (entry.isDirectory()) return entry.name === 'node_modules' ? undefined : visit(relative);
        if (!entry.isFile() || isTest(entry.name) || entry.name.startsWith('.') || entry.name.endsWith('.d.ts')) return undefined;
        const { size, mtimeMs } = await fs.stat(inProject(relative));
        inputs.set(relative, `${size}:${mtimeMs}`);
        return undefined;
      }),
    );
  };
  await Promise.all(SOURCE_FOLDERS.map(visit));
  return inputs;
}

/** What besides the input itself decides an output: compiler options, compiler version, this file. */
async function toolFingerprint() {
  const hash = crypto.createHash('sha256');
  for (const file of ['.swcrc', 'scripts/lib/build.mjs', 'node_modules/@swc/core/package.json']) hash.update(await fs.readFile(inProject(file)));
  return hash.digest('hex');
}

async function readRecord() {
  try {
    return JSON.parse(await fs.readFile(RECORD, 'utf8'));
  } catch {
    return { tools: '', inputs: {} };
  }
}

/** Writes through a temporary name, so that a process started meanwhile never reads half a file. */
async function writeOutput(file, content) {
  const target = inProject('dist', file);
  const temporary = `${target}.${process.pid}.tmp`;
  await fs.mkdir(path.dirname(target), { recursive: true });
  await fs.writeFile(temporary, content);
  await fs.rename(temporary, target);
}

async function removeOutputs(files) {
  await Promise.all(files.map((file) => fs.rm(inProject('dist', file), { force: true })));
}

/** Compiled files on disk, as paths below dist. */
async function findOutputs() {
  const entries = await fs.readdir(inProject('dist'), { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(inProject('dist'), path.join(entry.parentPath ?? entry.path, entry.name)));
  return files.map((file) => file.replaceAll(path.sep, '/')).filter((file) => SOURCE_FOLDERS.includes(file.split('/')[0]));
}

async function compile(swc, options, file) {
  const source = await fs.readFile(inProject(file), 'utf8');
  const depth = file.split('/').length;
  const { code, map } = await swc.transform(source, { ...options, filename: inProject(file), sourceFileName: `${'../'.repeat(depth)}${file}` });
  const [script, mapFile] = outputsOf(file);
  if (!map) return writeOutput(script, code);
  await writeOutput(mapFile, map);
  return writeOutput(script, `${code}//# sourceMappingURL=${path.posix.basename(mapFile)}\n`);
}

/**
 * Compiles apps, libs and migrations to dist with the options of .swcrc, file by file, and copies what is not TypeScript. Only inputs whose size or
 * time changed since the last build are touched. Throws LauncherError with every compile error.
 * @returns {Promise<{ built: number, total: number }>}
 */
export async function build() {
  const [inputs, outputs, tools, record] = await Promise.all([findInputs(), findOutputs(), toolFingerprint(), readRecord()]);
  const wanted = new Set([...inputs.keys()].flatMap(outputsOf));
  const present = new Set(outputs);
  const stale = outputs.filter((file) => !wanted.has(file));
  const known = record.tools === tools ? record.inputs : {};
  const changed = [...inputs.keys()].filter((file) => known[file] !== inputs.get(file) || !present.has(outputsOf(file)[0]));
  if (changed.length === 0 && stale.length === 0) return { built: 0, total: inputs.size };

  await removeOutputs(stale);
  const errors = await compileAll(changed);
  for (const { file } of errors) inputs.delete(file);
  await fs.mkdir(inProject('dist'), { recursive: true });
  await writeOutput('.build.json', JSON.stringify({ tools, inputs: Object.fromEntries(inputs) }));
  if (errors.length > 0)
    throw new LauncherError(`${errors.length} file(s) do not compile:\n${errors.map(({ file, error }) => `${file}\n${error}`).join('\n')}`);
  return { built: changed.length, total: inputs.size };
}

async function compileAll(files) {
  const swc = await import('@swc/core');
  const { $schema: _schema, ...swcrc } = JSON.parse(await fs.readFile(inProject('.swcrc'), 'utf8'));
  const options = { ...swcrc, swcrc: false, configFile: false, root: projectRoot, cwd: projectRoot };
  const errors = [];
  await Promise.all(
    files.map(async (file) => {
      try {
        if (isSource(file)) await compile(swc, options, file);
        else await writeOutput(file, await fs.readFile(inProject(file)));
      } catch (error) {
        errors.push({ file, error: error.message.split('\nCaused by')[0].trim() });
        await removeOutputs(outputsOf(file));
      }
    }),
  );
  return errors.sort((a, b) => a.file.localeCompare(b.file));
}
