import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, newId } from '#libs/kernel';
import { nodeNotFound, type NodeView } from '#libs/nodes';

import { AccessService } from './access.service.js';
import { MountKeeper } from './mount-keeper.js';
import { FolderRepository, type OwnedFolder } from './repositories/folder.repository.js';
import { type Grant, GrantRepository, type Subject } from './repositories/grant.repository.js';
import { type Invitation, InvitationRepository } from './repositories/invitation.repository.js';
import { covers, FULL_RIGHT, type Right } from './right.js';
import { SharingLog } from './sharing-log.js';

export interface GrantCommand {
  readonly node: NodeView;
  readonly subject: Subject;
  readonly right: Right;
  /** From the one who shares to whom he shares with. */
  readonly message?: string;
  /** The receiver has asked for it: no answer is waited for. */
  readonly accepted?: boolean;
  /** Who does it in the owner's name; default the actor himself. */
  readonly byId?: number;
}

/** What a grant led to. */
export interface Granted {
  readonly grant: Grant;
  /** Invitations that were not there before: empty when it was shared with all of them already. */
  readonly invited: readonly Invitation[];
  /** The receivers' paths, when they have accepted at once. */
  readonly paths: ReadonlyMap<number, string>;
}

/**
 * Who has which node. Only the owner gives and takes, and never more than he has himself. Every method is one transaction, or part of the one
 * around it; the feeds of those concerned and their mounts follow at once.
 */
@Injectable()
export class GrantService {
  constructor(
    private readonly access: AccessService,
    private readonly grants: GrantRepository,
    private readonly invitations: InvitationRepository,
    private readonly folders: FolderRepository,
    private readonly mounts: MountKeeper,
    private readonly log: SharingLog,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Opens a node to an account or a group and invites the people; who has been invited by this grant already stays as he is, and so does his right.
   * Group members must be let in by the caller's rules: any group is taken. NODE_NOT_FOUND, FORBIDDEN, GROUP_NOT_FOUND.
   */
  async grant(actor: AccountActor, { node, subject, right, message = '', accepted = false, byId = actor.accountId }: GrantCommand): Promise<Granted> {
    return this.unitOfWork.run(async () => {
      await this.requireOwner(actor, node, right);
      const members = await this.peopleOf(subject);
      await this.grants.lock([node.id]);
      const folder = await this.folder(node.id);
      const { grant, isNew } = await this.ensureGrant(node.id, subject, right, actor.accountId);
      const people = members.filter((id) => id !== folder.ownerId);
      const invited = await this.invitations.invite(grant.id, people, message, accepted ? 'accepted' : 'waiting', this.clock.now());
      // Only who declined before is invited by an old grant: to him it is a new one.
      if (!isNew && 'accountId' in subject && invited.length > 0) await this.grants.setRight(grant.id, right);
      const paths = new Map<number, string>();
      if (!accepted) await this.log.invited(folder, invited, byId);
      else for (const invitation of invited) paths.set(invitation.accountId, await this.welcome(folder, invitation));
      return { grant, invited, paths };
    });
  }

  /** Changes what a grant on this node gives. NOT_SHARED when the subject has none here. */
  async update(actor: AccountActor, node: NodeView, subject: Subject, right: Right): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.requireOwner(actor, node, right);
      await this.grants.lock([node.id]);
      const grant = await this.grants.find(node.id, subject);
      if (!grant) throw notShared();
      await this.grants.setRight(grant.id, right);
    });
  }

  /** Takes a grant back with all answers to it; who has no other grant here loses the folder. NOT_SHARED. */
  async revoke(actor: AccountActor, node: NodeView, subject: Subject, byId = actor.accountId): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.requireOwner(actor, node);
      await this.grants.lock([node.id]);
      const grant = await this.grants.find(node.id, subject);
      if (!grant) throw notShared();
      const answers = (await this.invitations.ofNode([node.id])).filter((invitation) => invitation.grantId === grant.id);
      await this.grants.remove([grant.id]);
      await this.follow(node.id, answers, byId);
    });
  }

  /**
   * Ends one person's access to this node: his own grant, and his part in grants of groups, which he stays a member of. NOT_SHARED when none of
   * them is on this node.
   */
  async removePerson(actor: AccountActor, node: NodeView, accountId: number, byId = actor.accountId): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.requireOwner(actor, node);
      await this.grants.lock([node.id]);
      if (!(await this.endFor(node.id, accountId, byId))) throw notShared();
    });
  }

  /**
   * Takes an invitation back that nobody has accepted. INVITATION_NOT_FOUND when there is none, INVITATION_ANSWERED when the person, or anybody of
   * the group, has answered.
   */
  async withdraw(actor: AccountActor, node: NodeView, subject: Subject, byId = actor.accountId): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.requireOwner(actor, node);
      await this.grants.lock([node.id]);
      const grant = await this.grants.find(node.id, subject);
      if (!grant) throw new DomainError('INVITATION_NOT_FOUND', 'Nobody was invited so.');
      const answers = (await this.invitations.ofNode([node.id])).filter((invitation) => invitation.grantId === grant.id);
      const isOpen = 'groupId' in subject ? !answers.some(isAccepted) : answers.every((invitation) => invitation.state === 'waiting');
      if (!isOpen) throw new DomainError('INVITATION_ANSWERED', 'The invitation has been answered already.');
      await this.grants.remove([grant.id]);
      await this.follow(node.id, answers, byId);
    });
  }

  /** Takes back everything on this node. Grants on folders below stay. */
  async revokeAll(actor: AccountActor, node: NodeView, byId = actor.accountId): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.requireOwner(actor, node);
      await this.grants.lock([node.id]);
      const answers = await this.invitations.ofNode([node.id]);
      await this.grants.removeAll(node.id);
      await this.follow(node.id, answers, byId, true);
    });
  }

  /** The actor gives up the shared folders: grants of his own go, those of his groups are declined. Folders that he does not have are passed over. */
  async leave(actor: AccountActor, nodeIds: readonly string[]): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.grants.lock(nodeIds);
      for (const nodeId of nodeIds) await this.endFor(nodeId, actor.accountId, actor.accountId);
    });
  }

  /** Invites new members of a group to all that the group has. In the transaction that made them members. */
  async groupMembersAdded(groupId: number, accountIds: readonly number[], byId: number): Promise<void> {
    const grants = await this.grants.ofGroup(groupId);
    await this.grants.lock(grants.map((grant) => grant.nodeId));
    const folders = await this.folders.find(grants.map((grant) => grant.nodeId));
    for (const grant of grants) {
      const folder = folders.get(grant.nodeId)!;
      const people = accountIds.filter((id) => id !== folder.ownerId);
      await this.log.invited(folder, await this.invitations.invite(grant.id, people, '', 'waiting', this.clock.now()), byId);
    }
  }

  /** Takes from former members of a group what they had through it alone. In the transaction that ended their membership. */
  async groupMembersRemoved(groupId: number, accountIds: readonly number[], byId: number): Promise<void> {
    const grants = await this.grants.ofGroup(groupId);
    await this.grants.lock(grants.map((grant) => grant.nodeId));
    const grantIds = grants.map((grant) => grant.id);
    const waiting = await this.invitations.waitingOf(grantIds, accountIds);
    await this.invitations.removeOf(grantIds, accountIds);
    for (const folder of (await this.folders.find(grants.map((grant) => grant.nodeId))).values()) {
      const lost = await this.mounts.drop(folder, accountIds, byId);
      const people = lost.map((mount) => mount.accountId);
      await this.log.removed(folder, people, lost, byId, false);
      const hopeful = waiting.filter((invitation) => invitation.nodeId === folder.id);
      await this.log.revoked(folder, hopeful, byId);
    }
  }

  private async welcome(folder: OwnedFolder, invitation: Invitation): Promise<string> {
    // A file that is open to somebody stands nowhere in his tree: he knows it by its id.
    if (folder.kind === 'file') return '';
    const path = await this.mounts.put(invitation.accountId, folder);
    await this.log.answered(folder, invitation, 'accepted', path);
    return path;
  }

  private async requireOwner(actor: AccountActor, node: NodeView, right: Right = FULL_RIGHT): Promise<void> {
    await this.access.require(actor, 'node.share', [node]);
    const own = (await this.access.rights(actor, [node])).get(node.id);
    if (!own || !covers(own, right)) throw new DomainError('FORBIDDEN', 'Nobody gives more than he has.');
  }

  /** Whom a grant to the subject invites; a group is held as it is until the end of the transaction, before any other lock. */
  private async peopleOf(subject: Subject): Promise<readonly number[]> {
    if ('accountId' in subject) return [subject.accountId];
    if ((await this.grants.holdGroup(subject.groupId)) === null) throw new DomainError('GROUP_NOT_FOUND', 'There is no such group.');
    return this.grants.groupMembers(subject.groupId);
  }

  private async ensureGrant(nodeId: string, subject: Subject, right: Right, grantedBy: number): Promise<{ grant: Grant; isNew: boolean }> {
    const known = await this.grants.find(nodeId, subject);
    if (known) return { grant: known, isNew: false };
    const accountId = 'accountId' in subject ? subject.accountId : null;
    const groupId = 'groupId' in subject ? subject.groupId : null;
    const now = this.clock.now();
    const grant = { id: newId(now.getTime()), nodeId, accountId, groupId, ...right };
    await this.grants.insert(grant, grantedBy, now);
    return { grant, isNew: true };
  }

  /** Needs the lock of the folder. False when the person has nothing here. */
  private async endFor(nodeId: string, accountId: number, byId: number): Promise<boolean> {
    const answers = (await this.invitations.ofNode([nodeId], accountId)).filter((invitation) => invitation.state !== 'declined');
    if (answers.length === 0) return false;
    await this.grants.remove(answers.filter((invitation) => invitation.groupId === null).map((invitation) => invitation.grantId));
    await this.invitations.setState(
      answers.filter((invitation) => invitation.groupId !== null).map((invitation) => invitation.id),
      'declined',
      this.clock.now(),
    );
    await this.follow(nodeId, answers, byId);
    return true;
  }

  /** What ends with grants: mounts, and the hopes of those who had not answered. */
  private async follow(nodeId: string, answers: readonly Invitation[], byId: number, all = false): Promise<void> {
    const folder = await this.folder(nodeId);
    if (folder.kind === 'file') return;
    const accepted = [...new Set(answers.filter(isAccepted).map((invitation) => invitation.accountId))];
    const mounts = await this.mounts.drop(folder, [...new Set(answers.map((invitation) => invitation.accountId))], byId);
    const kept = new Set((await this.invitations.ofNode([nodeId])).filter(isAccepted).map((invitation) => invitation.accountId));
    const gone = accepted.filter((accountId) => !kept.has(accountId));
    await this.log.removed(folder, gone, mounts, byId, all);
    await this.log.revoked(
      folder,
      answers.filter((invitation) => invitation.state === 'waiting'),
      byId,
    );
  }

  private async folder(nodeId: string): Promise<OwnedFolder> {
    const folder = (await this.folders.find([nodeId])).get(nodeId);
    if (!folder) throw nodeNotFound();
    return folder;
  }
}

function isAccepted(invitation: Invitation): boolean {
  return invitation.state === 'accepted';
}

function notShared(): DomainError {
  return new DomainError('NOT_SHARED', 'The folder is not shared with them.');
}
