import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type Actor, Clock, DomainError } from '#libs/kernel';
import {
  type FolderDelta,
  type LocatedNode,
  nodeNotFound,
  type NodeOrder,
  type NodeRef,
  NodeRepository,
  NodeResolver,
  type NodeView,
  pageRows,
  pathSegments,
  type PlacedNode,
  SpaceRepository,
  SpaceService,
  TrashBin,
  TrashRepository,
  viewerOf,
} from '#libs/nodes';
import { Outbox } from '#libs/queue';
import { TaskService } from '#libs/tasks';

import type { TrashOutcome } from './outcome.js';
import { RestoreService } from './restore.service.js';

export interface TrashNodes {
  readonly nodes: readonly NodeRef[];
  /** FOLDER_NOT_EMPTY for folders that hold something. */
  readonly onlyEmpty: boolean;
  /** True: erased for good, without a stay in the trash. */
  readonly permanent: boolean;
}

export interface ListTrash {
  readonly dirsOnly: boolean;
  readonly orderBy: NodeOrder;
  readonly descending: boolean;
  readonly offset: number;
  /** 0 = as many as one page may hold. */
  readonly limit: number;
  readonly knownEtag?: string | null;
}

export interface TrashListing {
  readonly entries: readonly NodeView[];
  readonly etag: string;
  readonly notModified: boolean;
  readonly isLastPage: boolean;
}

export interface RestoreInput {
  readonly spaceId: string;
  readonly items: readonly { readonly nodeId: string; readonly name: string }[];
  readonly onConflict: 'fail' | 'replace';
}

export interface ClearInput {
  readonly spaceId: string;
  /** Null: everything removed until `beforeMs`. */
  readonly nodeIds: readonly string[] | null;
  readonly beforeMs: number;
}

export interface PurgeInput {
  readonly spaceId: string;
  readonly beforeMs: number;
}

export type PurgeStatus = 'NONE' | 'PENDING' | 'PROCESSING' | 'SUCCESS';

/** Use cases of the trash. */
@Injectable()
export class TrashService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly spaces: SpaceService,
    private readonly spaceRows: SpaceRepository,
    private readonly nodes: NodeRepository,
    private readonly rows: TrashRepository,
    private readonly bin: TrashBin,
    private readonly restores: RestoreService,
    private readonly access: AccessService,
    private readonly tasks: TaskService,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Removes nodes, as if one after the other, in a constant number of statements. Outcomes in the order of `nodes`; errors: NODE_NOT_FOUND,
   * ROOT_IMMUTABLE, FOLDER_NOT_EMPTY. The path of a removed node is where it was.
   */
  async trash(actor: Actor, { nodes: refs, onlyEmpty, permanent }: TrashNodes): Promise<TrashOutcome<NodeRef>[]> {
    if (refs.length === 0) return [];
    return this.unitOfWork.run(async () => {
      const spaceIds = await this.lockSpaces(actor, refs);
      const placed = await this.allowed(actor, 'node.delete', await this.resolver.findMany(actor, refs));
      const verdicts = judge(placed, onlyEmpty, spaceIds);
      const chosen = verdicts.flatMap((verdict) => ('chain' in verdict ? [verdict] : []));
      const removed = new Map<string, LocatedNode>();
      const deltas: FolderDelta[] = [];
      for (const spaceId of spaceIds) {
        const here = chosen.filter(({ node }) => node.spaceId === spaceId);
        if (here.length === 0) continue;
        const gone = permanent ? await this.erase(actor, spaceId, here) : await this.bin.put(here, viewerOf(actor), this.clock.nowMs());
        for (const node of gone.nodes) removed.set(node.id, node);
        deltas.push(...gone.deltas);
      }
      await this.nodes.bumpFolders(deltas);
      return refs.map((ref, index) => {
        const verdict = verdicts[index]!;
        if (!('chain' in verdict)) return { ref, error: verdict };
        const node = removed.get(verdict.node.id);
        return node ? { ref, node } : { ref, error: nodeNotFound() };
      });
    });
  }

  /** Brings back, in place, what was trashed last at each path: see RestoreService.undelete. */
  undelete(actor: Actor, command: { readonly paths: readonly (readonly string[])[] }): Promise<TrashOutcome<readonly string[]>[]> {
    return this.restores.undelete(actor, command);
  }

  /** A page of the actor's trash. */
  async list(actor: Actor, command: ListTrash): Promise<TrashListing> {
    const { spaceId } = await this.spaces.homeOfActor(actor);
    const space = await this.spaceRows.find(spaceId);
    const etag = createHash('sha256').update(`trash:${spaceId}:${space!.trashRevision}`).digest('hex').slice(0, 32);
    if (command.knownEtag === etag) return { entries: [], etag, notModified: true, isLastPage: true };
    const { dirsOnly, orderBy, descending, offset } = command;
    const limit = pageRows(command.limit);
    const page = { dirsOnly, orderBy, descending, offset, limit: limit + 1, viewerId: viewerOf(actor) };
    const entries = await this.rows.list(spaceId, page);
    await this.access.require(actor, 'node.read', entries);
    const isLastPage = entries.length <= limit;
    return { entries: isLastPage ? entries : entries.slice(0, limit), etag, notModified: false, isLastPage };
  }

  /** Starts the restoring of trash items by their trash names. NODE_NOT_FOUND, or with `fail` NAME_TAKEN, at once when it is clear already. */
  async startRestore(actor: Actor, { names, onConflict }: { readonly names: readonly string[]; readonly onConflict: 'fail' | 'replace' }) {
    const { spaceId } = await this.spaces.homeOfActor(actor);
    const found = await this.rows.byTrashNames(spaceId, names);
    await this.access.require(actor, 'node.restore', found);
    const byName = new Map(found.map((node) => [node.trashName, node]));
    const nodes = [...new Set(names)].map((name) => {
      const node = byName.get(name);
      if (!node) throw new DomainError('NODE_NOT_FOUND', `There is no "${name}" in the trash.`);
      return node;
    });
    if (onConflict === 'fail') await this.refuseTaken(spaceId, nodes);
    const items = nodes.map((node) => ({ nodeId: node.id, name: node.trashName! }));
    return this.tasks.start(actor, 'trash.restore', { spaceId, items, onConflict } satisfies RestoreInput);
  }

  /** Starts the erasing of trash items by their trash names, or of everything. Unknown names are passed over. */
  async startClear(actor: Actor, { names }: { readonly names: readonly string[] | null }) {
    const { spaceId } = await this.spaces.homeOfActor(actor);
    const found = names && (await this.rows.byTrashNames(spaceId, names));
    await this.access.require(actor, 'node.delete', found ?? []);
    const nodeIds = found && found.map((node) => node.id);
    return this.tasks.start(actor, 'trash.clear', { spaceId, nodeIds, beforeMs: this.clock.nowMs() } satisfies ClearInput);
  }

  /** Starts the erasing of the whole trash and of every version that is not current. One that still waits is not started twice. */
  async startPurge(actor: Actor): Promise<{ publicId: string }> {
    const { spaceId } = await this.spaces.homeOfActor(actor);
    const latest = await this.tasks.latest(actor, 'files.purge');
    if (latest?.state === 'waiting') return { publicId: latest.publicId };
    return this.tasks.start(actor, 'files.purge', { spaceId, beforeMs: this.clock.nowMs() } satisfies PurgeInput);
  }

  /** How far the actor's last purge is. One that failed or was cancelled counts as none. */
  async purgeStatus(actor: Actor): Promise<PurgeStatus> {
    const latest = await this.tasks.latest(actor, 'files.purge');
    switch (latest?.state) {
      case 'waiting':
        return 'PENDING';
      case 'running':
        return 'PROCESSING';
      case 'succeeded':
        return 'SUCCESS';
      default:
        return 'NONE';
    }
  }

  private async refuseTaken(spaceId: string, trashed: readonly NodeView[]): Promise<void> {
    const places = await this.nodes.resolveMany(
      spaceId,
      trashed.map((node) => pathSegments(node.restorePath!)),
      null,
    );
    const taken = places.find(({ missing }) => missing.length === 0);
    if (taken) throw new DomainError('NAME_TAKEN', `"${taken.placed.node.path}" already exists.`);
  }

  private async erase(actor: Actor, spaceId: string, placed: readonly PlacedNode[]) {
    const space = await this.spaceRows.find(spaceId);
    const gone = await this.bin.erase(placed, space!.rootId, viewerOf(actor), this.clock.nowMs());
    await this.outbox.add('nodes.purge-space', { spaceId });
    return gone;
  }

  /** Locks the spaces that the refs are about, in one order for everybody; the actor's home for paths. */
  private async lockSpaces(actor: Actor, refs: readonly NodeRef[]): Promise<string[]> {
    const spaceIds = new Set<string>();
    if (refs.some((ref) => 'path' in ref)) spaceIds.add((await this.spaces.homeOfActor(actor)).spaceId);
    const byId = refs.filter((ref) => 'id' in ref);
    const placed = byId.length > 0 ? await this.allowed(actor, 'node.delete', await this.resolver.findMany(actor, byId)) : [];
    for (const found of placed) if (found) spaceIds.add(found.node.spaceId);
    const ordered = [...spaceIds].sort();
    for (const spaceId of ordered) await this.spaces.lock(spaceId);
    return ordered;
  }

  /** Null in the place of nodes that the actor may not touch. */
  private async allowed(actor: Actor, action: 'node.delete', placed: readonly (PlacedNode | null)[]): Promise<(PlacedNode | null)[]> {
    const nodes = placed.flatMap((found) => (found ? [found.node] : []));
    const ids = await this.access.allowed(actor, action, nodes);
    return placed.map((found) => (found && ids.has(found.node.id) ? found : null));
  }
}

/** Which nodes go, and why the others do not: a node goes once, and with a folder before it goes all that lies in it. */
function judge(placed: readonly (PlacedNode | null)[], onlyEmpty: boolean, spaceIds: readonly string[]): (PlacedNode | DomainError)[] {
  const gone = new Set<string>();
  const lost = new Map<string, number>();
  return placed.map((found) => {
    if (!found || !spaceIds.includes(found.node.spaceId) || found.chain.some((id) => gone.has(id))) return nodeNotFound();
    const { node } = found;
    if (node.parentId === null) return new DomainError('ROOT_IMMUTABLE', 'The root folder cannot be removed.');
    if (onlyEmpty && node.childFiles + node.childFolders > (lost.get(node.id) ?? 0)) {
      return new DomainError('FOLDER_NOT_EMPTY', `"${node.path}" is not empty.`);
    }
    gone.add(node.id);
    lost.set(node.parentId, (lost.get(node.parentId) ?? 0) + 1);
    return found;
  });
}
