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

  /**
   * Live nodes in the order of `refs`, null where there is none. One statement for all paths and one for all ids, one more when there are
   * nodes of others among these. A guest finds only what is at or below the node that his pass opens.
   */
  async findMany(actor: Actor, refs: readonly NodeRef[]): Promise<(PlacedNode | null)[]> {
    const paths = refs.flatMap((ref) => ('path' in ref ? [ref.path] : []));
    const ids = refs.flatMap((ref) => ('id' in ref && isUuid(ref.id) ? [ref.id] : []));
    const byPath = paths.length > 0 ? await this.resolutions(actor, paths) : [];
    const byId = await this.nodes.locate(ids, viewerOf(actor));
    let turn = 0;
    return refs.map((ref) => {
      if ('path' in ref) {
        const resolution = byPath?.[turn++];
        return resolution?.missing.length === 0 ? resolution.placed : null;
      }
      const placed = byId.get(ref.id);
      if (!placed?.live) return null;
      return actor.kind === 'guest' ? seenFrom(actor.rootId, placed) : placed;
    });
  }

  /**
   * Where the actor's paths lead, with the deepest existing ancestor of each: from his home through his mounts, of a guest from what his pass
   * opens. NODE_NOT_FOUND when that is not in place. INVALID_ARGUMENT for the system, which has no paths.
   */
  async resolveMany(actor: Actor, paths: readonly (readonly string[])[]): Promise<Resolution[]> {
    const found = await this.resolutions(actor, paths);
    if (!found) throw nodeNotFound();
    return found;
  }

  /** Where one path leads, and where it begins for whoever keeps it: `startId` and `rest` lead there also when a mount is renamed. */
  async startOf(actor: Actor, path: readonly string[]): Promise<Resolution> {
    const [resolution] = await this.resolveMany(actor, [path]);
    return resolution!;
  }

  private async resolutions(actor: Actor, paths: readonly (readonly string[])[]): Promise<Resolution[] | null> {
    if (actor.kind === 'guest') return this.nodes.resolveManyFrom(actor.rootId, paths, null);
    const { spaceId } = await this.spaces.homeOfActor(actor);
    const [first, ...more] = paths;
    if (first && more.length === 0) return [await this.nodes.resolvePath(spaceId, first, viewerOf(actor))];
    return this.nodes.resolveMany(spaceId, paths, viewerOf(actor));
  }
}

/** The node as a guest sees it whose paths begin at `rootId`, null when it is not there or below. */
function seenFrom(rootId: string, placed: PlacedNode): PlacedNode | null {
  const start = placed.chain.indexOf(rootId);
  if (start < 0) return null;
  const names = placed.node.path === '/' ? [] : placed.node.path.slice(1).split('/');
  const path = `/${names.slice(start).join('/')}`;
  return { ...placed, chain: placed.chain.slice(start), node: { ...placed.node, path } };
}

/** Whose paths and favourite marks the actor sees; null for guests and the system. */
export function viewerOf(actor: Actor): number | null {
  return actor.kind === 'account' ? actor.accountId : null;
}

/** In whose name the actor writes: his own, or of whoever gave a guest his pass; null for the system. */
export function authorOf(actor: Actor): number | null {
  return actor.kind === 'guest' ? actor.issuerId : viewerOf(actor);
}

/** The one answer for what does not exist and for what the actor may not see. */
export function nodeNotFound(which: 'source' | 'target' | 'node' = 'node'): DomainError {
  const text = { source: 'The file or folder was not found.', target: 'The target folder was not found.', node: 'The file or folder was not found.' };
  return new DomainError('NODE_NOT_FOUND', text[which], { which });
}
