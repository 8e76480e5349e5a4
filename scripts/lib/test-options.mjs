import { LauncherError } from './project.mjs';

/** Stages of a test run in their order. */
export const STAGES = ['static', 'unit', 'integration', 'e2e-embedded', 'e2e-services'];
const SERVICES = ['redis', 's3', 'browser', 'previews'];

export const USAGE = `Usage: npm test -- [options] [-- vitest arguments]
  --only STAGE      run this stage only; may be given more than once (${STAGES.join(', ')})
  --without NAME    do not start this service (${SERVICES.join(', ')}); the tests that need it fail, those of pages are left out
  --serve           start the services, write their variables to .cache/test-services.env and wait for Ctrl-C
A full run is: npm test
One file:      npm test -- --only integration -- test/integration/launcher.int-spec.ts`;

/**
 * Reads the command line of the test runner.
 * @param {string[]} words
 * @returns {{ stages: string[], without: string[], serve: boolean, help: boolean, vitestArgs: string[] }}
 */
export function parseTestOptions(words) {
  const end = words.includes('--') ? words.indexOf('--') : words.length;
  const options = { stages: [], without: [], serve: false, help: false, vitestArgs: words.slice(end + 1) };
  const own = words.slice(0, end);
  const value = (name, allowed) => {
    const given = own.shift();
    if (!allowed.includes(given)) throw new LauncherError(`${name} must be followed by one of ${allowed.join(', ')}\n${USAGE}`);
    return given;
  };
  while (own.length > 0) {
    const word = own.shift();
    if (word === '--only') options.stages.push(value(word, STAGES));
    else if (word === '--without') options.without.push(value(word, SERVICES));
    else if (word === '--serve') options.serve = true;
    else if (word === '--help') options.help = true;
    else throw new LauncherError(`unknown option ${word}\n${USAGE}`);
  }
  if (options.stages.length === 0) options.stages = [...STAGES];
  return options;
}
