import { Injectable } from '@nestjs/common';

import { nameKey, numberedCandidates } from './names.js';
import type { NodeKind } from './node.js';
import { NodeRepository } from './repositories/node.repository.js';

const NUMBERED = 20;

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
}
