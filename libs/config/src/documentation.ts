import { type Variable, VARIABLES } from './variables.js';

const entries = Object.entries(VARIABLES) as [string, Variable<unknown>][];

/** The text of docs/operations/configuration.md. */
export function configurationMarkdown(): string {
  const rows = entries.map(
    ([name, v]) => `| \`${name}\` | ${v.fallback === undefined ? (v.fallbackText ?? 'none') : `\`${v.fallback}\``} | ${v.description} |`,
  );
  return [
    '# Configuration',
    '',
    'Set by environment variables, or by a file `.env` beside package.json that `npm start` reads. A wrong value stops the start with one line that names the variable.',
    'This page is made from `libs/config/src/variables.ts`; a test fails when it is stale.',
    '',
    '| variable | default | meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** The text of .env.example. */
export function envExample(): string {
  return entries.map(([name, v]) => `# ${v.description}\n#${name}=${v.fallback ?? ''}\n`).join('\n');
}
