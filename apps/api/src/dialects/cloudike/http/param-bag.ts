/** Most items one list may have in query, form and multipart bodies together. */
const MAX_ENTRIES = 100_000;

interface Entry {
  readonly index: number | null;
  readonly value: unknown;
}

/**
 * Parameters of one source, by name. `name`, `name[]` and `name[0]` are spellings of the same list; a Map, so that no name of a client can
 * reach a prototype.
 */
export class ParamBag {
  private readonly entries = new Map<string, Entry[]>();
  /** Names that came as a JSON array, which a list of one would hide. */
  private readonly arrays = new Set<string>();
  private count = 0;

  /** Adds one value under a name as the client wrote it. Throws RangeError when there are too many. */
  add(rawName: string, value: unknown): void {
    if (++this.count > MAX_ENTRIES) throw new RangeError('too many parameters');
    const bracket = /^([^[\]]+)\[(\d{0,9})\]$/.exec(rawName);
    const name = bracket?.[1] ?? rawName;
    const index = bracket?.[2] ? Number(bracket[2]) : null;
    const list = this.entries.get(name);
    if (list) list.push({ index, value });
    else this.entries.set(name, [{ index, value }]);
  }

  /** Takes the members of a JSON object: an array is a list, null is "not given". */
  addObject(object: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(object)) {
      if (value === null || value === undefined) continue;
      if (!Array.isArray(value)) {
        this.add(name, value);
        continue;
      }
      this.arrays.add(name);
      if (value.length === 0) this.entries.set(name, []);
      else for (const item of value as unknown[]) this.add(name, item);
    }
  }

  /** Every value given under `name`, in order; null when the name was not given at all. */
  get(name: string): readonly unknown[] | null {
    const list = this.entries.get(name);
    if (!list) return null;
    const ordered = list.some((entry) => entry.index !== null) ? [...list].sort((a, b) => (a.index ?? 0) - (b.index ?? 0)) : list;
    return ordered.map((entry) => entry.value);
  }

  /** True when `name` was written as a JSON array. */
  isArray(name: string): boolean {
    return this.arrays.has(name);
  }

  /** This bag with the names of `winner` replaced by the values there. */
  overlaidBy(winner: ParamBag): ParamBag {
    const merged = new ParamBag();
    for (const [name, list] of this.entries) merged.entries.set(name, list);
    for (const [name, list] of winner.entries) merged.entries.set(name, list);
    for (const name of winner.arrays) merged.arrays.add(name);
    return merged;
  }
}
