import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type Actor, Clock, DomainError, isDomainError, isUuid } from '#libs/kernel';
import {
  ChangeLog,
  type ChangedRow,
  changeOf,
  childPath,
  depthOf,
  type FolderDelta,
  folderDelta,
  FolderLimits,
  FolderMaker,
  type LocatedNode,
  MAX_DEPTH,
  MountRepository,
  nameKey,
  type NodeChange,
  nodeNotFound,
  type NodeRef,
  NodeRepository,
  NodeResolver,
  type NodeView,
  pathSegments,
  type PlacedNode,
  SpaceRepository,
  SpaceService,
  SubtreeRepository,
  TrashBin,
  TrashRepository,
  viewerOf,
} from '#libs/nodes';

/** A trashed node and the folder that takes it back, as the actor sees it. */
export interface Planned {
  readonly node: NodeView;
  readonly folder: PlacedNode;
}

export interface RestoreNode {
  /** Who restores: he must have the right to still when it happens. */
  readonly actor: Actor;
  readonly spaceId: string;
  readonly nodeId: string;
  /** `replace`: what stands at the old place goes to the trash. */
  readonly onConflict: 'fail' | 'replace';
  /** The shared folder through which the actor sees it; null in his own trash. It goes back to nowhere else. */
  readonly sharedId: string | null;
}

/** Brings things back from the trash one by one, and the steps of it that undeleting shares. */
@Injectable()
export class RestoreService {
  constructor(
    private readonly spaces: SpaceService,
    private readonly spaceRows: SpaceRepository,
    private readonly nodes: NodeRepository,
    private readonly resolver: NodeResolver,
    private readonly mounts: MountRepository,
    private readonly rows: TrashRepository,
    private readonly subtrees: SubtreeRepository,
    private readonly maker: FolderMaker,
    private readonly bin: TrashBin,
    private readonly limits: FolderLimits,
    private readonly access: AccessService,
    private readonly changes: ChangeLog,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Brings one trashed node back to where it was: into its folder when that is in place, else into folders made anew along the old path.
   * Null when it is not in the trash any more. NODE_NOT_FOUND and FORBIDDEN for those without the right, NAME_TAKEN when something stands there
   * and is not to be replaced, MOUNT_IN_THE_WAY, MOUNT_INTO_SHARE, NOT_A_FOLDER, TREE_TOO_DEEP, QUOTA_EXCEEDED by a limit of a folder.
   */
  async restore({ actor, spaceId, nodeId, onConflict, sharedId }: RestoreNode): Promise<LocatedNode | null> {
    return this.unitOfWork.run(async () => {
      await this.spaces.lock(spaceId);
      const [node] = await this.nodes.byIds([nodeId]);
      if (!node || node.spaceId !== spaceId || node.removal !== 'trashed') return null;
      await this.access.require(actor, 'node.restore', [node]);
      const folder = await this.folderFor(actor, node, await this.parentsOf(actor, [node]), sharedId);
      const deltas = await this.makeRoom(actor, { node, folder }, onConflict);
      await this.checkPlan({ node, folder });
      const rows = await this.putBack(actor, spaceId, [{ node, folder }], deltas);
      return restored({ node, folder }, rows.get(node.id)!);
    });
  }

  /**
   * Brings one trashed node back into a folder of the same space, which the actor may write to. NODE_NOT_FOUND when it is not in the trash,
   * INSIDE_TRASHED_FOLDER when a folder above it is what was trashed, FORBIDDEN, NOT_A_FOLDER, NAME_TAKEN, MOUNT_INTO_SHARE (another space), TREE_TOO_DEEP.
   */
  async restoreInto(actor: Actor, nodeId: string, target: NodeRef): Promise<LocatedNode> {
    const [seen] = isUuid(nodeId) ? await this.nodes.byIds([nodeId]) : [];
    if (!seen) throw nodeNotFound('source');
    return this.unitOfWork.run(async () => {
      await this.spaces.lock(seen.spaceId);
      const [node] = await this.nodes.byIds([nodeId]);
      if (!node) throw nodeNotFound('source');
      await this.access.require(actor, 'node.restore', [node]).catch(notFoundAsSource);
      if (node.removal === null) throw new DomainError('INSIDE_TRASHED_FOLDER', 'It lies in a folder that is in the trash: bring that back.');
      if (node.removal !== 'trashed') throw nodeNotFound('source');
      const folder = await this.resolver.find(actor, target);
      if (!folder) throw nodeNotFound('target');
      await this.access.require(actor, 'node.create', [folder.node]);
      if (folder.node.kind !== 'folder') throw new DomainError('NOT_A_FOLDER', 'The target is not a folder.');
      if (folder.node.spaceId !== node.spaceId) throw new DomainError('MOUNT_INTO_SHARE', 'It goes back to a folder of its own owner only.');
      const plan = { node, folder };
      await this.makeRoom(actor, plan, 'fail');
      await this.checkPlan(plan);
      const rows = await this.putBack(actor, node.spaceId, [plan]);
      return restored(plan, rows.get(node.id)!);
    });
  }

  /** Puts nodes of one space back where they are planned, with the news of it. Needs the lock of the space; NAME_TAKEN. */
  async putBack(actor: Actor, spaceId: string, plans: readonly Planned[], deltas: readonly FolderDelta[] = []): Promise<Map<string, ChangedRow>> {
    if (plans.length === 0) return new Map();
    const rows = new Map(
      (await this.rows.putBack(plans.map(({ node, folder }) => ({ id: node.id, parentId: folder.node.id })))).map((row) => [row.id, row]),
    );
    await this.spaceRows.bumpTrash(spaceId);
    const done = plans.filter(({ node }) => rows.has(node.id));
    const folderIds = done.filter(({ node }) => node.kind === 'folder').map(({ node }) => node.id);
    const shownElsewhere = await this.mounts.listingsOf(spaceId, folderIds);
    await this.changes.record(done.map((plan) => comingBack(actor, plan)));
    const gained = done.map(({ node, folder }) => folderDelta(folder.node.id, rows.get(node.id)!, 1));
    await this.nodes.bumpFolders([...deltas, ...gained, ...shownElsewhere]);
    await this.limits.requireCounted(
      spaceId,
      done.map(({ folder }) => folder.node.id),
    );
    return rows;
  }

  /**
   * The folder a trashed node goes back to: its own one, or the one at its old path, made anew where it is missing; for a member of a shared
   * folder never outside of that. NODE_NOT_FOUND when it was not below the shared folder.
   */
  async folderFor(actor: Actor, node: NodeView, parents: ReadonlyMap<string, PlacedNode>, sharedId: string | null): Promise<PlacedNode> {
    const parent = parents.get(node.parentId!);
    const nowMs = this.clock.nowMs();
    const viewerId = viewerOf(actor);
    if (sharedId !== null) {
      const start = parent?.chain.indexOf(sharedId) ?? -1;
      if (!parent || start < 0) throw new DomainError('NODE_NOT_FOUND', 'It was not in this shared folder.');
      if (parent.live) return parent;
      const path = pathSegments(parent.node.path).slice(start);
      return (
        await this.maker.ensure({
          spaceId: node.spaceId,
          startId: sharedId,
          path,
          authorId: viewerId ?? node.ownerId,
          viewerId,
          makerId: viewerId,
          nowMs,
        })
      ).folder;
    }
    const way = pathSegments(node.restorePath!).slice(0, -1);
    // The purge puts what it may not erase below the root: then the folder is gone for good.
    const lost = parent?.node.parentId === null && way.length > 0;
    if (parent?.live && !lost) return parent;
    const { ownerId, spaceId } = node;
    return (await this.maker.ensure({ spaceId, path: way, authorId: ownerId, viewerId: ownerId, makerId: viewerId, nowMs })).folder;
  }

  /** TREE_TOO_DEEP; MOUNT_INTO_SHARE when a folder with something of others in it would come to stand in a shared folder. */
  async checkPlan({ node, folder }: Planned): Promise<void> {
    const depth = depthOf(folder) + 1;
    // Where it goes no deeper than it was, there is no need to look at what lies below.
    const height = node.kind === 'folder' && depth > pathSegments(node.restorePath!).length ? (await this.subtrees.figures(node.id)).height : 0;
    if (depth + height > MAX_DEPTH) throw new DomainError('TREE_TOO_DEEP', `Folders can be nested ${MAX_DEPTH} deep.`);
    if (folder.inShare && node.kind === 'folder' && (await this.mounts.within(node.spaceId, [node.id])).length > 0) {
      throw new DomainError('MOUNT_INTO_SHARE', 'It holds a folder that somebody else shares, and cannot stand in a shared folder.');
    }
  }

  /** The folders that trashed nodes were in, where the actor sees them. */
  async parentsOf(actor: Actor, nodes: readonly NodeView[]): Promise<Map<string, PlacedNode>> {
    return this.nodes.locate([...new Set(nodes.map((node) => node.parentId!))], viewerOf(actor));
  }

  /** Trashes what stands where the node was. */
  private async makeRoom(actor: Actor, { node, folder }: Planned, onConflict: 'fail' | 'replace'): Promise<readonly FolderDelta[]> {
    const occupant = await this.nodes.findChild(folder.node.id, nameKey(node.name));
    if (!occupant) return [];
    if (onConflict === 'fail') throw nameTaken({ node, folder });
    if (occupant.mount)
      throw new DomainError('MOUNT_IN_THE_WAY', `"${childPath(folder.node, occupant.name)}" is shared by somebody else and is not replaced.`);
    await this.access.require(actor, 'node.delete', [occupant]);
    const path = childPath(folder.node, occupant.name);
    const placed = { node: { ...occupant, path }, chain: [...folder.chain, occupant.id], live: true };
    const shownElsewhere = occupant.kind === 'folder' ? await this.mounts.listingsOf(occupant.spaceId, [occupant.id]) : [];
    const gone = await this.bin.put([placed], viewerOf(actor), this.clock.nowMs());
    await this.changes.record(gone.nodes.map((gone) => goingAway(actor, gone)));
    return [...gone.deltas, ...shownElsewhere];
  }
}

/** The node as it stands again, with the path that the actor sees. */
export function restored({ node, folder }: Planned, row: ChangedRow): LocatedNode {
  return {
    ...node,
    sizeBytes: row.sizeBytes,
    revision: row.revision,
    parentId: folder.node.id,
    removal: null,
    removedAtMs: null,
    trashName: null,
    restorePath: null,
    path: childPath(folder.node, node.name),
  };
}

export function nameTaken({ node, folder }: Planned): DomainError {
  return new DomainError('NAME_TAKEN', `"${childPath(folder.node, node.name)}" already exists.`);
}

function comingBack(actor: Actor, { node, folder }: Planned): NodeChange {
  return { type: changeOf('undeleted', node), actorId: viewerOf(actor), node, folderId: folder.node.id, name: node.name };
}

function goingAway(actor: Actor, node: NodeView): NodeChange {
  return { type: changeOf('deleted', node), actorId: viewerOf(actor), node, folderId: node.parentId, name: node.name };
}

function notFoundAsSource(error: unknown): never {
  throw isDomainError(error, 'NODE_NOT_FOUND') ? nodeNotFound('source') : error;
}
