import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type Actor, Clock, DomainError, isDomainError, newId } from '#libs/kernel';
import {
  authorOf,
  ChangeLog,
  changeOf,
  checkName,
  childPath,
  CopyRepository,
  type CopyTarget,
  depthOf,
  folderDelta,
  FolderLimits,
  type LocatedNode,
  MAX_DEPTH,
  nameKey,
  nodeNotFound,
  type NodeRef,
  NodeRepository,
  NodeResolver,
  type NodeView,
  numberedCandidates,
  type PlacedNode,
  quotaExceeded,
  QuotaLedger,
  SpaceRepository,
  SpaceService,
  SubtreeRepository,
  totalBytes,
  viewerOf,
} from '#libs/nodes';
import { Outbox } from '#libs/queue';

import { checkNotInside, notFoundAs } from './move.service.js';

export interface CopyNode {
  readonly source: NodeRef;
  readonly targetFolder: NodeRef;
  /** What stands in the way: `fail` = NAME_TAKEN, `rename` = the copy is called `name (1)`, `name (1).ext`. */
  readonly onConflict: 'fail' | 'rename';
  /** What the copy is called; its own name when absent. */
  readonly name?: string;
  /** Who reads the source when that is not the actor: the holder of a link. Whoever reads it needs the right to download it. */
  readonly reader?: Actor;
  readonly steps?: CopySteps;
}

/** Told of a copy in the transactions in which it begins to exist, unseen, and in which it is shown; what they throw rolls these back. */
export interface CopySteps {
  begun(copyId: string): Promise<void>;
  shown(copyId: string): Promise<void>;
}

/** Where a copy is built, and for whom. */
export interface CopyPlan {
  readonly spaceId: string;
  /** Root of that space. */
  readonly rootId: string;
  /** Owner of the space: he pays. */
  readonly ownerId: number;
  readonly authorId: number;
  /** Levels below the root at which the copy will stand. */
  readonly depth: number;
}

interface Name {
  readonly name: string;
  readonly nameKey: string;
}

/** A folder whose children are still to be copied. */
interface Pending {
  readonly sourceId: string;
  readonly copyId: string;
  readonly childCount: number;
  readonly depth: number;
}

interface Child {
  readonly id: string;
  readonly parentId: string;
  readonly kind: 'folder' | 'file';
  readonly childCount: number;
}

const ROWS_A_BATCH = 3_000;
const FOLDERS_A_BATCH = 500;
const LANES = 2;
const ATTACH_TRIES = 5;

/**
 * Copies files and folders: rows only, the copies share the objects in the store. A folder is built under a root that nobody sees and shown
 * at the end; its bytes count in the quota batch by batch, so that a copy that dies holds nothing that the purge would not free.
 */
@Injectable()
export class CopyService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly nodes: NodeRepository,
    private readonly copies: CopyRepository,
    private readonly subtrees: SubtreeRepository,
    private readonly spaces: SpaceService,
    private readonly spaceRows: SpaceRepository,
    private readonly quotas: QuotaLedger,
    private readonly limits: FolderLimits,
    private readonly changes: ChangeLog,
    private readonly access: AccessService,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Copies a node into a folder; the owner of the target pays. Client dates are kept; versions but the current one, favourites, links, shares and
   * mounts inside of it are not copied. NODE_NOT_FOUND (`details.which`), FORBIDDEN, NOT_A_FOLDER, MOVE_INTO_DESCENDANT, ROOT_IMMUTABLE, NAME_TAKEN,
   * TREE_TOO_DEEP, QUOTA_EXCEEDED before anything can be seen.
   */
  async copy(actor: Actor, command: CopyNode): Promise<LocatedNode> {
    const { reader } = command;
    const [target, own] = await this.resolver.findMany(actor, reader ? [command.targetFolder] : [command.targetFolder, command.source]);
    const found = reader ? await this.resolver.find(reader, command.source) : own;
    if (!found) throw nodeNotFound('source');
    const source = command.name === undefined ? found : { ...found, node: { ...found.node, name: checkName(command.name) } };
    if (!target) throw nodeNotFound('target');
    await this.access.require(reader ?? actor, 'node.copy', [source.node]).catch(notFoundAs('source'));
    // what a link gives comes from outside
    const action = reader ? 'node.upload' : 'node.create';
    await this.access.require(actor, action, [target.node]).catch(notFoundAs('target'));
    if (source.node.kind === 'folder') await this.access.require(actor, 'node.make-folder', [target.node]);
    if (target.node.kind !== 'folder') throw new DomainError('NOT_A_FOLDER', 'The target is not a folder.');
    checkNotInside(source, target);
    // It has no name that the copy could have.
    if (source.node.parentId === null) throw new DomainError('ROOT_IMMUTABLE', 'The root folder cannot be copied.');
    const copyId =
      source.node.kind === 'file' ? await this.copyFile(actor, source, target, command) : await this.copyFolder(actor, source, target, command);
    return (await this.resolver.get(actor, { id: copyId })).node;
  }

  /** Hands an unfinished copy, whose maker has died, to the purge. */
  async giveUp(copyId: string, spaceId: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.copies.abandon(copyId, this.clock.now());
      await this.outbox.add('nodes.purge-space', { spaceId });
    });
  }

  private copyFile(actor: Actor, { node }: PlacedNode, target: PlacedNode, { onConflict, steps }: CopyNode): Promise<string> {
    if (depthOf(target) + 1 > MAX_DEPTH) throw tooDeep();
    return this.unitOfWork.run(async () => {
      for (;;) {
        const name = await this.freeName(target.node, node, onConflict);
        const id = newId(this.clock.nowMs());
        const { ids, added } = await this.copies.insertFile(
          { sourceId: node.id, copyId: id, parentId: target.node.id },
          this.target(actor, target),
          name,
        );
        if (ids.length === 0) {
          // Either the name was taken in this moment, or the source has been erased.
          if ((await this.nodes.byIds([node.id])).length === 0) throw nodeNotFound('source');
          continue;
        }
        await this.quotas.add(target.node.ownerId, added);
        await this.record(actor, id, target.node.id);
        await this.nodes.bumpFolders([folderDelta(target.node.id, { kind: 'file', sizeBytes: totalBytes(added) }, 1)]);
        // Whether the target was limited when it was looked up does not count: the quota is held only now.
        await this.limits.require(target.node.id, totalBytes(added), { counted: true });
        await steps?.shown(id);
        return id;
      }
    });
  }

  private async copyFolder(actor: Actor, { node }: PlacedNode, target: PlacedNode, { onConflict, steps }: CopyNode): Promise<string> {
    const { bytes, height } = await this.subtrees.figures(node.id);
    if (depthOf(target) + 1 + height > MAX_DEPTH) throw tooDeep();
    const free = await this.quotas.freeBytes(target.node.ownerId);
    if (free !== null && bytes > free) throw quotaExceeded();
    if (target.limited !== false) {
      const room = await this.limits.freeBytes(target.node.id);
      if (room !== null && bytes > room) throw quotaExceeded();
    }
    await this.freeName(target.node, node, onConflict);
    const { spaceId, authorId } = this.target(actor, target);
    const { rootId } = (await this.spaceRows.find(spaceId))!;
    const copyId = newId(this.clock.nowMs());
    try {
      await this.build(node, copyId, { spaceId, rootId, authorId, ownerId: target.node.ownerId, depth: depthOf(target) + 1 }, async (id) =>
        steps?.begun(id),
      );
      await this.attach(actor, copyId, node, target.node, { onConflict, steps });
    } catch (error) {
      await this.giveUp(copyId, spaceId);
      throw error;
    }
    return copyId;
  }

  /**
   * Copies a folder, with all below it, to where nobody sees it, for a caller who has judged who may do this and shows the copy himself, or gives it
   * up, also after an error. In a surrounding transaction all of it is part of that. `begun` is told in the transaction in which the copy begins to
   * exist. TREE_TOO_DEEP, QUOTA_EXCEEDED.
   */
  async build(source: NodeView, copyId: string, plan: CopyPlan, begun?: (copyId: string) => Promise<void>): Promise<void> {
    const { spaceId, rootId, ownerId, authorId, depth } = plan;
    const into = { spaceId, authorId, nowMs: this.clock.nowMs() };
    await this.unitOfWork.run(async () => {
      await this.copies.insertStaged({ sourceId: source.id, copyId, parentId: rootId }, into);
      await begun?.(copyId);
    });
    await this.fill({ sourceId: source.id, copyId, childCount: source.childFiles + source.childFolders, depth }, into, ownerId);
  }

  /** Copies what lies below the staged root: batches of folders, or big folders part by part, a few at a time. */
  private async fill(root: Pending, into: CopyTarget, ownerId: number): Promise<void> {
    const pending = [root];
    const running = new Set<Promise<void>>();
    try {
      while (pending.length > 0 || running.size > 0) {
        while (pending.length > 0 && running.size < LANES) {
          const lane = this.copyChildren(takeBatch(pending), pending, into, root.copyId, ownerId).finally(() => running.delete(lane));
          running.add(lane);
        }
        await Promise.race(running);
      }
    } finally {
      // After an error nothing may be written any more when the copy is given up.
      await Promise.allSettled(running);
    }
  }

  /** Copies the children of some folders and notes those that have children themselves. */
  private async copyChildren(folders: readonly Pending[], pending: Pending[], into: CopyTarget, stagedId: string, ownerId: number): Promise<void> {
    if (folders.some(({ depth }) => depth > MAX_DEPTH)) throw tooDeep();
    const byId = new Map(folders.map((folder) => [folder.sourceId, folder]));
    for await (const children of this.childrenOf(folders)) {
      const pairs = children.map((child) => ({ sourceId: child.id, copyId: newId(into.nowMs), parentId: byId.get(child.parentId)!.copyId }));
      const made = new Set(await this.copyBatch(pairs, into, stagedId, ownerId));
      children.forEach((child, index) => {
        const { copyId } = pairs[index]!;
        if (child.kind !== 'folder' || child.childCount === 0 || !made.has(copyId)) return;
        pending.push({ sourceId: child.id, copyId, childCount: child.childCount, depth: byId.get(child.parentId)!.depth + 1 });
      });
    }
  }

  private async *childrenOf(folders: readonly Pending[]): AsyncGenerator<Child[]> {
    if (folders.length > 1) {
      const children = await this.copies.childrenOf(
        folders.map((folder) => folder.sourceId),
        2 * ROWS_A_BATCH,
      );
      // Folders that have grown this much since they were seen are taken one by one below.
      if (children.length < 2 * ROWS_A_BATCH) {
        if (children.length > 0) yield children;
        return;
      }
    }
    for (const { sourceId } of folders) {
      for (let after: string | null = null; ;) {
        const page: { id: string; kind: 'folder' | 'file'; childCount: number }[] = await this.copies.childIds(sourceId, after, ROWS_A_BATCH);
        if (page.length > 0) yield page.map((child) => ({ ...child, parentId: sourceId }));
        if (page.length < ROWS_A_BATCH) break;
        after = page[page.length - 1]!.id;
      }
    }
  }

  private copyBatch(pairs: readonly { sourceId: string; copyId: string; parentId: string }[], into: CopyTarget, stagedId: string, ownerId: number) {
    return this.unitOfWork.run(async () => {
      const { ids, added } = await this.copies.insertBelow(pairs, into);
      if (!(await this.copies.touchStaged(stagedId, this.clock.now()))) throw new DomainError('BUSY', 'The copy was given up; try again.');
      if (totalBytes(added) > 0) await this.quotas.add(ownerId, added);
      return ids;
    });
  }

  /** Shows the finished copy in the target, wherever that is by now. */
  private async attach(
    actor: Actor,
    copyId: string,
    node: LocatedNode,
    { id: targetId, spaceId }: NodeView,
    { onConflict, steps }: { readonly onConflict: CopyNode['onConflict']; readonly steps: CopySteps | undefined },
  ): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.unitOfWork.run(async () => {
          const target = await this.resolver.find(actor, { id: targetId });
          if (!target) throw nodeNotFound('target');
          await this.spaces.lock(target.node.spaceId);
          const still = await this.resolver.find(actor, { id: targetId });
          // In another space it would be another owner's to pay.
          if (still?.node.spaceId !== spaceId || target.node.spaceId !== spaceId) throw nodeNotFound('target');
          await this.access.require(actor, 'node.create', [still.node]);
          if (depthOf(still) > depthOf(target) && depthOf(still) + 1 + (await this.subtrees.figures(copyId)).height > MAX_DEPTH) throw tooDeep();
          const { name, nameKey: key } = await this.freeName(still.node, node, onConflict);
          if (!(await this.copies.attach(copyId, targetId, name, key))) throw new DomainError('BUSY', 'The copy was given up; try again.');
          await this.record(actor, copyId, targetId);
          await this.nodes.bumpFolders([folderDelta(targetId, { kind: 'folder', sizeBytes: 0 }, 1)]);
          if (still.limited !== false) await this.limits.require(targetId, 1, { counted: true });
          await steps?.shown(copyId);
        });
      } catch (error) {
        // A file of this name was uploaded in the same moment.
        if (onConflict === 'rename' && tries < ATTACH_TRIES && isDomainError(error, 'NAME_TAKEN')) continue;
        throw error;
      }
    }
  }

  /** The node's own name when it is free in the folder, else the first free numbered one. NAME_TAKEN. */
  private async freeName(folder: LocatedNode, node: LocatedNode, onConflict: CopyNode['onConflict']): Promise<Name> {
    const own = { name: node.name, nameKey: nameKey(node.name) };
    if ((await this.nodes.takenKeys(folder.id, [own.nameKey])).size === 0) return own;
    if (onConflict === 'rename') {
      for (let from = 1, count = 20; from < 1_000_000; from += count, count = Math.min(count * 4, 10_000)) {
        const candidates = numberedCandidates(node.name, node.kind, from, count);
        const taken = await this.nodes.takenKeys(
          folder.id,
          candidates.map((candidate) => candidate.nameKey),
        );
        const free = candidates.find((candidate) => !taken.has(candidate.nameKey));
        if (free) return free;
      }
    }
    throw new DomainError('NAME_TAKEN', `"${childPath(folder, node.name)}" already exists.`);
  }

  private async record(actor: Actor, copyId: string, folderId: string): Promise<void> {
    const [copy] = await this.nodes.byIds([copyId]);
    if (copy) await this.changes.record([{ type: changeOf('copied', copy), actorId: viewerOf(actor), node: copy, folderId, name: copy.name }]);
  }

  private target(actor: Actor, { node }: PlacedNode): CopyTarget {
    return { spaceId: node.spaceId, authorId: authorOf(actor) ?? node.ownerId, nowMs: this.clock.nowMs() };
  }
}

/** As many folders from the end of the list as make one batch together; a big one comes alone. */
function takeBatch(pending: Pending[]): Pending[] {
  const batch = [pending.pop()!];
  let rows = batch[0]!.childCount;
  while (pending.length > 0 && batch.length < FOLDERS_A_BATCH && rows + pending[pending.length - 1]!.childCount <= ROWS_A_BATCH) {
    const next = pending.pop()!;
    rows += next.childCount;
    batch.push(next);
  }
  return batch;
}

function tooDeep(): DomainError {
  return new DomainError('TREE_TOO_DEEP', `Folders can be nested ${MAX_DEPTH} deep.`);
}
