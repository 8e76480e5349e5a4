import type { Case } from './grid.js';
import type { House } from './house.js';

export interface Mismatch {
  readonly id: string;
  readonly why: string;
}

const LANES = 20;
/** A case that takes longer is told, when somebody wants to know (ACCESS_MATRIX_SLOW=ms). */
const SLOW_MS = Number(process.env.ACCESS_MATRIX_SLOW ?? Number.POSITIVE_INFINITY);

/** Runs cases, many at once, in their order; ends early when `enough` mismatches have been found. */
export async function runCases(house: House, cases: readonly Case[], enough = Number.POSITIVE_INFINITY): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < cases.length && mismatches.length < enough) {
      const turn = next++;
      const each = cases[turn]!;
      const begun = Date.now();
      const why = await each.run(house).catch((error: unknown) => `failed: ${error instanceof Error ? error.message : String(error)}`);
      if (why !== null) mismatches.push({ id: each.id, why });
      if (Date.now() - begun > SLOW_MS) process.stdout.write(`${turn} of ${cases.length} took ${Date.now() - begun} ms: ${each.id} ${why ?? ''}\n`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return mismatches;
}
