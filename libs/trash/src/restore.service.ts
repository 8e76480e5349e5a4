import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type Actor, Clock, DomainError, isDomainError } from '#libs/kernel';
import {
  type ChangedRow,
  childPath,
  depthOf,
  type FolderDelta,
  folderDelta,
  FolderMaker,
  type LocatedNode,
  MAX_DEPTH,
  nameKey,
  nodeNotFound,
  NodeRepository,
  NodeResolver,
  type NodeView,
  pathSegments,
  type PlacedNode,
  restoreKey,
  SpaceRepository,
  SpaceService,
  SubtreeRepository,
  TrashBin,
  TrashRepository,
  viewerOf,
} from '#libs/nodes';

import type { TrashOutcome } from './outcome.js';

const TRIES = 3;

interface Planned {
  readonly node: NodeView;
  readonly folder: PlacedNode;
}

/** Brings things back from the trash. */
@Injectable()
export class RestoreService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly spaces: SpaceService,
    private readonly spaceRows: SpaceRepository,
    private readonly nodes: NodeRepository,
    private readonly rows: TrashRepository,
    private readonly subtrees: SubtreeRepository,
    private readonly maker: FolderMaker,
    private readonly bin: TrashBin,
    private readonly access: AccessService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Brings back, in place, what was trashed last at each path; a constant number of statements unless folders have to be made anew. Errors
   * per path: NOT_IN_TRASH (something is there), INSIDE_TRASHED_FOLDER, NODE_NOT_FOUND, NAME_TAKEN (its folder was moved), TREE_TOO_DEEP.
   */
  async undelete(actor: Actor, { paths }: { readonly paths: readonly (readonly string[])[] }): Promise<TrashOutcome<readonly string[]>[]> {
    if (paths.length === 0) return [];
    const { spaceId } = await this.spaces.homeOfActor(actor);
    // An upload can take a name between our look and our write. Its row is there for the next look.
    for (let tries = 1; ; tries++) {
      try {
        return await this.unitOfWork.run(() => this.undeleteOnce(actor, spaceId, paths));
      } catch (error) {
        if (tries === TRIES || !isDomainError(error, 'NAME_TAKEN')) throw error;
      }
    }
  }

  /**
   * Brings one trashed node back to where it was: into its folder when that is in place, else into folders made anew along the old path.
   * Null when it is not in the trash any more. NAME_TAKEN when something stands there and is not to be replaced, NOT_A_FOLDER, TREE_TOO_DEEP.
   */
  async restore(spaceId: string, nodeId: string, onConflict: 'fail' | 'replace', removedBy: number | null): Promise<LocatedNode | null> {
    return this.unitOfWork.run(async () => {
      await this.spaces.lock(spaceId);
      const [node] = await this.nodes.byIds([nodeId]);
      if (!node || node.spaceId !== spaceId || node.removal !== 'trashed') return null;
      const folder = await this.folderFor(node, await this.parentsOf([node]));
      const deltas = await this.makeRoom({ node, folder }, onConflict, removedBy);
      await this.checkDepth(node, folder);
      const [row] = await this.rows.putBack([{ id: node.id, parentId: folder.node.id }]);
      await this.spaceRows.bumpTrash(spaceId);
      await this.nodes.bumpFolders([...deltas, folderDelta(folder.node.id, row!, 1)]);
      return restored({ node, folder }, row!);
    });
  }

  private async undeleteOnce(actor: Actor, spaceId: string, paths: readonly (readonly string[])[]): Promise<TrashOutcome<readonly string[]>[]> {
    await this.spaces.lock(spaceId);
    const keys = paths.map(restoreKey);
    const trashed = await this.rows.newestByKey(spaceId, keys, viewerOf(actor));
    await this.access.require(actor, 'node.restore', [...trashed.values()]);
    const places = await this.resolver.resolveMany(actor, paths);
    const parents = await this.parentsOf([...trashed.values()]);
    const errors = new Map<number, DomainError>();
    const planned = new Map<number, Planned>();
    const seen = new Set<string>();
    const inTrash = await this.insideTrash(
      actor,
      spaceId,
      paths.filter((_, index) => !trashed.has(keys[index]!)),
    );
    for (const [index, path] of paths.entries()) {
      const node = trashed.get(keys[index]!);
      const inPlace = places[index]!.missing.length === 0 || seen.has(keys[index]!);
      try {
        if (inPlace) throw new DomainError('NOT_IN_TRASH', `"/${path.join('/')}" is not in the trash.`);
        if (!node) throw inTrash.has(path) ? insideTrashed() : nodeNotFound();
        planned.set(index, await this.plan(node, parents));
        seen.add(keys[index]!);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        errors.set(index, error);
      }
    }
    const rows = await this.putBack(spaceId, planned, errors);
    return paths.map((path, index) => {
      const plan = planned.get(index);
      const row = plan && rows.get(plan.node.id);
      return plan && row ? { ref: path, node: restored(plan, row) } : { ref: path, error: errors.get(index)! };
    });
  }

  private async plan(node: NodeView, parents: ReadonlyMap<string, PlacedNode>): Promise<Planned> {
    if (!parents.get(node.parentId!)?.live) throw insideTrashed();
    const folder = await this.folderFor(node, parents);
    await this.checkDepth(node, folder);
    return { node, folder };
  }

  /** Writes what is planned, except where a name is taken: those are moved to `errors`. */
  private async putBack(spaceId: string, planned: Map<number, Planned>, errors: Map<number, DomainError>): Promise<Map<string, ChangedRow>> {
    const free = await this.withFreeNames([...planned.values()]);
    for (const [index, plan] of planned) {
      if (free.has(plan.node.id)) continue;
      errors.set(index, nameTaken(plan));
      planned.delete(index);
    }
    const items = [...planned.values()].map(({ node, folder }) => ({ id: node.id, parentId: folder.node.id }));
    if (items.length === 0) return new Map();
    const rows = new Map((await this.rows.putBack(items)).map((row) => [row.id, row]));
    await this.spaceRows.bumpTrash(spaceId);
    await this.nodes.bumpFolders(items.map(({ id, parentId }) => folderDelta(parentId, rows.get(id)!, 1)));
    return rows;
  }

  /** Those of the plans whose name nothing live, and no earlier plan, has in their folder. */
  private async withFreeNames(plans: readonly Planned[]): Promise<Set<string>> {
    const taken = await this.nodes.takenPlaces(plans.map(({ node, folder }) => ({ parentId: folder.node.id, nameKey: nameKey(node.name) })));
    const free = new Set<string>();
    for (const { node, folder } of plans) {
      const place = `${folder.node.id}/${nameKey(node.name)}`;
      if (taken.has(place)) continue;
      taken.add(place);
      free.add(node.id);
    }
    return free;
  }

  /** Trashes what stands where the node was. */
  private async makeRoom({ node, folder }: Planned, onConflict: 'fail' | 'replace', removedBy: number | null): Promise<readonly FolderDelta[]> {
    const occupant = await this.nodes.findChild(folder.node.id, nameKey(node.name));
    if (!occupant) return [];
    if (onConflict === 'fail') throw nameTaken({ node, folder });
    const placed = { node: { ...occupant, path: childPath(folder.node, occupant.name) }, chain: [...folder.chain, occupant.id], live: true };
    return (await this.bin.put([placed], removedBy, this.clock.nowMs())).deltas;
  }

  /** The folder a trashed node goes back to: its own one, or the one at its old path, made anew where it is missing. */
  private async folderFor(node: NodeView, parents: ReadonlyMap<string, PlacedNode>): Promise<PlacedNode> {
    const parent = parents.get(node.parentId!);
    const way = pathSegments(node.restorePath!).slice(0, -1);
    // The purge puts what it may not erase below the root: then the folder is gone for good.
    const lost = parent?.node.parentId === null && way.length > 0;
    if (parent?.live && !lost) return parent;
    const { ownerId, spaceId } = node;
    return (await this.maker.ensure({ spaceId, path: way, authorId: ownerId, viewerId: ownerId, nowMs: this.clock.nowMs() })).folder;
  }

  private async checkDepth(node: NodeView, folder: PlacedNode): Promise<void> {
    const depth = depthOf(folder) + 1;
    // Where it goes no deeper than it was, there is no need to look at what lies below.
    const height = node.kind === 'folder' && depth > pathSegments(node.restorePath!).length ? (await this.subtrees.figures(node.id)).height : 0;
    if (depth + height > MAX_DEPTH) throw new DomainError('TREE_TOO_DEEP', `Folders can be nested ${MAX_DEPTH} deep.`);
  }

  private async parentsOf(nodes: readonly NodeView[]): Promise<Map<string, PlacedNode>> {
    return this.nodes.locate([...new Set(nodes.map((node) => node.parentId!))], null);
  }

  /** Which of the paths lead into something that is in the trash. */
  private async insideTrash(actor: Actor, spaceId: string, paths: readonly (readonly string[])[]): Promise<Set<readonly string[]>> {
    const found = await this.rows.resolveRemoved(spaceId, paths, viewerOf(actor));
    return new Set(paths.filter((_, index) => found[index]));
  }
}

function restored({ node, folder }: Planned, row: ChangedRow): LocatedNode {
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

function insideTrashed(): DomainError {
  return new DomainError('INSIDE_TRASHED_FOLDER', 'It is in a folder that is in the trash itself.');
}

function nameTaken({ node, folder }: Planned): DomainError {
  return new DomainError('NAME_TAKEN', `"${childPath(folder.node, node.name)}" already exists.`);
}
