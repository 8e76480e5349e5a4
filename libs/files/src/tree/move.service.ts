import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type Actor, Clock, DomainError, isDomainError } from '#libs/kernel';
import {
  checkName,
  childPath,
  depthOf,
  type FolderDelta,
  folderDelta,
  type LocatedNode,
  MAX_DEPTH,
  mimeTypeOf,
  nameKey,
  nodeNotFound,
  type NodeRef,
  NodeRepository,
  NodeResolver,
  type NodeView,
  type PlacedNode,
  QuotaLedger,
  SpaceService,
  SubtreeRepository,
  TrashBin,
  viewerOf,
} from '#libs/nodes';

export interface MoveNode {
  readonly source: NodeRef;
  readonly targetFolder: NodeRef;
  /** What stands in the way: `fail` = NAME_TAKEN, `replace` = it goes to the trash. */
  readonly onConflict: 'fail' | 'replace';
}

export interface Precheck {
  readonly targetFolder: NodeRef;
  readonly sources?: readonly NodeRef[];
  /** Names that would be created. */
  readonly names?: readonly string[];
  /** Size of what would be created. */
  readonly sizeBytes?: number;
  readonly operation: 'move' | 'copy' | 'create';
}

export interface PrecheckResult {
  /** Something of one of the names is in the target already. */
  readonly exists: boolean;
  /** What is there could be replaced. */
  readonly overWritable: boolean;
  /** There is space enough for a copy, or for what would be created. */
  readonly copyable: boolean;
}

const RENAME_TRIES = 5;

/** Moving and renaming: constant time and a handful of rows, whatever lies below. */
@Injectable()
export class MoveService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly spaces: SpaceService,
    private readonly nodes: NodeRepository,
    private readonly subtrees: SubtreeRepository,
    private readonly bin: TrashBin,
    private readonly quotas: QuotaLedger,
    private readonly access: AccessService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Puts a node into another folder. NODE_NOT_FOUND (`details.which` tells source or target), NOT_A_FOLDER, ROOT_IMMUTABLE, SAME_FOLDER,
   * MOVE_INTO_DESCENDANT, NAME_TAKEN, TREE_TOO_DEEP.
   */
  async move(actor: Actor, command: MoveNode): Promise<LocatedNode> {
    return this.unitOfWork.run(async () => {
      await this.spaces.lock(await this.spaceOf(actor, command.source));
      const { source, target } = await this.endpoints(actor, command.source, command.targetFolder);
      const { node } = source;
      await this.access.require(actor, 'node.write', [node]);
      await this.access.require(actor, 'node.create', [target.node]);
      checkPlace(source, target);
      await this.checkDepth(source, target);
      const deltas: FolderDelta[] = [];
      const occupant = await this.nodes.findChild(target.node.id, nameKey(node.name), viewerOf(actor));
      if (occupant) deltas.push(...(await this.displace(actor, source, target, occupant, command.onConflict)));
      const moved = await this.nodes.reparent(node.id, target.node.id);
      if (!moved) throw nodeNotFound('source');
      deltas.push(folderDelta(node.parentId!, moved, -1), folderDelta(target.node.id, moved, 1));
      await this.nodes.bumpFolders(deltas);
      return { ...node, ...moved, parentId: target.node.id, path: childPath(target.node, node.name) };
    });
  }

  /**
   * Gives a node another name in its folder; changing only case or composition is a change like any other. NODE_NOT_FOUND, NAME_TAKEN,
   * NAME_ILLEGAL, ROOT_IMMUTABLE, BUSY.
   */
  async rename(actor: Actor, { node: ref, name }: { readonly node: NodeRef; readonly name: string }): Promise<LocatedNode> {
    // Renames take no lock. What was renamed or moved in this moment is looked up again: often it is not there any more.
    for (let tries = 1; tries <= RENAME_TRIES; tries++) {
      const renamed = await this.renameOnce(actor, ref, name);
      if (renamed) return renamed;
    }
    throw new DomainError('BUSY', 'Too many changes at the same place; try again.');
  }

  /** Null when others renamed or moved it since it was looked up. */
  private async renameOnce(actor: Actor, ref: NodeRef, name: string): Promise<LocatedNode | null> {
    return this.unitOfWork.run(async () => {
      const { node } = await this.resolver.get(actor, ref);
      await this.access.require(actor, 'node.write', [node]);
      if (node.parentId === null) throw new DomainError('ROOT_IMMUTABLE', 'The root folder cannot be renamed.');
      checkName(name);
      if (name === node.name) return node;
      const mimeType = node.kind === 'file' ? mimeTypeOf(name) : null;
      const renamed = await this.nodes.rename(node, name, nameKey(name), mimeType);
      if (!renamed) return null;
      await this.nodes.bumpFolders([{ folderId: renamed.parentId, files: 0, folders: 0, bytes: 0 }]);
      return { ...node, name, mimeType, revision: renamed.revision, path: node.path.slice(0, node.path.lastIndexOf('/') + 1) + name };
    });
  }

  /** What would stand in the way of a move, copy or upload; changes nothing. Throws what the operation itself would throw for its places. */
  async precheck(actor: Actor, command: Precheck): Promise<PrecheckResult> {
    const [target, ...sources] = await this.resolver.findMany(actor, [command.targetFolder, ...(command.sources ?? [])]);
    if (!target) throw nodeNotFound('target');
    if (sources.some((source) => !source)) throw nodeNotFound('source');
    const found = sources.map((source) => source!);
    await this.access.require(
      actor,
      'node.read',
      [target, ...found].map((placed) => placed.node),
    );
    if (target.node.kind !== 'folder') throw new DomainError('NOT_A_FOLDER', 'The target is not a folder.');
    for (const source of found) {
      if (command.operation === 'move') checkPlace(source, target);
      else if (command.operation === 'copy') checkNotInside(source, target);
    }
    const names = [...found.map(({ node }) => node.name), ...(command.names ?? [])];
    const exists = names.length > 0 && (await this.nodes.takenKeys(target.node.id, names.map(nameKey))).size > 0;
    return { exists, overWritable: true, copyable: await this.hasSpace(target.node.ownerId, command, found) };
  }

  private async hasSpace(ownerId: number, command: Precheck, sources: readonly PlacedNode[]): Promise<boolean> {
    const free = command.operation === 'move' ? null : await this.quotas.freeBytes(ownerId);
    if (free === null) return true;
    let needed = command.sizeBytes ?? 0;
    for (const { node } of sources) needed += node.kind === 'file' ? node.sizeBytes : (await this.subtrees.figures(node.id)).bytes;
    return needed <= free;
  }

  /** The space of which the source is a part, before it is known whether there is one: a lock must come before what it protects is read. */
  private async spaceOf(actor: Actor, ref: NodeRef): Promise<string> {
    if ('path' in ref) return (await this.spaces.homeOfActor(actor)).spaceId;
    const { node } = await this.resolver.get(actor, ref).catch(notFoundAs('source'));
    await this.access.require(actor, 'node.write', [node]);
    return node.spaceId;
  }

  private async endpoints(actor: Actor, sourceRef: NodeRef, targetRef: NodeRef): Promise<{ source: PlacedNode; target: PlacedNode }> {
    const [source, target] = await this.resolver.findMany(actor, [sourceRef, targetRef]);
    if (!source) throw nodeNotFound('source');
    if (!target) throw nodeNotFound('target');
    return { source, target };
  }

  private async checkDepth(source: PlacedNode, target: PlacedNode): Promise<void> {
    const depth = depthOf(target) + 1;
    // What goes no deeper than it was needs no look at what lies below.
    const height = source.node.kind === 'folder' && depth > depthOf(source) ? (await this.subtrees.figures(source.node.id)).height : 0;
    if (depth + height > MAX_DEPTH) throw new DomainError('TREE_TOO_DEEP', `Folders can be nested ${MAX_DEPTH} deep.`);
  }

  /** Trashes what stands at the new place. */
  private async displace(
    actor: Actor,
    source: PlacedNode,
    target: PlacedNode,
    occupant: NodeView,
    onConflict: MoveNode['onConflict'],
  ): Promise<readonly FolderDelta[]> {
    const taken = new DomainError('NAME_TAKEN', `"${childPath(target.node, occupant.name)}" already exists.`);
    // A folder cannot be thrown away in favour of something inside of it.
    if (onConflict === 'fail' || source.chain.includes(occupant.id)) throw taken;
    await this.access.require(actor, 'node.delete', [occupant]);
    return (await this.bin.put([asPlaced(target, occupant)], viewerOf(actor), this.clock.nowMs())).deltas;
  }
}

function asPlaced(folder: PlacedNode, node: NodeView): PlacedNode {
  return { node: { ...node, path: childPath(folder.node, node.name) }, chain: [...folder.chain, node.id], live: true };
}

function checkPlace(source: PlacedNode, target: PlacedNode): void {
  if (target.node.kind !== 'folder') throw new DomainError('NOT_A_FOLDER', 'The target is not a folder.');
  if (source.node.parentId === null) throw new DomainError('ROOT_IMMUTABLE', 'The root folder cannot be moved.');
  if (source.node.spaceId !== target.node.spaceId) throw nodeNotFound('target');
  checkNotInside(source, target);
  if (source.node.parentId === target.node.id) throw new DomainError('SAME_FOLDER', 'It is in this folder already.');
}

/** Refuses a target that is the source or lies in it. MOVE_INTO_DESCENDANT. */
export function checkNotInside(source: PlacedNode, target: PlacedNode): void {
  if (target.chain.includes(source.node.id)) throw new DomainError('MOVE_INTO_DESCENDANT', 'A folder cannot go into itself or a folder below it.');
}

function notFoundAs(which: 'source' | 'target'): (error: unknown) => never {
  return (error) => {
    throw isDomainError(error, 'NODE_NOT_FOUND') ? nodeNotFound(which) : error;
  };
}
