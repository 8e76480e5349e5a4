import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type Actor, Clock, DomainError, isDomainError } from '#libs/kernel';
import {
  ChangeLog,
  changeOf,
  checkName,
  childPath,
  depthOf,
  type FolderDelta,
  folderDelta,
  FolderLimits,
  FreeNames,
  type LocatedNode,
  MAX_DEPTH,
  mimeTypeOf,
  MountRepository,
  mountIntoShare,
  nameKey,
  type NodeChange,
  type NodeKind,
  nodeNotFound,
  type NodeRef,
  NodeRepository,
  NodeResolver,
  type NodeView,
  type PlacedNode,
  QuotaLedger,
  type Removed,
  SpaceCrossing,
  SpaceService,
  SubtreeRepository,
  TrashBin,
  viewerOf,
} from '#libs/nodes';

export interface MoveNode {
  readonly source: NodeRef;
  readonly targetFolder: NodeRef;
  /** What stands in the way: `fail` = NAME_TAKEN, `replace` = it goes to the trash, `rename` = what comes gets a number. */
  readonly onConflict: 'fail' | 'replace' | 'rename';
}

export interface RenameNode {
  readonly node: NodeRef;
  readonly name: string;
  /** What a name that is taken leads to: NAME_TAKEN, or a number behind it. Default `fail`. */
  readonly onConflict?: 'fail' | 'rename';
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

/** Where a move goes from and to: the rows that it changes, which for a mount are not those of the shared folder. */
interface Ends {
  readonly source: PlacedNode;
  readonly target: PlacedNode;
  readonly fromSpaceId: string;
}

const RENAME_TRIES = 5;
const LOCK_TRIES = 5;

/** Moving and renaming: constant time and a handful of rows, whatever lies below, unless it goes to another owner. */
@Injectable()
export class MoveService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly spaces: SpaceService,
    private readonly nodes: NodeRepository,
    private readonly mounts: MountRepository,
    private readonly subtrees: SubtreeRepository,
    private readonly crossing: SpaceCrossing,
    private readonly limits: FolderLimits,
    private readonly names: FreeNames,
    private readonly bin: TrashBin,
    private readonly quotas: QuotaLedger,
    private readonly changes: ChangeLog,
    private readonly access: AccessService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Puts a node into another folder, in another space too: then its new owner pays for it. Taking something away needs the right to delete it,
   * and a mount moves alone, within its home. NODE_NOT_FOUND (`details.which` tells source or target), FORBIDDEN, NOT_A_FOLDER, ROOT_IMMUTABLE,
   * SAME_FOLDER, MOVE_INTO_DESCENDANT, NAME_TAKEN, TREE_TOO_DEEP, MOUNT_INTO_SHARE, MOUNT_IN_THE_WAY, CONTAINS_SHARE, QUOTA_EXCEEDED, BUSY.
   */
  async move(actor: Actor, command: MoveNode): Promise<LocatedNode> {
    // Which spaces have to be locked is known only when the places are, and those may change until the locks are held.
    let locks = actor.kind === 'account' ? [(await this.spaces.homeOf(actor.accountId)).spaceId] : [];
    for (let tries = 1; tries <= LOCK_TRIES; tries++) {
      const outcome = await this.unitOfWork.run(() => this.moveOnce(actor, command, locks));
      if ('moved' in outcome) return outcome.moved;
      locks = [...new Set([...locks, ...outcome.needed])];
    }
    throw new DomainError('BUSY', 'Too many changes at the same place; try again.');
  }

  /** The moved node, or the spaces that it needs to be locked as well. */
  private async moveOnce(actor: Actor, command: MoveNode, locks: readonly string[]): Promise<{ moved: LocatedNode } | { needed: readonly string[] }> {
    for (const spaceId of [...locks].sort()) await this.spaces.lock(spaceId);
    const ends = await this.endpoints(actor, command.source, command.targetFolder);
    const { source, target, fromSpaceId } = ends;
    const { node } = source;
    if (node.mount === null) await this.access.require(actor, 'node.delete', [node]).catch(notFoundAs('source'));
    await this.access.require(actor, 'node.create', [target.node]).catch(notFoundAs('target'));
    if (![fromSpaceId, target.node.spaceId].every((id) => locks.includes(id))) return { needed: [fromSpaceId, target.node.spaceId] };
    checkPlace(source, target);
    await this.checkMounts(actor, ends);
    await this.checkDepth(source, target);
    const deltas: FolderDelta[] = [];
    const recorded: NodeChange[] = [];
    const occupant = await this.nodes.findChild(target.node.id, nameKey(node.name), viewerOf(actor));
    if (occupant) {
      const { onConflict } = command;
      if (onConflict === 'rename') {
        const free = await this.names.find([target.node.id, node.parentId!], node.name, node.kind);
        await this.renameOnce(actor, { node: command.source, name: free });
        return this.moveOnce(actor, command, locks);
      }
      const removed = await this.displace(actor, source, target, occupant, onConflict);
      deltas.push(...removed.deltas);
      for (const gone of removed.nodes) {
        recorded.push({ type: changeOf('deleted', gone), actorId: viewerOf(actor), node: gone, folderId: target.node.id, name: gone.name });
      }
    }
    const checksLimit = target.limited !== false && node.mount === null;
    // What is being uploaded into it is counted before it is held, or checks the limit after it has arrived.
    if (checksLimit) await this.crossing.hold(node.id);
    const changed = await this.put(ends);
    if (!changed) throw nodeNotFound('source');
    const moved = movedTo(node, target, changed);
    const old = { folderId: node.parentId!, name: node.name, node };
    recorded.push({ type: changeOf('moved', node), actorId: viewerOf(actor), node: moved, folderId: target.node.id, name: node.name, old });
    deltas.push(folderDelta(node.parentId!, changed, -1), folderDelta(target.node.id, changed, 1));
    await this.changes.record(recorded);
    await this.nodes.bumpFolders(deltas);
    if (checksLimit) {
      await this.limits.require(target.node.id, node.kind === 'file' ? node.sizeBytes : 1, { counted: true, movedFrom: node.parentId! });
    }
    return { moved };
  }

  /** Changes the rows that go to the target; null when they are not there any more. */
  private async put({ source: { node }, target, fromSpaceId }: Ends): Promise<{ kind: NodeKind; sizeBytes: number; revision: number } | null> {
    if (fromSpaceId !== target.node.spaceId) return this.crossing.move(node, target.node);
    const row = await this.nodes.reparent(node.mount?.id ?? node.id, target.node.id);
    return row && node.mount ? { ...row, revision: node.revision } : row;
  }

  /**
   * Gives a node another name in its folder; changing only case or composition is a change like any other. NODE_NOT_FOUND, NAME_TAKEN,
   * NAME_ILLEGAL, ROOT_IMMUTABLE, BUSY.
   */
  async rename(actor: Actor, command: RenameNode): Promise<LocatedNode> {
    // Renames take no lock. What was renamed or moved in this moment is looked up again: often it is not there any more.
    for (let tries = 1; tries <= RENAME_TRIES; tries++) {
      try {
        const renamed = await this.renameOnce(actor, command);
        if (renamed) return renamed;
      } catch (error) {
        // The free name was taken in this moment.
        if (command.onConflict !== 'rename' || !isDomainError(error, 'NAME_TAKEN') || tries === RENAME_TRIES) throw error;
      }
    }
    throw new DomainError('BUSY', 'Too many changes at the same place; try again.');
  }

  /** Null when others renamed or moved it since it was looked up. */
  private async renameOnce(actor: Actor, { node: ref, name: asked, onConflict = 'fail' }: RenameNode): Promise<LocatedNode | null> {
    return this.unitOfWork.run(async () => {
      const { node } = await this.resolver.get(actor, ref);
      const { mount } = node;
      if (mount === null) await this.access.require(actor, 'node.write', [node]);
      if (isTop(node)) throw new DomainError('ROOT_IMMUTABLE', 'The root folder cannot be renamed.');
      checkName(asked);
      if (asked === node.name) return node;
      const isOwnKey = nameKey(asked) === nameKey(node.name);
      const name = onConflict === 'fail' || isOwnKey ? asked : await this.names.find([node.parentId!], asked, node.kind);
      const mimeType = node.kind === 'file' ? mimeTypeOf(name) : null;
      const renamed = await this.nodes.rename({ ...node, id: mount?.id ?? node.id }, name, nameKey(name), mimeType);
      if (!renamed) return null;
      const path = node.path.slice(0, node.path.lastIndexOf('/') + 1) + name;
      const after = { ...node, name, mimeType, path, revision: mount ? node.revision : renamed.revision };
      const folderId = renamed.parentId;
      const type = changeOf('renamed', node);
      await this.changes.record([{ type, actorId: viewerOf(actor), node: after, folderId, name, old: { folderId, name: node.name, node } }]);
      await this.nodes.bumpFolders([{ folderId, files: 0, folders: 0, bytes: 0 }]);
      return after;
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
      if (command.operation === 'move') await this.checkMove(actor, source, target);
      else if (command.operation === 'copy') checkNotInside(source, target);
    }
    const names = [...found.map(({ node }) => node.name), ...(command.names ?? [])];
    const occupied = await this.nodes.occupied(target.node.id, names.map(nameKey));
    const inShare = target.inShare || found.some((source) => source.inShare) || occupied.some(({ shared }) => shared);
    return { exists: occupied.length > 0, overWritable: occupied.length === 0 || !inShare, copyable: await this.hasSpace(target, command, found) };
  }

  private async hasSpace(target: PlacedNode, command: Precheck, sources: readonly PlacedNode[]): Promise<boolean> {
    const { ownerId, spaceId, id } = target.node;
    const paid = command.operation === 'move' ? sources.filter(({ node }) => node.mount === null && node.spaceId !== spaceId) : sources;
    if (command.operation === 'move' && paid.length === 0) return true;
    const free = minimum(await this.quotas.freeBytes(ownerId), target.limited === false ? null : await this.limits.freeBytes(id));
    if (free === null) return true;
    let needed = command.sizeBytes ?? 0;
    for (const { node } of paid) needed += node.kind === 'file' ? node.sizeBytes : (await this.subtrees.figures(node.id)).bytes;
    return needed <= free;
  }

  private async checkMove(actor: Actor, source: PlacedNode, target: PlacedNode): Promise<void> {
    checkPlace(source, target);
    await this.checkMounts(actor, { source, target, fromSpaceId: source.node.mount?.spaceId ?? source.node.spaceId });
  }

  /** Mounts stay out of shared folders, and no folder goes below itself on a way that the actor does not see whole. */
  private async checkMounts(actor: Actor, { source, target, fromSpaceId }: Ends): Promise<void> {
    const { node } = source;
    if (node.mount !== null) {
      if (target.inShare || target.node.spaceId !== fromSpaceId) throw mountIntoShare();
      return;
    }
    if (node.kind !== 'folder') return;
    if (target.inShare && !source.inShare && (await this.mounts.within(fromSpaceId, [node.id])).length > 0) throw mountIntoShare();
    if (fromSpaceId === target.node.spaceId && (await this.wholeChain(actor, target, source)).includes(node.id)) throw intoItself();
  }

  /** The chain of a place from the root of its space. What is seen through a mount, or from another start than the other end, begins below it. */
  private async wholeChain(actor: Actor, { node, chain }: PlacedNode, other: PlacedNode): Promise<readonly string[]> {
    if (chain[0] === other.chain[0] && node.ownerId === viewerOf(actor)) return chain;
    return (await this.nodes.locate([node.id], null)).get(node.id)?.chain ?? chain;
  }

  private async endpoints(actor: Actor, sourceRef: NodeRef, targetRef: NodeRef): Promise<Ends> {
    const [source, target] = await this.resolver.findMany(actor, [sourceRef, targetRef]);
    if (!source) throw nodeNotFound('source');
    if (!target) throw nodeNotFound('target');
    return { source, target, fromSpaceId: source.node.mount?.spaceId ?? source.node.spaceId };
  }

  private async checkDepth(source: PlacedNode, target: PlacedNode): Promise<void> {
    const depth = depthOf(target) + 1;
    // What goes no deeper than it was needs no look at what lies below.
    const height = source.node.kind === 'folder' && depth > depthOf(source) ? (await this.subtrees.figures(source.node.id)).height : 0;
    if (depth + height > MAX_DEPTH) throw new DomainError('TREE_TOO_DEEP', `Folders can be nested ${MAX_DEPTH} deep.`);
  }

  /** Trashes what stands at the new place. */
  private async displace(actor: Actor, source: PlacedNode, target: PlacedNode, occupant: NodeView, onConflict: 'fail' | 'replace'): Promise<Removed> {
    const taken = new DomainError('NAME_TAKEN', `"${childPath(target.node, occupant.name)}" already exists.`);
    // A folder cannot be thrown away in favour of something inside of it.
    if (onConflict === 'fail') throw taken;
    if (occupant.kind === 'folder' && (await this.wholeChain(actor, source, target)).includes(occupant.id)) throw taken;
    if (occupant.mount !== null) {
      throw new DomainError('MOUNT_IN_THE_WAY', `"${childPath(target.node, occupant.name)}" is a folder that others have shared with you.`);
    }
    await this.access.require(actor, 'node.delete', [occupant]);
    const placed = asPlaced(target, occupant);
    // The trash is the owner's, and so is the path by which it goes back.
    const owned = occupant.ownerId === viewerOf(actor) ? placed : (await this.nodes.locate([occupant.id], null)).get(occupant.id);
    if (!owned) throw nodeNotFound('target');
    const elsewhere = occupant.kind === 'folder' ? await this.mounts.listingsOf(occupant.spaceId, [occupant.id]) : [];
    const removed = await this.bin.put([owned], viewerOf(actor), this.clock.nowMs());
    return { ...removed, deltas: [...removed.deltas, ...elsewhere] };
  }
}

function asPlaced(folder: PlacedNode, node: NodeView): PlacedNode {
  return { node: { ...node, path: childPath(folder.node, node.name) }, chain: [...folder.chain, node.id], live: true, depth: depthOf(folder) + 1 };
}

/** The node as it stands in the target. */
export function movedTo(
  node: LocatedNode,
  target: PlacedNode,
  { kind, sizeBytes, revision }: Pick<NodeView, 'kind' | 'sizeBytes' | 'revision'>,
): LocatedNode {
  const moved = { ...node, kind, sizeBytes, revision, parentId: target.node.id, path: childPath(target.node, node.name) };
  if (node.mount !== null || node.spaceId === target.node.spaceId) return moved;
  return { ...moved, spaceId: target.node.spaceId, ownerId: target.node.ownerId, linked: false };
}

/** Whether the actor's paths begin here: his root, or a folder open to him that stands nowhere in his home. */
function isTop(node: LocatedNode): boolean {
  return node.parentId === null || node.path === '/';
}

/** Refuses what can be nowhere. NOT_A_FOLDER, ROOT_IMMUTABLE, MOVE_INTO_DESCENDANT, SAME_FOLDER. */
export function checkPlace(source: PlacedNode, target: PlacedNode): void {
  if (target.node.kind !== 'folder') throw new DomainError('NOT_A_FOLDER', 'The target is not a folder.');
  if (isTop(source.node)) throw new DomainError('ROOT_IMMUTABLE', 'The root folder cannot be moved.');
  checkNotInside(source, target);
  if (source.node.parentId === target.node.id) throw new DomainError('SAME_FOLDER', 'It is in this folder already.');
}

/** Refuses a target that is the source or lies in it. MOVE_INTO_DESCENDANT. */
export function checkNotInside(source: PlacedNode, target: PlacedNode): void {
  if (target.chain.includes(source.node.id)) throw intoItself();
}

export function intoItself(): DomainError {
  return new DomainError('MOVE_INTO_DESCENDANT', 'A folder cannot go into itself or a folder below it.');
}

function minimum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

/** Says of what was not found which of two it was. */
export function notFoundAs(which: 'source' | 'target'): (error: unknown) => never {
  return (error) => {
    throw isDomainError(error, 'NODE_NOT_FOUND') ? nodeNotFound(which) : error;
  };
}
