import { Injectable } from '@nestjs/common';

import {
  type LocatedNode,
  negated,
  nodeNotFound,
  NodeRepository,
  numberedName,
  pathSegments,
  QuotaLedger,
  restoreKey,
  SpaceRepository,
  TrashRepository,
} from '#libs/nodes';
import { newId } from '#libs/kernel';

import { HandoverRepository, type NewPlace, type TrashPlace } from './repositories/handover.repository.js';

/** Where a node will stand in the home of its new owner. */
export interface Target extends NewPlace {
  /** Path of the folder that it will be in; empty for the root. */
  readonly above: string;
}

/** Takes a node with its versions, its trash and its bytes from the space of one owner into that of another. Needs the locks of both spaces. */
@Injectable()
export class OwnerCrossing {
  constructor(
    private readonly rows: HandoverRepository,
    private readonly nodes: NodeRepository,
    private readonly trash: TrashRepository,
    private readonly quotas: QuotaLedger,
    private readonly spaceRows: SpaceRepository,
  ) {}

  /** NODE_NOT_FOUND when the node is not in place any more; QUOTA_EXCEEDED, NAME_TAKEN. */
  async cross(
    node: LocatedNode,
    place: Target,
    { ownerId, memberId, fromSpaceId }: { readonly ownerId: number; readonly memberId: number; readonly fromSpaceId: string },
  ): Promise<void> {
    const trashed = await this.trashPlaces(node, place);
    if (!(await this.rows.cross(node.id, place, trashed))) throw nodeNotFound();
    const bytes = await this.rows.crossVersions(node.id, place.spaceId);
    // Freed first: when both belong to one company, its sum does not grow by what only changes hands.
    await this.quotas.add(ownerId, negated(bytes));
    await this.quotas.add(memberId, bytes);
    if (trashed.length > 0) for (const spaceId of [fromSpaceId, place.spaceId].sort()) await this.spaceRows.bumpTrash(spaceId);
  }

  /** Names and restore paths, in the trash of the new owner, of what was trashed out of the folder. */
  private async trashPlaces(node: LocatedNode, place: Target): Promise<TrashPlace[]> {
    const trashed = await this.rows.trashedBelow(node.id);
    if (trashed.length === 0) return [];
    const located = await this.nodes.locate(
      trashed.map((item) => item.id),
      null,
    );
    const taken = await this.trash.takenNames(place.spaceId, [...new Set(trashed.map((item) => item.name))]);
    return trashed.map(({ id, name, kind }) => {
      const free = taken.has(name) ? numberedName(name, newId().slice(-12), kind) : name;
      taken.add(free);
      const path = `${place.above}/${place.name}${located.get(id)!.node.path.slice(node.path.length)}`;
      return { id, trashName: free, restorePath: path, restoreKey: restoreKey(pathSegments(path)) };
    });
  }
}
