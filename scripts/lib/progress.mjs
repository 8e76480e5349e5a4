/** Writes one line to stdout. */
export const say = (line = '') => process.stdout.write(`${line}\n`);

/** Writes one line to stderr. */
export const warn = (line) => process.stderr.write(`${line}\n`);

/** Milliseconds as seconds with one decimal: `1.3 s`. */
export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/**
 * Runs one step and tells when it begins, how long it took, or that it failed. The step's promise is passed through.
 * @template T
 * @param {string} title
 * @param {(note: (text: string) => void) => Promise<T> | T} work `note` adds a word to the closing line
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const begun = performance.now();
  let note = '';
  say(`  ${title} ...`);
  try {
    const result = await work((text) => (note = `, ${text}`));
    say(`  ${title}: done in ${seconds(performance.now() - begun)}${note}`);
    return result;
  } catch (error) {
    say(`  ${title}: failed after ${seconds(performance.now() - begun)}`);
    throw error;
  }
}
