import { Injectable } from '@nestjs/common';

import { FULL_RIGHT, GrantService, Policies, type Right, type Subject } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, isDomainError } from '#libs/kernel';
import { ChangeLog, FolderLimits, type LocatedNode, SpaceService } from '#libs/nodes';

import { ShareRepository } from './repositories/share.repository.js';
import { RequestLog } from './request-log.js';
import { type FolderName, type HeldFolder, ShareFolders } from './share-folders.js';
import { accountNotFound, type NamedSubject, notInvited, ShareMembers, type SubjectName } from './share-members.js';

export interface AddShare extends FolderName, SubjectName {
  readonly writer: boolean;
  readonly message: string;
  /** True: whoever knows the hash may read without accepting. Absent: as it is. */
  readonly publicView?: boolean | undefined;
  /** Of the mail to an address that has no account. */
  readonly lang?: string | undefined;
  /** What the folder may hold from now on, in bytes. Absent: as it is. */
  readonly limitBytes?: number | undefined;
}

export interface Shared {
  /** By which the folder is accepted; null when it was shared with all of them already. */
  readonly hash: string | null;
  /** Of the member it is shared with. */
  readonly login: string | null;
}

export type ShareSubject = FolderName & SubjectName;

const READER: Right = { write: false, delete: false, download: true };

/** What a member may do: a writer everything but share, a reader only read. */
export function memberRight(writer: boolean): Right {
  return writer ? FULL_RIGHT : READER;
}

/** Sharing of folders by their owners. Administrators of their company and of the system do the same in an owner's name. */
@Injectable()
export class ShareService {
  constructor(
    private readonly folders: ShareFolders,
    private readonly members: ShareMembers,
    private readonly shares: ShareRepository,
    private readonly grants: GrantService,
    private readonly limits: FolderLimits,
    private readonly spaces: SpaceService,
    private readonly changes: ChangeLog,
    private readonly requests: RequestLog,
    private readonly policies: Policies,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Shares a folder with a member, with a group, or (nobody named) with whoever knows the hash. An address without an account gets one that waits for
   * its owner, and a mail. NODE_NOT_FOUND, FORBIDDEN, NOT_A_FOLDER, ROOT_IMMUTABLE, MOUNT_IMMUTABLE, CONTAINS_SHARE, OWN_SHARE, ACCOUNT_NOT_FOUND,
   * GROUP_NOT_FOUND, FOLDER_LIMIT_TOO_SMALL, INVALID_ARGUMENT, RATE_LIMITED.
   */
  async add(actor: AccountActor, command: AddShare): Promise<Shared> {
    try {
      return await this.addOnce(actor, command);
    } catch (error) {
      if (!isDomainError(error, 'LOGIN_TAKEN')) throw error;
    }
    // Somebody else has just invited the same address: then it has an account now. If not, it belongs to an account that never confirmed it.
    return this.addOnce(actor, command).catch((error: unknown) => {
      throw isDomainError(error, 'LOGIN_TAKEN') ? accountNotFound() : error;
    });
  }

  /** Ends one member's access, or a group's. NOT_SHARED, NODE_NOT_FOUND, FORBIDDEN, GROUP_NOT_FOUND, INVALID_ARGUMENT. */
  async remove(actor: AccountActor, command: ShareSubject): Promise<void> {
    const { owner, node } = await this.folders.own(actor, command);
    const subject = await this.members.known(owner, command);
    if ('groupId' in subject) await this.grants.revoke(owner, node, subject, actor.accountId);
    else await this.grants.removePerson(owner, node, subject.accountId, actor.accountId);
  }

  /**
   * Takes back an invitation of a member or group that nobody has accepted; nobody named: that of whoever knows the hash, which leads nowhere then.
   * INVITATION_ANSWERED, INVITATION_NOT_FOUND, NODE_NOT_FOUND, FORBIDDEN, GROUP_NOT_FOUND.
   */
  async uninvite(actor: AccountActor, command: ShareSubject): Promise<void> {
    const { owner, node } = await this.folders.own(actor, command);
    if (command.groupId === undefined && command.member === undefined) {
      await this.closeHash(node);
      return;
    }
    await this.grants.withdraw(owner, node, await this.members.known(owner, command, notInvited), actor.accountId);
  }

  /** The folder disappears from everybody's home, and nothing of the share is left. NOT_SHARED, NODE_NOT_FOUND, FORBIDDEN. */
  async unshare(actor: AccountActor, command: FolderName): Promise<void> {
    await this.unitOfWork.run(async () => {
      const { owner, node } = await this.folders.own(actor, command);
      await this.spaces.lock(node.spaceId);
      await this.shares.hold(node.id);
      if ((await this.shares.find(node.id)) === null) throw notShared();
      await this.grants.revokeAll(owner, node, actor.accountId);
      await this.requests.declineAll(node.id, actor.accountId);
      if (!(await this.shares.remove(node.id))) throw notShared();
      await this.folders.showMark(node);
    });
  }

  /** Changes what a member or group may do. NOT_SHARED, NODE_NOT_FOUND, FORBIDDEN, GROUP_NOT_FOUND, INVALID_ARGUMENT. */
  async update(actor: AccountActor, command: ShareSubject & { readonly writer: boolean }): Promise<void> {
    const { owner, node } = await this.folders.own(actor, command);
    await this.grants.update(owner, node, await this.members.known(owner, command), memberRight(command.writer));
  }

  /** Limits what a folder may hold in all; null: no limit. FOLDER_LIMIT_TOO_SMALL below what it holds, NODE_NOT_FOUND, FORBIDDEN, NOT_A_FOLDER. */
  async limit(actor: AccountActor, command: FolderName & { readonly limitBytes: number | null }): Promise<void> {
    await this.policies.require(actor, 'limit-folder');
    const { spaceId } = await this.spaces.homeOf((await this.folders.nameOf(actor, command.ownerId)).accountId);
    await this.unitOfWork.run(async () => {
      await this.spaces.lock(spaceId);
      const { node } = await this.folders.own(actor, command);
      await this.limits.set(node, command.limitBytes);
    });
  }

  /** Makes the folder one that is shared, when it is not yet. In the transaction around it, with the lock of its space held. */
  async open({ owner, node }: HeldFolder, message: string, byId: number): Promise<void> {
    if (!(await this.shares.insert(node.id, owner.accountId, message, this.clock.now()))) return;
    const shared = { ...node, shared: true };
    await this.changes.record([{ type: 'folder_shared', actorId: byId, node: shared, folderId: node.parentId, name: node.name }]);
    await this.folders.showMark(node);
  }

  private async addOnce(actor: AccountActor, command: AddShare): Promise<Shared> {
    const owner = await this.folders.nameOf(actor, command.ownerId);
    // Refuse before a mail slot is used and an account is made.
    await this.folders.sharable(actor, command);
    if (command.limitBytes !== undefined) await this.policies.require(actor, 'limit-folder');
    if (command.publicView) await this.policies.require(owner, 'share-outside');
    const named = await this.members.toInvite(owner, command);
    await this.members.prepare(actor, named);
    return this.unitOfWork.run(async () => {
      const { spaceId } = await this.spaces.homeOf(owner.accountId);
      await this.spaces.lock(spaceId);
      const held = await this.folders.sharable(actor, command);
      await this.shares.hold(held.node.id);
      const shared = named === null ? await this.shareByHash(actor, held, command) : await this.shareWith(actor, held, named, command);
      if (command.limitBytes !== undefined) await this.limits.set(held.node, command.limitBytes);
      return shared;
    });
  }

  private async shareByHash(actor: AccountActor, held: HeldFolder, { message, writer, publicView }: AddShare): Promise<Shared> {
    await this.open(held, message, actor.accountId);
    await this.shares.change(held.node.id, { open: true, openCanWrite: writer, publicView, message });
    await this.folders.showMark(held.node);
    return { hash: (await this.shares.find(held.node.id))!.hash, login: null };
  }

  private async shareWith(actor: AccountActor, held: HeldFolder, named: NamedSubject, command: AddShare): Promise<Shared> {
    const { owner, node } = held;
    const { message, writer, publicView, lang } = command;
    const subject: Subject = await this.members.settle(owner, named, message, lang);
    const { invited } = await this.grants.grant(owner, { node, subject, right: memberRight(writer), message, byId: actor.accountId });
    await this.open(held, message, actor.accountId);
    if (publicView !== undefined) {
      await this.shares.change(node.id, { publicView });
      await this.folders.showMark(node);
    }
    if ('groupId' in subject) return { hash: (await this.shares.find(node.id))!.hash, login: null };
    return { hash: invited[0]?.hash ?? null, login: await this.members.loginOf(subject) };
  }

  private async closeHash(node: LocatedNode): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.spaces.lock(node.spaceId);
      await this.shares.hold(node.id);
      const share = await this.shares.find(node.id);
      if (!share?.open && !share?.publicView) throw new DomainError('INVITATION_NOT_FOUND', 'Nobody was invited so.');
      await this.shares.closeHash(node.id);
      await this.shares.removeIfEmpty(node.id);
      await this.folders.showMark(node);
    });
  }
}

function notShared(): DomainError {
  return new DomainError('NOT_SHARED', 'The folder is not shared.');
}
