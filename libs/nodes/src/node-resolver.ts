import { Injectable } from '@nestjs/common';

import { type Actor, DomainError, isUuid } from '#libs/kernel';

import type { NodeRef, PlacedNode, Resolution } from './node.js';
import { NodeRepository } from './repositories/node.repository.js';
import { SpaceService } from './space.service.js';

/** Turns what a caller names into nodes. It knows nothing of permission: ask the access lib before acting on the answer. */
@Injectable()
export class NodeResolver {
  constructor(
    private readonly spaces: SpaceService,
    private readonly nodes: NodeRepository,
  ) {}

  /** The live node, or null. One statement. */
  async find(actor: Actor, ref: NodeRef): Promise<PlacedNode | null> {
    const [found] = await this.findMany(actor, [ref]);
    return found ?? null;
  }

  /** The live node. NODE_NOT_FOUND. */
  async get(actor: Actor, ref: NodeRef): Promise<PlacedNode> {
    const placed = await this.find(actor, ref);
    if (!placed) throw nodeNotFound();
    return placed;
  }

  /** Live nodes in the order of `refs`, null where there is none. One statement for all paths and one for all ids. */
  async findMany(actor: Actor, refs: readonly NodeRef[]): Promise<(PlacedNode | null)[]> {
    const paths = refs.flatMap((ref) => ('path' in ref ? [ref.path] : []));
    const ids = refs.flatMap((ref) => ('id' in ref && isUuid(ref.id) ? [ref.id] : []));
    const byPath = paths.length > 0 ? await this.resolveMany(actor, paths) : [];
    const byId = await this.nodes.locate(ids, viewerOf(actor));
    let turn = 0;
    return refs.map((ref) => {
      if ('path' in ref) {
        const resolution = byPath[turn++]!;
        return resolution.missing.length === 0 ? resolution.placed : null;
      }
      const placed = byId.get(ref.id);
      return placed?.live ? placed : null;
    });
  }

  /** Where paths of the actor's home lead, with the deepest existing ancestor of each. */
  async resolveMany(actor: Actor, paths: readonly (readonly string[])[]): Promise<Resolution[]> {
    const { spaceId } = await this.spaces.homeOfActor(actor);
    const [first, ...more] = paths;
    if (first && more.length === 0) return [await this.nodes.resolvePath(spaceId, first, viewerOf(actor))];
    return this.nodes.resolveMany(spaceId, paths, viewerOf(actor));
  }
}

/** Whose favourite marks the actor sees. */
export function viewerOf(actor: Actor): number | null {
  return actor.kind === 'account' ? actor.accountId : null;
}

/** The one answer for what does not exist and for what the actor may not see. */
export function nodeNotFound(which: 'source' | 'target' | 'node' = 'node'): DomainError {
  const text = { source: 'The file or folder was not found.', target: 'The target folder was not found.', node: 'The file or folder was not found.' };
  return new DomainError('NODE_NOT_FOUND', text[which], { which });
}
