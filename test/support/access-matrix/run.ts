import type { Case } from './grid.js';
import type { House } from './house.js';

export interface Mismatch {
  readonly id: string;
  readonly why: string;
}

const LANES = 20;

/** Runs cases, many at once, in their order; ends early when `enough` mismatches have been found. */
export async function runCases(house: House, cases: readonly Case[], enough = Number.POSITIVE_INFINITY): Promise<Mismatch[]> {
  const mismatches: Mismatch[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < cases.length && mismatches.length < enough) {
      const each = cases[next++]!;
      const why = await each.run(house).catch((error: unknown) => `failed: ${error instanceof Error ? error.message : String(error)}`);
      if (why !== null) mismatches.push({ id: each.id, why });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return mismatches;
}
