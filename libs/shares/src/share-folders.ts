import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { AccountDirectory } from '#libs/accounts';
import { type AccountActor, DomainError } from '#libs/kernel';
import { type LocatedNode, MountRepository, NodeRepository, NodeResolver, type NodeView } from '#libs/nodes';

/** A folder as a client names it. */
export interface FolderName {
  readonly path: readonly string[];
  /** Whose home the path is in, when an administrator acts for him; absent = the actor's own. */
  readonly ownerId?: number | undefined;
}

/** A folder with the account in whose name it is changed: the actor's own, or the one he administrates. */
export interface HeldFolder {
  readonly owner: AccountActor;
  readonly node: LocatedNode;
}

/** Finds the folders that share calls are about, and says what of them can be shared. */
@Injectable()
export class ShareFolders {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
    private readonly mounts: MountRepository,
    private readonly nodes: NodeRepository,
    private readonly directory: AccountDirectory,
  ) {}

  /**
   * The account in whose name the actor acts: himself, or a user whom he administrates as administrator of the company or of the system. FORBIDDEN
   * for anybody else, ACCOUNT_NOT_FOUND for users of other companies and unknown ones alike.
   */
  async nameOf(actor: AccountActor, ownerId: number | undefined): Promise<AccountActor> {
    if (ownerId === undefined || ownerId === actor.accountId) return actor;
    const own = actor.role === 'admin' ? null : await this.directory.account(actor.accountId);
    if (own !== null && !(own.isCompanyAdmin && own.companyId !== null)) throw new DomainError('FORBIDDEN', 'Only an administrator acts for others.');
    const owner = await this.directory.account(ownerId);
    if (owner === null || (own !== null && owner.companyId !== own.companyId)) throw new DomainError('ACCOUNT_NOT_FOUND', 'There is no such user.');
    const { id: accountId, companyId, role } = owner;
    return { kind: 'account', accountId, companyId, role, tokenId: actor.tokenId, ...(actor.byPair ? { byPair: true } : {}) };
  }

  /** A folder to do something to as its owner. NODE_NOT_FOUND; FORBIDDEN for one of somebody else, whatever right there is; NOT_A_FOLDER. */
  async own(actor: AccountActor, { path, ownerId }: FolderName): Promise<HeldFolder> {
    const owner = await this.nameOf(actor, ownerId);
    const { node } = await this.resolver.get(owner, { path });
    await this.access.require(owner, 'node.share', [node]);
    if (node.kind !== 'folder') throw new DomainError('NOT_A_FOLDER', 'Only folders are shared.');
    return { owner, node };
  }

  /** A folder to look at, also as a member. NODE_NOT_FOUND. */
  async seen(actor: AccountActor, { path, ownerId }: FolderName): Promise<HeldFolder> {
    const owner = await this.nameOf(actor, ownerId);
    const { node } = await this.resolver.get(owner, { path });
    await this.access.require(owner, 'node.read', [node]);
    return { owner, node };
  }

  /**
   * A folder that may be shared with others from now on. With the lock of its space held, because what is moved into it meanwhile could be
   * somebody else's. MOUNT_IMMUTABLE for a folder that is shared with the owner itself, CONTAINS_SHARE for one that holds such a folder, ROOT_IMMUTABLE, and as `own`.
   */
  async sharable(actor: AccountActor, name: FolderName): Promise<HeldFolder> {
    const owner = await this.nameOf(actor, name.ownerId);
    const { node } = await this.resolver.get(owner, { path: name.path });
    await this.access.require(owner, 'node.read', [node]);
    if (node.mount !== null) throw new DomainError('MOUNT_IMMUTABLE', 'This folder is shared by somebody else; only its owner shares it.');
    await this.access.require(owner, 'node.share', [node]);
    if (node.kind !== 'folder') throw new DomainError('NOT_A_FOLDER', 'Only folders are shared.');
    if (node.parentId === null) throw new DomainError('ROOT_IMMUTABLE', 'The root folder cannot be shared.');
    if ((await this.mounts.within(node.spaceId, [node.id])).length > 0) {
      throw new DomainError('CONTAINS_SHARE', 'The folder holds a folder that somebody else shares; move that out first.');
    }
    return { owner, node };
  }

  /** Listings show that a folder is shared or offered, and its hash: their ETags change, those of its members too. */
  async showMark({ id, spaceId, parentId }: NodeView): Promise<void> {
    const shownIn = [parentId, id].filter((folderId) => folderId !== null);
    const own = shownIn.map((folderId) => ({ folderId, files: 0, folders: 0, bytes: 0 }));
    await this.nodes.bumpFolders([...own, ...(await this.mounts.listingsOf(spaceId, [id]))]);
  }
}
