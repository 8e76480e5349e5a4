import { Injectable } from '@nestjs/common';

import { AccessService, GrantService, type Verdict } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type Actor, Clock, DomainError } from '#libs/kernel';
import {
  ChangeLog,
  changeOf,
  type FolderDelta,
  type LocatedNode,
  MountRepository,
  type NodeChange,
  nodeNotFound,
  type NodeRef,
  NodeRepository,
  NodeResolver,
  type PlacedNode,
  SpaceRepository,
  SpaceService,
  TrashBin,
  viewerOf,
} from '#libs/nodes';
import { Outbox } from '#libs/queue';

import type { TrashOutcome } from './outcome.js';
import { SharingEnds } from './sharing-ends.js';

export interface TrashNodes {
  readonly nodes: readonly NodeRef[];
  /** FOLDER_NOT_EMPTY for folders that hold something. */
  readonly onlyEmpty: boolean;
  /** True: erased for good, without a stay in the trash. */
  readonly permanent: boolean;
}

/** A node, and whether the actor may delete it; null where there is none. */
type Candidate = { readonly placed: PlacedNode; readonly verdict: Verdict } | null;

/** Looks for spaces that had no lock yet. */
const ROUNDS = 5;

/** Takes nodes out of their places: into the trash of whoever owns them, or to the purge. A mount goes by leaving what it stands for. */
@Injectable()
export class Remover {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly spaces: SpaceService,
    private readonly spaceRows: SpaceRepository,
    private readonly nodes: NodeRepository,
    private readonly mounts: MountRepository,
    private readonly bin: TrashBin,
    private readonly ends: SharingEnds,
    private readonly grants: GrantService,
    private readonly access: AccessService,
    private readonly changes: ChangeLog,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Removes nodes, as if one after the other, in a number of statements that does not grow with theirs. Outcomes in the order of `nodes`; errors:
   * NODE_NOT_FOUND, FORBIDDEN (no right to delete; only the owner erases for good), ROOT_IMMUTABLE, FOLDER_NOT_EMPTY. The path of a removed node
   * is where it was.
   */
  async remove(actor: Actor, command: TrashNodes): Promise<TrashOutcome<NodeRef>[]> {
    if (command.nodes.length === 0) return [];
    if (actor.kind === 'guest') throw forbidden();
    let spaceIds = await this.spacesOf(actor, command.nodes);
    for (let round = 1; ; round++) {
      const known = spaceIds;
      const { outcomes, more } = await this.unitOfWork.run(() => this.once(actor, command, known, round < ROUNDS));
      if (outcomes) return outcomes;
      spaceIds = [...new Set([...known, ...more])].sort();
    }
  }

  /** The outcomes; or, with `mayStop`, the spaces that have to be locked as well. */
  private async once(
    actor: Actor,
    { nodes: refs, onlyEmpty, permanent }: TrashNodes,
    spaceIds: readonly string[],
    mayStop: boolean,
  ): Promise<{ readonly outcomes: TrashOutcome<NodeRef>[] | null; readonly more: readonly string[] }> {
    for (const spaceId of spaceIds) await this.spaces.lock(spaceId);
    const found = await this.resolver.findMany(actor, refs);
    const more = found.flatMap((placed) => (placed && !spaceIds.includes(spaceOf(placed)) ? [spaceOf(placed)] : []));
    if (more.length > 0 && mayStop) return { outcomes: null, more };
    const candidates = await this.withVerdicts(
      actor,
      found.map((placed) => (placed && spaceIds.includes(spaceOf(placed)) ? placed : null)),
    );
    const verdicts = judge(candidates, onlyEmpty, permanent ? viewerOf(actor) : 'anybody', actor.kind === 'system');
    const chosen = verdicts.flatMap((verdict) => ('chain' in verdict ? [verdict] : []));
    const removed = new Map<string, LocatedNode>();
    const deltas: FolderDelta[] = [];
    for (const node of await this.leave(actor, chosen)) removed.set(node.id, node);
    for (const spaceId of spaceIds) {
      const here = chosen.filter(({ node }) => node.mount === null && node.spaceId === spaceId);
      if (here.length > 0) deltas.push(...(await this.removeIn(actor, spaceId, here, permanent, removed)));
    }
    await this.changes.record(chosen.flatMap(({ node }) => deletionOf(actor, removed.get(node.id))));
    await this.nodes.bumpFolders(deltas);
    return { outcomes: refs.map((ref, index) => outcomeOf(ref, verdicts[index]!, removed)), more: [] };
  }

  /** Takes nodes of one space away, as the actor sees them, and adds them to `removed`. Returns what folders lose by it. */
  private async removeIn(
    actor: Actor,
    spaceId: string,
    here: readonly PlacedNode[],
    permanent: boolean,
    removed: Map<string, LocatedNode>,
  ): Promise<readonly FolderDelta[]> {
    const folderIds = here.filter(({ node }) => node.kind === 'folder').map(({ node }) => node.id);
    // What is erased is unshared, which tells the others.
    const shownElsewhere = permanent ? [] : await this.mounts.listingsOf(spaceId, folderIds);
    const gone = permanent ? await this.erase(actor, spaceId, here) : await this.bin.put(here, viewerOf(actor), this.clock.nowMs());
    for (const node of gone.nodes) removed.set(node.id, node);
    return [...gone.deltas, ...shownElsewhere];
  }

  private async erase(actor: Actor, spaceId: string, placed: readonly PlacedNode[]) {
    const space = await this.spaceRows.find(spaceId);
    await this.ends.beforeErasing(
      space!.accountId,
      spaceId,
      placed.map(({ node }) => node.id),
    );
    const gone = await this.bin.erase(placed, space!.rootId, viewerOf(actor), this.clock.nowMs());
    await this.outbox.add('nodes.purge-space', { spaceId });
    return gone;
  }

  /** Removing a mount is leaving the shared folder: what is in it stays with its owner. */
  private async leave(actor: Actor, chosen: readonly PlacedNode[]): Promise<LocatedNode[]> {
    const mounts = chosen.filter(({ node }) => node.mount !== null);
    if (mounts.length === 0 || actor.kind !== 'account') return [];
    await this.grants.leave(
      actor,
      mounts.map(({ node }) => node.id),
    );
    const removedAtMs = this.clock.nowMs();
    return mounts.map(({ node }) => ({ ...node, removal: 'purging', removedAtMs }));
  }

  /** The spaces that the refs are about, as far as it can be said before they are locked: the actor's home for paths. */
  private async spacesOf(actor: Actor, refs: readonly NodeRef[]): Promise<string[]> {
    const spaceIds = new Set<string>();
    if (refs.some((ref) => 'path' in ref)) spaceIds.add((await this.spaces.homeOfActor(actor)).spaceId);
    const byId = refs.filter((ref) => 'id' in ref);
    for (const placed of byId.length > 0 ? await this.resolver.findMany(actor, byId) : []) if (placed) spaceIds.add(spaceOf(placed));
    return [...spaceIds].sort();
  }

  private async withVerdicts(actor: Actor, found: readonly (PlacedNode | null)[]): Promise<Candidate[]> {
    const nodes = found.flatMap((placed) => (placed ? [placed.node] : []));
    const verdicts = await this.access.verdicts(actor, 'node.delete', nodes);
    return found.map((placed) => placed && { placed, verdict: verdicts.get(placed.node.id) ?? 'unseen' });
  }
}

/** The space in which a row changes: of a mount the viewer's own. */
function spaceOf({ node }: PlacedNode): string {
  return node.mount?.spaceId ?? node.spaceId;
}

/**
 * Which nodes go, and why the others do not: a node goes once, and with a folder before it goes all that lies in it. `eraser` is who may erase:
 * the owner, when it is for good.
 */
function judge(
  candidates: readonly Candidate[],
  onlyEmpty: boolean,
  eraser: number | null | 'anybody',
  isSystem: boolean,
): (PlacedNode | DomainError)[] {
  const gone = new Set<string>();
  const lost = new Map<string, number>();
  return candidates.map((candidate) => {
    if (!candidate || candidate.verdict === 'unseen' || candidate.placed.chain.some((id) => gone.has(id))) return nodeNotFound();
    const { placed, verdict } = candidate;
    const { node } = placed;
    if (node.parentId === null || (placed.chain.length === 1 && !isSystem))
      return new DomainError('ROOT_IMMUTABLE', 'The root folder cannot be removed.');
    if (node.mount === null && (verdict !== 'allowed' || !(eraser === 'anybody' || isSystem || eraser === node.ownerId))) return forbidden();
    if (onlyEmpty && node.childFiles + node.childFolders > (lost.get(node.id) ?? 0)) {
      return new DomainError('FOLDER_NOT_EMPTY', `"${node.path}" is not empty.`);
    }
    gone.add(node.id);
    lost.set(node.parentId, (lost.get(node.parentId) ?? 0) + 1);
    return placed;
  });
}

function outcomeOf(ref: NodeRef, verdict: PlacedNode | DomainError, removed: ReadonlyMap<string, LocatedNode>): TrashOutcome<NodeRef> {
  if (!('chain' in verdict)) return { ref, error: verdict };
  const node = removed.get(verdict.node.id);
  return node ? { ref, node } : { ref, error: nodeNotFound() };
}

/** The news of a removal; those of a mount come from leaving it. */
function deletionOf(actor: Actor, node: LocatedNode | undefined): NodeChange[] {
  if (!node || node.mount !== null) return [];
  return [{ type: changeOf('deleted', node), actorId: viewerOf(actor), node, folderId: node.parentId, name: node.name }];
}

function forbidden(): DomainError {
  return new DomainError('FORBIDDEN', 'Your rights here do not allow this.');
}
