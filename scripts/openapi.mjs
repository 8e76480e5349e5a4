import fs from 'node:fs/promises';
import prettier from 'prettier';
import { build } from './lib/build.mjs';
import { inProject } from './lib/project.mjs';

// Writes docs/api/<dialect>.json from the code; with --check it writes nothing and fails when a copy is stale.
const check = process.argv.includes('--check');

await build();
const { openApiDocuments } = await import(inProject('dist/apps/api/src/openapi.js'));
const documents = await openApiDocuments();

const stale = [];
await fs.mkdir(inProject('docs/api'), { recursive: true });
for (const [name, document] of Object.entries(documents)) {
  const file = `docs/api/${name}.json`;
  const text = await prettier.format(JSON.stringify(document), { parser: 'json', printWidth: 150 });
  const present = await fs.readFile(inProject(file), 'utf8').catch(() => '');
  if (text === present) continue;
  stale.push(file);
  if (!check) await fs.writeFile(inProject(file), text);
}
if (stale.length === 0) console.log('docs/api is up to date');
else if (!check) console.log(`written: ${stale.join(', ')}`);
else {
  console.error(`stale: ${stale.join(', ')}; run "npm run openapi"`);
  process.exitCode = 1;
}
process.exit();
