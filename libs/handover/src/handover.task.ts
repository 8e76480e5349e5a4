import { InvitationRepository } from '#libs/access';
import { AccountDirectory } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { CopyService } from '#libs/files';
import { Clock, DomainError, isDomainError, newId } from '#libs/kernel';
import {
  ChangeLog,
  CopyRepository,
  depthOf,
  FolderLimits,
  type LocatedNode,
  MAX_DEPTH,
  type Mount,
  MountRepository,
  nameKey,
  type NodeChange,
  nodeNotFound,
  NodeRepository,
  type PlacedNode,
  SpaceCrossing,
  SpaceService,
  SubtreeRepository,
} from '#libs/nodes';
import { HandlesTask, TaskCancelledError, type TaskContext, type TaskHandler } from '#libs/tasks';

import { folderFacts, mountNode } from './facts.js';
import { type HandoverInput, HandoverService, notShared } from './handover.service.js';
import { OwnerCrossing, type Target } from './owner-crossing.js';
import { type Handover, HandoverRepository } from './repositories/handover.repository.js';

/** Each waits for locks as long as the database allows: what a killed run had begun may go on there for a while. */
const TRIES = 20;

/**
 * Gives a shared folder to a member, in one transaction: a run that is killed has done nothing, and a further run does it again. The folder
 * itself goes over, with its versions, its trash and everybody who has it; the former owner keeps a copy of the files where it was.
 */
@HandlesTask('handover.folder')
export class HandoverTask implements TaskHandler<HandoverInput> {
  constructor(
    private readonly handovers: HandoverService,
    private readonly rows: HandoverRepository,
    private readonly invitations: InvitationRepository,
    private readonly directory: AccountDirectory,
    private readonly nodes: NodeRepository,
    private readonly mounts: MountRepository,
    private readonly crossings: OwnerCrossing,
    private readonly subtrees: SubtreeRepository,
    private readonly crossing: SpaceCrossing,
    private readonly copies: CopyService,
    private readonly copyRows: CopyRepository,
    private readonly spaces: SpaceService,
    private readonly limits: FolderLimits,
    private readonly changes: ChangeLog,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** NODE_NOT_FOUND, NOT_SHARED, QUOTA_EXCEEDED, TREE_TOO_DEEP: then the member's folder has its name again. */
  async run({ nodeId, memberId }: HandoverInput, context: TaskContext): Promise<object> {
    try {
      await context.throwIfCancelled();
      await this.finish(nodeId, memberId, context);
      return {};
    } catch (error) {
      if (isFinal(error)) await this.handovers.giveUp(nodeId);
      throw error;
    }
  }

  private async finish(nodeId: string, memberId: number, context: TaskContext): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.unitOfWork.run(async () => {
          const row = await this.rows.find(nodeId);
          if (row?.memberId === memberId) await this.handOver(row, context);
          else if ((await this.nodes.byIds([nodeId]))[0]?.ownerId !== memberId) throw notShared();
        });
      } catch (error) {
        // NAME_TAKEN: something of this name was made in the same moment.
        if (!isDomainError(error, 'NAME_TAKEN') && !isDomainError(error, 'BUSY')) throw error;
        if (tries === TRIES) throw new DomainError('BUSY', 'Too many changes at the same place; try again.');
        await context.throwIfCancelled();
      }
    }
  }

  private async handOver(row: Handover, context: TaskContext): Promise<void> {
    const { nodeId, ownerId, memberId } = row;
    const [from, to] = [await this.spaces.homeOf(ownerId), await this.spaces.homeOf(memberId)];
    for (const spaceId of [from.spaceId, to.spaceId].sort()) await this.spaces.lock(spaceId);
    const placed = (await this.nodes.locate([nodeId], null)).get(nodeId);
    if (!placed?.live || placed.node.ownerId !== ownerId || placed.node.parentId === null) throw nodeNotFound();
    const sharedIds = await this.mounts.sharedWithin(from.spaceId, [nodeId]);
    await this.rows.lockShares([nodeId, ...sharedIds]);
    const keepsOffer = await this.requireMember(row);
    await this.crossing.hold(nodeId);

    const all = await this.mounts.byTarget(sharedIds);
    const own = all.find((mount) => mount.targetId === nodeId && mount.accountId === memberId);
    const target = await this.target(placed, row, own, to);
    const recorded = await this.dropMounts(
      placed,
      all.filter((mount) => mount.accountId === memberId),
      ownerId,
    );
    await this.rows.endMember(sharedIds, memberId);
    await this.rows.endLinksOf(nodeId, ownerId);
    const name = await this.handovers.freeName(target.parentId, target.name);
    const place = { ...target, name, nameKey: nameKey(name) };
    await this.crossings.cross(placed.node, place, { ownerId, memberId, fromSpaceId: from.spaceId });
    await this.rows.ownShares(sharedIds, memberId, keepsOffer);
    const copy = await this.leaveCopy(placed, from.rootId, ownerId);

    const { node } = placed;
    const [moved] = await this.nodes.byIds([nodeId]);
    const old = { folderId: node.parentId!, name: node.name, node };
    recorded.push({ type: 'folder_moved', actorId: ownerId, node: moved!, folderId: place.parentId, name, old });
    recorded.push({ type: 'folder_copied', actorId: ownerId, node: copy, folderId: node.parentId!, name: node.name });
    await this.changes.record(recorded);
    await this.tell(node, row, own, all);
    await this.rows.remove(nodeId);
    await context.saveProgress(100);
    await this.nodes.bumpFolders([
      { folderId: node.parentId!, files: 0, folders: 0, bytes: 0 },
      { folderId: place.parentId, files: 0, folders: 1, bytes: 0 },
      ...all.filter((mount) => mount.accountId !== memberId).map(({ parentId }) => ({ folderId: parentId, files: 0, folders: 0, bytes: 0 })),
    ]);
    await this.limits.require(place.parentId, 1, { counted: true });
  }

  /** Whether the member, who must have the folder still, is in the company of its owner. NOT_SHARED. */
  private async requireMember({ nodeId, ownerId, memberId }: Handover): Promise<boolean> {
    const [member, owner] = [await this.directory.account(memberId), await this.directory.account(ownerId)];
    const answers = await this.invitations.ofNode([nodeId], memberId);
    if (member?.state !== 'active' || !answers.some((answer) => answer.state === 'accepted')) throw notShared();
    return member.companyId !== null && member.companyId === owner?.companyId;
  }

  /** Where the member had the folder, under the name that he had given it; his root when that place is gone or too deep. */
  private async target(placed: PlacedNode, row: Handover, own: Mount | undefined, home: { spaceId: string; rootId: string }): Promise<Target> {
    const { height } = await this.subtrees.figures(placed.node.id);
    const above = (await this.mounts.above(row.memberId, [placed.node.id])).get(placed.node.id);
    const name = own === undefined ? placed.node.name : own.name === row.waitingName ? row.mountName : own.name;
    const fits = above !== undefined && above.chain.length - 1 + height <= MAX_DEPTH;
    if (!fits && 1 + height > MAX_DEPTH) throw new DomainError('TREE_TOO_DEEP', `Folders can be nested ${MAX_DEPTH} deep.`);
    const parentId = fits ? above.parentId : home.rootId;
    const path = fits ? above.path.slice(0, above.path.lastIndexOf('/')) : '';
    return { spaceId: home.spaceId, parentId, name, nameKey: nameKey(name), above: path };
  }

  /** Takes away the mounts of somebody to whom the folders will belong; the answer is what to tell of it. */
  private async dropMounts({ node }: PlacedNode, mounts: readonly Mount[], actorId: number): Promise<NodeChange[]> {
    const removed = await this.mounts.remove(mounts.map((mount) => mount.id));
    return removed.map((mount) => {
      const changed = { ...mountNode(node, mount), id: mount.targetId };
      return { type: 'folder_deleted', actorId, node: changed, folderId: mount.parentId, name: mount.name };
    });
  }

  /** Puts a copy of the files where the folder was. */
  private async leaveCopy(placed: PlacedNode, rootId: string, ownerId: number) {
    const { node } = placed;
    const copyId = newId(this.clock.nowMs());
    await this.copies.build(node, copyId, { spaceId: node.spaceId, rootId, ownerId, authorId: ownerId, depth: depthOf(placed) });
    if (!(await this.copyRows.attach(copyId, node.parentId!, node.name, nameKey(node.name)))) throw nodeNotFound();
    return (await this.nodes.byIds([copyId]))[0]!;
  }

  /** The former owner does not share it any more; the member, and everybody else who has the folder, learns that he is no member. */
  private async tell(node: LocatedNode, { ownerId, memberId }: Handover, own: Mount | undefined, all: readonly Mount[]): Promise<void> {
    const person = (await this.directory.find([memberId])).get(memberId);
    const facts = { ...folderFacts(node), collab_id: memberId, collab_name: person?.name ?? '' };
    const news = (accountId: number, path: string) => ({ accountIds: [accountId], nodeId: node.id, path, facts });
    const others = all.filter((mount) => mount.targetId === node.id && mount.accountId !== memberId);
    await this.changes.recordEach('folder_unshared', ownerId, [news(ownerId, node.path)]);
    const removed = [...(own ? [news(memberId, `/${own.name}`)] : []), ...others.map((mount) => news(mount.accountId, `/${mount.name}`))];
    await this.changes.recordEach('folder_collab_removed', ownerId, removed);
  }
}

/** Refusals that will be the same at the next try. */
function isFinal(error: unknown): boolean {
  if (error instanceof TaskCancelledError) return true;
  return isDomainError(error) && !['BUSY', 'STORAGE_UNAVAILABLE', 'INTERNAL'].includes(error.code);
}
