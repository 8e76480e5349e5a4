import { Injectable } from '@nestjs/common';

import { AccessService, Policies, InvitationRepository } from '#libs/access';
import { AccountDirectory } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, SYSTEM_ACTOR } from '#libs/kernel';
import {
  ChangeLog,
  type LocatedNode,
  type Mount,
  MountRepository,
  nameKey,
  nodeNotFound,
  NodeRepository,
  NodeResolver,
  type NodeView,
  numberedCandidates,
  numberedName,
  quotaExceeded,
  QuotaLedger,
  SpaceService,
  totalBytes,
} from '#libs/nodes';
import { TaskService } from '#libs/tasks';

import { mountNode } from './facts.js';
import { type Handover, HandoverRepository } from './repositories/handover.repository.js';

export interface HandOver {
  /** The shared folder, in the actor's home. */
  readonly path: readonly string[];
  readonly memberId: number;
}

export interface HandoverInput {
  readonly nodeId: string;
  readonly memberId: number;
}

/** What the member's folder has behind its name while it is handed over. */
const SUFFIX = '_old';
const NUMBERED = 50;

/** Owners of shared folders give them to one of the members. */
@Injectable()
export class HandoverService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
    private readonly policies: Policies,
    private readonly invitations: InvitationRepository,
    private readonly directory: AccountDirectory,
    private readonly rows: HandoverRepository,
    private readonly nodes: NodeRepository,
    private readonly mounts: MountRepository,
    private readonly spaces: SpaceService,
    private readonly quotas: QuotaLedger,
    private readonly changes: ChangeLog,
    private readonly tasks: TaskService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Starts the handover of a shared folder to a member, whose folder is called `<name>_old` until it is done. Repeating it while it runs changes
   * nothing. NODE_NOT_FOUND, FORBIDDEN for who is not the owner, INVALID_ARGUMENT for himself, ACCOUNT_NOT_FOUND for somebody whom he cannot know,
   * NOT_SHARED for who has not accepted the folder, QUOTA_EXCEEDED, REQUEST_PENDING while somebody else gets it.
   */
  async start(actor: AccountActor, { path, memberId }: HandOver): Promise<void> {
    const seen = await this.judged(actor, path, memberId);
    // A handover holds its locks as long as it takes; who only asks again does not wait for it.
    if (await this.isUnderWay(await this.rows.find(seen.id), memberId)) return;
    await this.requireRoom(seen, memberId);
    await this.unitOfWork.run(async () => {
      const homes = [await this.spaces.homeOf(actor.accountId), await this.spaces.homeOf(memberId)];
      for (const spaceId of homes.map((home) => home.spaceId).sort()) await this.spaces.lock(spaceId);
      await this.rows.lockShares([seen.id]);
      const node = await this.judged(actor, path, memberId);
      if (node.id !== seen.id) throw new DomainError('BUSY', 'Too many changes at the same place; try again.');
      const before = await this.rows.find(node.id);
      if (await this.isUnderWay(before, memberId)) return;
      if (before) await this.nameBack(before, actor.accountId);
      const mount = (await this.mounts.byTarget([node.id])).find((candidate) => candidate.accountId === memberId);
      if (!mount) throw notShared();
      const waitingName = await this.markOld(node, mount, actor.accountId);
      const { publicId: taskId } = await this.tasks.start(actor, 'handover.folder', { nodeId: node.id, memberId } satisfies HandoverInput);
      const row = { nodeId: node.id, ownerId: actor.accountId, memberId, mountId: mount.id, mountName: mount.name, waitingName, taskId };
      await this.rows.put(row, this.clock.now());
    });
  }

  /** Ends a handover that cannot be done: the member's folder gets its name back. */
  async giveUp(nodeId: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.rows.lockShares([nodeId]);
      const row = await this.rows.find(nodeId);
      if (!row) return;
      await this.nameBack(row, row.ownerId);
      await this.rows.remove(nodeId);
    });
  }

  private async judged(actor: AccountActor, path: readonly string[], memberId: number): Promise<LocatedNode> {
    const { node } = await this.resolver.get(actor, { path });
    await this.access.require(actor, 'node.share', [node]);
    if (node.kind !== 'folder') throw nodeNotFound();
    if (memberId === actor.accountId) throw new DomainError('INVALID_ARGUMENT', 'The folder is yours already.');
    const answers = await this.invitations.ofNode([node.id], memberId);
    const [member, own] = [await this.directory.account(memberId), await this.directory.account(actor.accountId)];
    const isColleague = member !== null && member.companyId !== null && member.companyId === own?.companyId;
    if (member === null || (answers.length === 0 && !isColleague)) throw new DomainError('ACCOUNT_NOT_FOUND', 'There is no such user.');
    if (!isColleague) await this.policies.requireSharing(actor.accountId, memberId);
    if (member.state !== 'active' || !answers.some((answer) => answer.state === 'accepted')) throw notShared();
    return node;
  }

  /** Early, so that the owner learns of it; what a company has left is judged when the folder goes over, because both may belong to it. */
  private async requireRoom(node: NodeView, memberId: number): Promise<void> {
    await this.spaces.homeOf(memberId);
    const { limitBytes, usedBytes, reservedBytes } = await this.quotas.get(memberId);
    if (limitBytes === null) return;
    if (totalBytes(await this.rows.bytesBelow(node.id)) > limitBytes - usedBytes - reservedBytes) throw quotaExceeded();
  }

  /** Whether the member is getting the folder already. REQUEST_PENDING when somebody else is. */
  private async isUnderWay(row: Handover | null, memberId: number): Promise<boolean> {
    const task = row && (await this.tasks.get(SYSTEM_ACTOR, row.taskId).catch(() => null));
    if (task?.state !== 'waiting' && task?.state !== 'running') return false;
    if (row?.memberId === memberId) return true;
    throw new DomainError('REQUEST_PENDING', 'The folder is being given to somebody else.');
  }

  private async markOld(node: NodeView, mount: Mount, actorId: number): Promise<string> {
    // numberedName cuts what would be too long; without a number it is the name with the suffix
    const wanted = numberedName(mount.name, 0, 'folder').replace(/ \(0\)$/, SUFFIX);
    const name = await this.freeName(mount.parentId, wanted);
    await this.rename(node, mount, name, actorId);
    return name;
  }

  /** Gives a mount the name that it had before, unless its owner has called it something else meanwhile. */
  private async nameBack({ nodeId, mountId, mountName, waitingName }: Handover, actorId: number): Promise<void> {
    const [node, mount] = [(await this.nodes.byIds([nodeId]))[0], (await this.mounts.byTarget([nodeId])).find(({ id }) => id === mountId)];
    if (!node || !mount || mount.name !== waitingName) return;
    await this.rename(node, mount, await this.freeName(mount.parentId, mountName), actorId);
  }

  private async rename(node: NodeView, mount: Mount, name: string, actorId: number): Promise<void> {
    const row = { ...node, id: mount.id, parentId: mount.parentId, name: mount.name };
    const renamed = await this.nodes.rename(row, name, nameKey(name), null);
    if (!renamed) throw new DomainError('BUSY', 'Too many changes at the same place; try again.');
    const changed = mountNode(node, mount);
    const old = { folderId: renamed.parentId, name: mount.name, node: changed };
    await this.changes.record([{ type: 'folder_renamed', actorId, node: changed, folderId: renamed.parentId, name, old }]);
    await this.nodes.bumpFolders([{ folderId: renamed.parentId, files: 0, folders: 0, bytes: 0 }]);
  }

  /** The name when it is free in the folder, else the first free numbered one. NAME_TAKEN. */
  async freeName(folderId: string, name: string): Promise<string> {
    const candidates = [{ name, nameKey: nameKey(name) }, ...numberedCandidates(name, 'folder', 1, NUMBERED)];
    const taken = await this.nodes.takenKeys(
      folderId,
      candidates.map((candidate) => candidate.nameKey),
    );
    const free = candidates.find((candidate) => !taken.has(candidate.nameKey));
    if (!free) throw new DomainError('NAME_TAKEN', `There are too many folders called "${name}".`);
    return free.name;
  }
}

/** NOT_SHARED: the member has not accepted the folder, or cannot use it. */
export function notShared(): DomainError {
  return new DomainError('NOT_SHARED', 'The folder is not shared with this member, or not accepted.');
}
