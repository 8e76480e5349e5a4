import { Injectable } from '@nestjs/common';

import { newId } from '#libs/kernel';

import { numberedName, pathSegments, restoreKey } from './names.js';
import type { LocatedNode, PlacedNode } from './node.js';
import { type FolderDelta, folderDelta } from './repositories/folder-delta.js';
import { NodeRepository } from './repositories/node.repository.js';
import { SpaceRepository } from './repositories/space.repository.js';
import { TrashRepository } from './repositories/trash.repository.js';

const NUMBERED_TRIES = 30;

export interface Removed {
  readonly nodes: readonly LocatedNode[];
  /** What the folders lose: give it to `NodeRepository.bumpFolders` as the last write. */
  readonly deltas: readonly FolderDelta[];
}

/** Takes nodes out of their places: into the trash, or to the purge. Needs the lock of the space. */
@Injectable()
export class TrashBin {
  constructor(
    private readonly trash: TrashRepository,
    private readonly spaces: SpaceRepository,
    private readonly nodes: NodeRepository,
  ) {}

  /**
   * Trashes live nodes of one space; one row each whatever lies below them. Nodes that have gone meanwhile are left out. The trash is the owner's
   * and remembers his paths; the answer has the paths of whoever removes them, as they were given.
   */
  async put(placed: readonly PlacedNode[], removedBy: number | null, nowMs: number): Promise<Removed> {
    const first = placed[0];
    if (!first) return { nodes: [], deltas: [] };
    const names = await this.freeNames(first.node.spaceId, placed);
    const paths = await this.ownerPaths(placed, removedBy);
    const items = placed.map(({ node }, index) => ({
      id: node.id,
      trashName: names[index]!,
      restorePath: paths[index]!,
      restoreKey: restoreKey(pathSegments(paths[index]!)),
    }));
    const changed = new Map((await this.trash.markTrashed(items, removedBy, new Date(nowMs))).map((row) => [row.id, row]));
    await this.spaces.bumpTrash(first.node.spaceId);
    const nodes: LocatedNode[] = [];
    const deltas: FolderDelta[] = [];
    placed.forEach(({ node }, index) => {
      const row = changed.get(node.id);
      if (!row) return;
      deltas.push(folderDelta(node.parentId!, row, -1));
      const { trashName } = items[index]!;
      const restorePath = node.path;
      nodes.push({ ...node, sizeBytes: row.sizeBytes, revision: row.revision, removal: 'trashed', removedAtMs: nowMs, trashName, restorePath });
    });
    return { nodes, deltas };
  }

  /** Hands live nodes of one space to the purge; nobody sees them any more. The caller starts the job. */
  async erase(placed: readonly PlacedNode[], rootId: string, removedBy: number | null, nowMs: number): Promise<Removed> {
    const ids = placed.map(({ node }) => node.id);
    const changed = new Map((await this.trash.markPurging(ids, rootId, removedBy, new Date(nowMs))).map((row) => [row.id, row]));
    const gone = placed.filter(({ node }) => changed.has(node.id));
    return {
      nodes: gone.map(({ node }) => ({ ...node, removal: 'purging', removedAtMs: nowMs })),
      deltas: gone.map(({ node }) => folderDelta(node.parentId!, changed.get(node.id)!, -1)),
    };
  }

  /** Where the nodes are for their owner; no statement when it is he who removes them. */
  private async ownerPaths(placed: readonly PlacedNode[], removedBy: number | null): Promise<string[]> {
    const foreign = placed.filter(({ node }) => node.ownerId !== removedBy).map(({ node }) => node.id);
    const located = await this.nodes.locate(foreign, null);
    return placed.map(({ node }) => located.get(node.id)?.node.path ?? node.path);
  }

  /**
   * Names that the trash does not know yet, in the order of the nodes; at most two statements. Who can keep its own name does, before the others are
   * numbered: a number must not land on the name of one that comes later.
   */
  private async freeNames(spaceId: string, placed: readonly PlacedNode[]): Promise<string[]> {
    const taken = await this.trash.takenNames(spaceId, [...new Set(placed.map(({ node }) => node.name))]);
    const clashing: PlacedNode[] = [];
    for (const each of placed) {
      if (taken.has(each.node.name)) clashing.push(each);
      taken.add(each.node.name);
    }
    if (clashing.length > 0) {
      const candidates = clashing.flatMap(({ node }) => numbered(node));
      for (const name of await this.trash.takenNames(spaceId, [...new Set(candidates)])) taken.add(name);
    }
    const renamed = new Set(clashing);
    return placed.map((each) => {
      const { node } = each;
      if (!renamed.has(each)) return node.name;
      const name = numbered(node).find((candidate) => !taken.has(candidate)) ?? numberedName(node.name, newId().slice(-12), node.kind);
      taken.add(name);
      return name;
    });
  }
}

function numbered({ name, kind }: LocatedNode): string[] {
  return Array.from({ length: NUMBERED_TRIES }, (_, index) => numberedName(name, index + 1, kind));
}
