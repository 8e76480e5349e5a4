import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, DomainError } from '#libs/kernel';
import {
  ChangeLog,
  changeOf,
  depthOf,
  folderDelta,
  FreeNames,
  type LocatedNode,
  MAX_DEPTH,
  mimeTypeOf,
  MountRepository,
  mountIntoShare,
  nameKey,
  type NodeChange,
  nodeNotFound,
  NodeRepository,
  NodeResolver,
  type PlacedNode,
  SpaceService,
  SubtreeRepository,
} from '#libs/nodes';

import { checkPlace, intoItself, movedTo, MoveService, notFoundAs } from './move.service.js';

export interface MoveMany {
  readonly sourceIds: readonly string[];
  readonly targetFolderId: string;
}

interface Ends {
  readonly target: PlacedNode;
  readonly sources: readonly PlacedNode[];
}

interface Plan {
  readonly source: PlacedNode;
  readonly name: string;
}

/** Moves many things into one folder: within one tree in as many statements for many as for few. */
@Injectable()
export class MoveManyService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly spaces: SpaceService,
    private readonly nodes: NodeRepository,
    private readonly mounts: MountRepository,
    private readonly subtrees: SubtreeRepository,
    private readonly names: FreeNames,
    private readonly changes: ChangeLog,
    private readonly access: AccessService,
    private readonly moves: MoveService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Moves all of the nodes or none; a name that is taken gets a number, and what is in the folder already stays. Mounts, what changes its owner and what
   * comes below a limit go one by one. Throws as MoveService.move, but SAME_FOLDER; NAME_TAKEN when somebody takes a free name in this moment.
   */
  async move(actor: AccountActor, { sourceIds, targetFolderId }: MoveMany): Promise<LocatedNode[]> {
    return this.unitOfWork.run(async () => {
      const seen = await this.find(actor, sourceIds, targetFolderId);
      if (!areOfOneTree(seen)) return this.oneByOne(actor, seen);
      await this.spaces.lock(seen.target.node.spaceId);
      // Names change without the lock of the space: from here on they do not.
      await this.nodes.hold(sourceIds);
      const ends = await this.find(actor, sourceIds, targetFolderId);
      const isSame = areOfOneTree(ends) && ends.target.node.spaceId === seen.target.node.spaceId;
      return isSame ? this.within(actor, ends) : this.oneByOne(actor, ends);
    });
  }

  private async find(actor: AccountActor, sourceIds: readonly string[], targetFolderId: string): Promise<Ends> {
    const refs = [targetFolderId, ...sourceIds].map((id) => ({ id }));
    const [target, ...sources] = await this.resolver.findMany(actor, refs);
    if (!target) throw nodeNotFound('target');
    return {
      target,
      sources: sources.map((source) => {
        if (!source) throw nodeNotFound('source');
        return source;
      }),
    };
  }

  private async oneByOne(actor: AccountActor, { target, sources }: Ends): Promise<LocatedNode[]> {
    const moved: LocatedNode[] = [];
    const targetFolder = { id: target.node.id };
    for (const { node } of sources) {
      const stays = node.parentId === target.node.id;
      moved.push(stays ? node : await this.moves.move(actor, { source: { id: node.id }, targetFolder, onConflict: 'rename' }));
    }
    return moved;
  }

  private async within(actor: AccountActor, { target, sources: found }: Ends): Promise<LocatedNode[]> {
    const sources = found.filter(({ node }) => node.parentId !== target.node.id);
    if (sources.length === 0) return found.map(({ node }) => node);
    const nodes = sources.map(({ node }) => node);
    await this.access.require(actor, 'node.delete', nodes).catch(notFoundAs('source'));
    await this.access.require(actor, 'node.create', [target.node]).catch(notFoundAs('target'));
    for (const source of sources) checkPlace(source, target);
    await this.checkMounts(target, sources);
    await this.checkRing(actor, target, nodes);
    await this.checkDepth(target, sources);
    const names = await this.names.findMany(target.node.id, nodes);
    const plans = sources.map((source, index): Plan => ({ source, name: names[index]! }));
    const changed = await this.nodes.reparentMany(
      target.node.id,
      plans.map(({ source: { node }, name }) => ({ id: node.id, name, nameKey: nameKey(name), mimeType: mimeOf(node, name) })),
    );
    if (changed.size < plans.length) throw nodeNotFound('source');
    const moved = plans.map(({ source: { node }, name }) => movedTo({ ...node, name, mimeType: mimeOf(node, name) }, target, changed.get(node.id)!));
    await this.changes.record(plans.map((plan, index) => newsOf(actor, plan, moved[index]!)));
    await this.nodes.bumpFolders(
      plans.flatMap(({ source: { node } }) => {
        const row = changed.get(node.id)!;
        return [folderDelta(node.parentId!, row, -1), folderDelta(target.node.id, row, 1)];
      }),
    );
    const now = new Map(moved.map((node) => [node.id, node]));
    return found.map(({ node }) => now.get(node.id) ?? node);
  }

  private async checkMounts(target: PlacedNode, sources: readonly PlacedNode[]): Promise<void> {
    if (!target.inShare) return;
    const coming = sources.filter(({ node, inShare }) => node.kind === 'folder' && !inShare).map(({ node }) => node.id);
    if ((await this.mounts.within(target.node.spaceId, coming)).length > 0) throw mountIntoShare();
  }

  /** Who is not the owner may see the target without what lies above it. */
  private async checkRing({ accountId }: AccountActor, { node }: PlacedNode, coming: readonly LocatedNode[]): Promise<void> {
    if (node.ownerId === accountId) return;
    const above = new Set((await this.nodes.locate([node.id], null)).get(node.id)?.chain);
    if (coming.some(({ id }) => above.has(id))) throw intoItself();
  }

  private async checkDepth(target: PlacedNode, sources: readonly PlacedNode[]): Promise<void> {
    const depth = depthOf(target) + 1;
    const deeper = sources.filter((source) => source.node.kind === 'folder' && depth > depthOf(source)).map(({ node }) => node.id);
    if (depth + (await this.subtrees.highest(deeper)) > MAX_DEPTH) throw new DomainError('TREE_TOO_DEEP', `Folders can be nested ${MAX_DEPTH} deep.`);
  }
}

/** Rows of one space change, and no limit is to be asked. */
function areOfOneTree({ target, sources }: Ends): boolean {
  return target.limited === false && sources.every(({ node }) => node.mount === null && node.spaceId === target.node.spaceId);
}

function mimeOf({ kind, name, mimeType }: LocatedNode, newName: string): string | null {
  return kind === 'file' && newName !== name ? mimeTypeOf(newName) : mimeType;
}

/** One change, of the place and where it was needed of the name. */
function newsOf({ accountId: actorId }: AccountActor, { source: { node }, name }: Plan, moved: LocatedNode): NodeChange {
  const old = { folderId: node.parentId!, name: node.name, node };
  return { type: changeOf('moved', node), actorId, node: moved, folderId: moved.parentId, name, old };
}
