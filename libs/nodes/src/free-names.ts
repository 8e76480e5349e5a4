import { Injectable } from '@nestjs/common';

import { nameKey, numberedCandidates, numberedName } from './names.js';
import type { NodeKind } from './node.js';
import { NodeRepository } from './repositories/node.repository.js';

const NUMBERED = 20;

interface Item {
  readonly name: string;
  readonly kind: NodeKind;
}

/** Finds names that are free: for callers to whom a name is a text and not an address, and who never meet a conflict. */
@Injectable()
export class FreeNames {
  constructor(private readonly nodes: NodeRepository) {}

  /** `name`, or `name (1)` and so on: the first that nothing in any of the folders has. Others may take it before it is used. */
  async find(folderIds: readonly string[], name: string, kind: NodeKind): Promise<string> {
    let candidates = [{ name, nameKey: nameKey(name) }, ...numberedCandidates(name, kind, 1, NUMBERED)];
    for (let next = NUMBERED + 1; ;) {
      const keys = candidates.map((candidate) => candidate.nameKey);
      const taken = new Set<string>();
      for (const folderId of folderIds) for (const key of await this.nodes.takenKeys(folderId, keys)) taken.add(key);
      const free = candidates.find((candidate) => !taken.has(candidate.nameKey));
      if (free) return free.name;
      candidates = numberedCandidates(name, kind, next, candidates.length * 4);
      next += candidates.length;
    }
  }

  /**
   * Names for many things that come into one folder, in their order; two statements, unless more than 20 of one name are there. Who can keep its own name
   * does, before the others are numbered.
   */
  async findMany(folderId: string, items: readonly Item[]): Promise<string[]> {
    const taken = await this.nodes.takenKeys(
      folderId,
      items.map(({ name }) => nameKey(name)),
    );
    /** By name: the things that need a number, and the number to try next. */
    const clashes = new Map<string, { readonly items: Item[]; next: number }>();
    const clashOf = (item: Item) => clashes.get(`${item.kind} ${nameKey(item.name)}`);
    const clashing = new Set<Item>();
    for (const item of items) {
      const key = nameKey(item.name);
      if (taken.has(key)) {
        clashing.add(item);
        const clash = clashOf(item) ?? { items: [], next: 1 };
        clash.items.push(item);
        clashes.set(`${item.kind} ${key}`, clash);
      }
      taken.add(key);
    }
    const asked = [...clashes.values()].flatMap(({ items: [first, ...more] }) =>
      numberedCandidates(first!.name, first!.kind, 1, NUMBERED + 1 + more.length).map((candidate) => candidate.nameKey),
    );
    for (const key of await this.nodes.takenKeys(folderId, asked)) taken.add(key);
    const names: string[] = [];
    for (const item of items) {
      const clash = clashing.has(item) ? clashOf(item)! : null;
      const name = clash ? (this.numbered(item, clash, taken) ?? (await this.beyond(folderId, item, taken))) : item.name;
      taken.add(nameKey(name));
      names.push(name);
    }
    return names;
  }

  /** The first free one of the numbers that were looked up; null when there are more. */
  private numbered({ name, kind }: Item, clash: { readonly items: readonly Item[]; next: number }, taken: ReadonlySet<string>): string | null {
    while (clash.next <= NUMBERED + clash.items.length) {
      const candidate = numberedName(name, clash.next++, kind);
      if (!taken.has(nameKey(candidate))) return candidate;
    }
    return null;
  }

  /** One behind the numbers that were looked up. */
  private async beyond(folderId: string, { name, kind }: Item, taken: ReadonlySet<string>): Promise<string> {
    for (let from = NUMBERED, count = NUMBERED * 4; ; from += count, count *= 4) {
      const candidates = numberedCandidates(name, kind, from, count);
      const there = await this.nodes.takenKeys(
        folderId,
        candidates.map((candidate) => candidate.nameKey),
      );
      const free = candidates.find((candidate) => !taken.has(candidate.nameKey) && !there.has(candidate.nameKey));
      if (free) return free.name;
    }
  }
}
