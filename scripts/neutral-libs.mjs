import fs from 'node:fs';
import path from 'node:path';
import { inProject } from './lib/project.mjs';
import { say, warn } from './lib/progress.mjs';

// The core serves every API and knows none: no file below libs says the name of one, in whatever spelling.

/** What belongs to an API and does not hold its name. */
const WORDS = ['mountbit'];

const dialects = fs.readdirSync(inProject('apps/api/src/dialects'));
const spelled = [...dialects, ...WORDS].map((name) => [...name].join('[-_ ]?'));
const NAMES = new RegExp(`(${spelled.join('|')})`, 'i');

function* filesBelow(folder) {
  for (const entry of fs.readdirSync(inProject(folder), { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(file);
    else yield file;
  }
}

let found = 0;
for (const file of filesBelow('libs')) {
  const lines = [file, ...fs.readFileSync(inProject(file), 'utf8').split('\n')];
  for (const [number, line] of lines.entries()) {
    if (!NAMES.test(line)) continue;
    found += 1;
    warn(`${file}:${number} names ${NAMES.exec(line)[0]}`);
  }
}
if (found === 0) say(`libs name none of ${dialects.join(', ')}`);
process.exitCode = found === 0 && dialects.length >= 2 ? 0 : 1;
