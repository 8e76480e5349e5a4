import { hash } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { type Actor, Clock, DomainError, isUuid } from '#libs/kernel';
import {
  childPath,
  type LocatedNode,
  nodeNotFound,
  type NodeOrder,
  type NodeRef,
  NodeRepository,
  NodeResolver,
  type NodeView,
  pageRows,
  pathSegments,
  SpaceRepository,
  SpaceService,
  TrashRepository,
  viewerOf,
} from '#libs/nodes';
import { TaskService } from '#libs/tasks';

import type { TrashOutcome } from './outcome.js';
import { Remover, type TrashNodes } from './remover.js';
import { SharedTrashRepository } from './repositories/shared-trash.repository.js';
import { TrashEmptier } from './trash-emptier.js';
import { UndeleteService } from './undelete.service.js';

export interface ListTrash {
  /** A shared folder of the actor, his own or one that he has accepted: what was taken from there. Absent: all of his own trash. */
  readonly from?: NodeRef;
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

export interface StartRestore {
  readonly names: readonly string[];
  readonly onConflict: 'fail' | 'replace';
  /** As in ListTrash. */
  readonly from?: NodeRef;
}

export interface RestoreInput {
  readonly spaceId: string;
  /** The shared folder through which the starter sees the items. */
  readonly sharedId?: string;
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
    private readonly shared: SharedTrashRepository,
    private readonly remover: Remover,
    private readonly undeletes: UndeleteService,
    private readonly emptier: TrashEmptier,
    private readonly access: AccessService,
    private readonly tasks: TaskService,
    private readonly clock: Clock,
  ) {}

  /** Removes nodes: see Remover.remove. */
  trash(actor: Actor, command: TrashNodes): Promise<TrashOutcome<NodeRef>[]> {
    return this.remover.remove(actor, command);
  }

  /** Brings back, in place, what was trashed last at each path: see UndeleteService.undelete. */
  undelete(actor: Actor, command: { readonly paths: readonly (readonly string[])[] }): Promise<TrashOutcome<readonly string[]>[]> {
    return this.undeletes.undelete(actor, command);
  }

  /**
   * A page of the actor's trash, or of what was taken from a shared folder, with restore paths as he sees them. With `from`: NODE_NOT_FOUND,
   * INVALID_ARGUMENT when it is no shared folder, FORBIDDEN without the right to restore there.
   */
  async list(actor: Actor, { from, ...command }: ListTrash): Promise<TrashListing> {
    const folder = from ? await this.sharedFolder(actor, from) : null;
    const spaceId = folder?.spaceId ?? (await this.spaces.homeOfActor(actor)).spaceId;
    const space = await this.spaceRows.find(spaceId);
    // Restore paths begin with the folder's own, so a listing of it changes with that.
    const scope = folder ? `${spaceId}:${folder.id}:${folder.path}` : spaceId;
    const etag = hash('sha256', `trash:${scope}:${space!.trashRevision}`).slice(0, 32);
    if (command.knownEtag === etag) return { entries: [], etag, notModified: true, isLastPage: true };
    const { dirsOnly, orderBy, descending, offset } = command;
    const limit = pageRows(command.limit);
    const page = { dirsOnly, orderBy, descending, offset, limit: limit + 1 };
    const entries = folder ? await this.listShared(actor, folder, page) : await this.rows.list(spaceId, { ...page, viewerId: viewerOf(actor) });
    await this.access.require(actor, 'node.read', entries);
    const isLastPage = entries.length <= limit;
    return { entries: isLastPage ? entries : entries.slice(0, limit), etag, notModified: false, isLastPage };
  }

  /**
   * Starts the restoring of trash items by their trash names. NODE_NOT_FOUND, or with `fail` NAME_TAKEN, at once when it is clear already; with
   * `from` as `list`.
   */
  async startRestore(actor: Actor, { names, onConflict, from }: StartRestore): Promise<{ publicId: string }> {
    const folder = from ? await this.sharedFolder(actor, from) : null;
    const spaceId = folder?.spaceId ?? (await this.spaces.homeOfActor(actor)).spaceId;
    const known = await this.rows.byTrashNames(spaceId, names);
    const knownIds = known.map((node) => node.id);
    const ways = folder && (await this.shared.below(spaceId, folder.id, knownIds));
    const found = ways ? known.filter((node) => ways.has(node.id)) : known;
    await this.access.require(actor, 'node.restore', found);
    const byName = new Map(found.map((node) => [node.trashName, node]));
    const nodes = [...new Set(names)].map((name) => {
      const node = byName.get(name);
      if (!node) throw new DomainError('NODE_NOT_FOUND', `There is no "${name}" in the trash.`);
      return node;
    });
    if (onConflict === 'fail') await this.refuseTaken(actor, spaceId, folder, nodes, ways);
    const items = nodes.map((node) => ({ nodeId: node.id, name: node.trashName! }));
    const input: RestoreInput = { spaceId, items, onConflict, ...(folder ? { sharedId: folder.id } : {}) };
    return this.tasks.start(actor, 'trash.restore', input);
  }

  /** Starts the erasing of trash items by their trash names, or of everything. Unknown names are passed over. */
  async startClear(actor: Actor, { names }: { readonly names: readonly string[] | null }) {
    const { spaceId } = await this.spaces.homeOfActor(actor);
    const found = names && (await this.rows.byTrashNames(spaceId, names));
    await this.access.require(actor, 'node.delete', found ?? []);
    const nodeIds = found && found.map((node) => node.id);
    return this.tasks.start(actor, 'trash.clear', { spaceId, nodeIds, beforeMs: this.clock.nowMs() } satisfies ClearInput);
  }

  /**
   * Takes one item out of the trash for good, at once: what it holds goes in the background. NODE_NOT_FOUND when it is not in the trash,
   * INSIDE_TRASHED_FOLDER when a folder above it is, FORBIDDEN: only the owner erases.
   */
  async erase(actor: Actor, nodeId: string): Promise<void> {
    const [node] = isUuid(nodeId) ? await this.nodes.byIds([nodeId]) : [];
    if (!node) throw nodeNotFound();
    await this.access.require(actor, 'node.delete', [node]);
    if (node.removal === null) throw new DomainError('INSIDE_TRASHED_FOLDER', 'It lies in a folder that is in the trash: erase that.');
    if (actor.kind === 'account' && node.ownerId !== actor.accountId)
      throw new DomainError('FORBIDDEN', 'Only the owner erases what is in the trash.');
    const erased = await this.emptier.empty(node.spaceId, [node.id], this.clock.now(), null, () => Promise.resolve());
    if (erased === 0) throw nodeNotFound();
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

  private async refuseTaken(
    actor: Actor,
    spaceId: string,
    folder: LocatedNode | null,
    trashed: readonly NodeView[],
    ways: ReadonlyMap<string, string> | null,
  ): Promise<void> {
    const paths = trashed.map((node) => pathSegments(ways?.get(node.id) ?? node.restorePath!));
    const places = folder ? await this.nodes.resolveManyFrom(folder.id, paths, viewerOf(actor)) : await this.nodes.resolveMany(spaceId, paths, null);
    const taken = places?.find(({ missing }) => missing.length === 0);
    if (taken) throw new DomainError('NAME_TAKEN', `"${taken.placed.node.path}" already exists.`);
  }

  /** The folder with this name, when it is shared by the actor or with him. */
  private async sharedFolder(actor: Actor, ref: NodeRef): Promise<LocatedNode> {
    const { node } = await this.resolver.get(actor, ref);
    await this.access.require(actor, 'node.read', [node]);
    const isShared = node.mount !== null || (node.shared && actor.kind === 'account' && node.ownerId === actor.accountId);
    if (!isShared || node.kind !== 'folder') throw new DomainError('INVALID_ARGUMENT', `"${node.path}" is not a shared folder of yours.`);
    await this.access.require(actor, 'node.restore', [node]);
    return node;
  }

  private async listShared(
    actor: Actor,
    folder: LocatedNode,
    page: { readonly dirsOnly: boolean; readonly orderBy: NodeOrder; readonly descending: boolean; readonly offset: number; readonly limit: number },
  ): Promise<NodeView[]> {
    const items = await this.shared.listBelow(folder.spaceId, folder.id, page);
    const ids = items.map(({ id }) => id);
    const nodes = new Map((await this.nodes.byIds(ids, viewerOf(actor))).map((node) => [node.id, node]));
    return items.flatMap(({ id, way }) => {
      const node = nodes.get(id);
      // Restored or erased in this moment: not in the trash any more.
      return node?.removal === 'trashed' ? [{ ...node, restorePath: childPath(folder, way.slice(1)) }] : [];
    });
  }
}
