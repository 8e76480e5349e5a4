import fs from 'node:fs';
import { build } from './lib/build.mjs';
import { inProject } from './lib/project.mjs';
import { say } from './lib/progress.mjs';

// Writes the pages that are made from the table of variables; a unit test fails when they are stale.
await build();
const { configurationMarkdown, envExample } = await import(inProject('dist/libs/config/src/documentation.js'));
const pages = { 'docs/operations/configuration.md': configurationMarkdown(), '.env.example': envExample() };
for (const [file, text] of Object.entries(pages)) {
  fs.writeFileSync(inProject(file), text);
  say(`${file} written`);
}
