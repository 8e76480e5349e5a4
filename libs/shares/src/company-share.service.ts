import { Injectable } from '@nestjs/common';

import { AccessService, GrantService, InvitationRepository, Policies } from '#libs/access';
import { type AccountRecord, AccountDirectory } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';
import { checkName, nodeNotFound, NodeRepository, NodeResolver, pageRows, SpaceService } from '#libs/nodes';

import { type CompanyFolder, CompanyShareRepository, type Outgoing } from './repositories/company-share.repository.js';
import { ShareRepository } from './repositories/share.repository.js';
import { RequestLog } from './request-log.js';
import { type FolderName, ShareFolders } from './share-folders.js';
import { memberRight, ShareService } from './share.service.js';

/** An offered folder as the asking account sees it: `path` only when it has the folder. */
export interface OfferedFolder extends Omit<CompanyFolder, 'ownerPath'> {
  readonly ownerName: string;
  readonly path: string;
}

export interface PendingRequest {
  readonly hash: string;
  readonly folderName: string;
  readonly ownerId: number;
  readonly ownerName: string;
  readonly requesterId: number;
  readonly requesterName: string;
  readonly message: string;
}

export interface OutgoingItem extends Outgoing {
  readonly type: 'share' | 'link';
  readonly ownerName: string;
}

/** Most rows of a page of a company's lists. */
const MAX_ROWS = 2_000;

/** Folders that people of a company offer to each other. Another company's folders and hashes are unknown here. */
@Injectable()
export class CompanyShareService {
  constructor(
    private readonly folders: ShareFolders,
    private readonly shareService: ShareService,
    private readonly shares: ShareRepository,
    private readonly offers: CompanyShareRepository,
    private readonly grants: GrantService,
    private readonly invitations: InvitationRepository,
    private readonly access: AccessService,
    private readonly policies: Policies,
    private readonly resolver: NodeResolver,
    private readonly nodes: NodeRepository,
    private readonly spaces: SpaceService,
    private readonly directory: AccountDirectory,
    private readonly log: RequestLog,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Offers a folder of the actor's to his company. FORBIDDEN without a company, NAME_ILLEGAL, and as `ShareService.add`. */
  async publish(
    actor: AccountActor,
    { path, publicName }: FolderName & { readonly publicName?: string | undefined },
  ): Promise<{ ownerId: number; publicName: string; folderHash: string }> {
    if ((await this.own(actor)).companyId === null) throw new DomainError('FORBIDDEN', 'Only people of a company offer folders to it.');
    await this.policies.require(actor, 'offer-folder');
    return this.unitOfWork.run(async () => {
      const { spaceId } = await this.spaces.homeOf(actor.accountId);
      await this.spaces.lock(spaceId);
      const held = await this.folders.sharable(actor, { path });
      await this.shares.hold(held.node.id);
      const name = checkName(publicName?.trim() || held.node.name);
      await this.shareService.open(held, '', actor.accountId);
      const folderHash = await this.offers.publish(held.node.id, name, this.clock.now());
      await this.folders.showMark(held.node);
      return { ownerId: held.owner.accountId, publicName: name, folderHash };
    });
  }

  /** Takes an offer of the actor's back, named by hash or path. Members stay. NODE_NOT_FOUND. */
  async hide(
    actor: AccountActor,
    { folderHash, path }: { readonly folderHash?: string | undefined; readonly path?: readonly string[] | undefined },
  ): Promise<void> {
    await this.unitOfWork.run(async () => {
      const node = path ? (await this.folders.own(actor, { path })).node : await this.offeredByActor(actor, folderHash ?? '');
      await this.spaces.lock(node.spaceId);
      await this.shares.hold(node.id);
      await this.log.declineAll(node.id, actor.accountId);
      if (!(await this.offers.hide(node.id))) throw nodeNotFound();
      await this.shares.removeIfEmpty(node.id);
      await this.folders.showMark(node);
    });
  }

  /**
   * Folders offered in the actor's company, newest first. With `showAll` an administrator of the company sees where in their owners' homes all of them
   * are. FORBIDDEN for `showAll` of anybody else. A fixed number of statements.
   */
  async list(
    actor: AccountActor,
    {
      folderHash,
      offset,
      limit,
      showAll,
    }: { readonly folderHash?: string | undefined; readonly offset: number; readonly limit: number; readonly showAll: boolean },
  ): Promise<OfferedFolder[]> {
    const own = await this.own(actor);
    if (showAll && !own.isCompanyAdmin && own.role !== 'admin') throw new DomainError('FORBIDDEN', 'Only an administrator sees all paths.');
    if (own.companyId === null) return [];
    const rows = await this.offers.list({
      companyId: own.companyId,
      accountId: own.id,
      folderHash: folderHash || null,
      offset,
      limit: rowsOf(limit),
    });
    const had = rows.filter((row) => row.status === 'accepted' && row.ownerId !== own.id);
    const placed = await this.resolver.findMany(
      actor,
      had.map((row) => ({ id: row.nodeId })),
    );
    const paths = new Map(placed.flatMap((found) => (found ? [[found.node.id, found.node.path]] : [])));
    const people = await this.directory.find(rows.map((row) => row.ownerId));
    return rows.map(({ ownerPath, ...row }) => ({
      ...row,
      ownerName: people.get(row.ownerId)?.name ?? '',
      path: row.ownerId === own.id || showAll ? ownerPath : (paths.get(row.nodeId) ?? ''),
    }));
  }

  /** One of them. NODE_NOT_FOUND. */
  async one(actor: AccountActor, folderHash: string): Promise<OfferedFolder> {
    const [folder] = folderHash === '' ? [] : await this.list(actor, { folderHash, offset: 0, limit: 1, showAll: false });
    if (!folder) throw nodeNotFound();
    return folder;
  }

  /** Asks the owner for a folder. FORBIDDEN for who has it or is invited, OWN_SHARE, REQUEST_PENDING, NODE_NOT_FOUND. */
  async request(actor: AccountActor, { folderHash, message }: { readonly folderHash: string; readonly message: string }): Promise<void> {
    const offer = await this.one(actor, folderHash);
    if (offer.ownerId === actor.accountId) throw new DomainError('OWN_SHARE', 'The folder is yours already.');
    await this.unitOfWork.run(async () => {
      const answers = await this.invitations.ofNode([offer.nodeId], actor.accountId);
      if (answers.some((invitation) => invitation.state !== 'declined')) throw new DomainError('FORBIDDEN', 'The folder is shared with you already.');
      await this.shares.hold(offer.nodeId);
      const { nodeId, ownerId, publicName: folderName } = await this.one(actor, folderHash);
      const hash = await this.offers.request(nodeId, actor.accountId, message, this.clock.now());
      if (hash === null) throw new DomainError('REQUEST_PENDING', 'You have asked for this folder already.');
      await this.log.tell('sent', [{ nodeId, ownerId, accountId: actor.accountId, hash, message, folderName }], actor.accountId);
    });
  }

  /** What the actor is asked for, oldest first. */
  async requests(actor: AccountActor): Promise<PendingRequest[]> {
    const rows = await this.offers.requestsTo(actor.accountId, pageRows(0));
    const people = await this.directory.find(rows.flatMap((row) => [row.ownerId, row.accountId]));
    const nameOf = (id: number): string => people.get(id)?.name ?? '';
    return rows.map(({ hash, folderName, ownerId, accountId, message }) => {
      return { hash, folderName, ownerId, ownerName: nameOf(ownerId), requesterId: accountId, requesterName: nameOf(accountId), message };
    });
  }

  /**
   * Grants a request, named by its hash or by the folder's hash and who asks: the folder stands in the asker's root at once. NODE_NOT_FOUND for what
   * the actor is not asked, NAME_TAKEN.
   */
  async acceptRequest(
    actor: AccountActor,
    { hash, requesterId, writer }: { readonly hash: string; readonly requesterId?: number | undefined; readonly writer: boolean },
  ): Promise<void> {
    await this.unitOfWork.run(async () => {
      const request = await this.offers.findRequest(actor.accountId, hash, requesterId ?? null);
      if (!request) throw nodeNotFound();
      await this.shares.hold(request.nodeId);
      if (!(await this.offers.removeRequest(request.hash))) throw nodeNotFound();
      const [node] = await this.nodes.byIds([request.nodeId]);
      if (!node) throw nodeNotFound();
      await this.access.require(actor, 'node.share', [node]);
      await this.grants.grant(actor, { node, subject: { accountId: request.accountId }, right: memberRight(writer), accepted: true });
      await this.log.tell('accepted', [request], actor.accountId, writer);
    });
  }

  /**
   * What people of the actor's company (of any, for an administrator of the system) share and have links to, for its administrators. Shares and links are cut by themselves: up to twice `limit`
   * rows. FORBIDDEN.
   */
  async outgoing(
    actor: AccountActor,
    filter: { readonly companyId?: number | undefined; readonly ownerName: string; readonly offset: number; readonly limit: number },
  ): Promise<OutgoingItem[]> {
    const own = await this.own(actor);
    const companyId = own.role === 'admin' ? (filter.companyId ?? own.companyId) : own.isCompanyAdmin ? own.companyId : null;
    if (companyId === null) throw new DomainError('FORBIDDEN', 'Only an administrator of a company sees this.');
    const page = { companyId, ownerName: filter.ownerName, offset: filter.offset, limit: rowsOf(filter.limit) };
    const [shared, linked] = [await this.offers.shared(page), await this.offers.linked(page)];
    const people = await this.directory.find([...shared, ...linked].map((row) => row.ownerId));
    const named = (rows: readonly Outgoing[], type: 'share' | 'link') =>
      rows.map((row) => ({ ...row, type, ownerName: people.get(row.ownerId)?.name ?? '' }));
    return [...named(shared, 'share'), ...named(linked, 'link')];
  }

  private async offeredByActor(actor: AccountActor, folderHash: string) {
    const offer = await this.one(actor, folderHash);
    const node = (await this.nodes.byIds([offer.nodeId]))[0];
    if (!node || offer.ownerId !== actor.accountId) throw nodeNotFound();
    return node;
  }

  /** The actor as he is now: whether he administrates his company may have changed since he signed in. */
  private async own(actor: AccountActor): Promise<AccountRecord> {
    const own = await this.directory.account(actor.accountId);
    if (own === null) throw new DomainError('UNAUTHENTICATED', 'This account does not exist any more.');
    return own;
  }
}

function rowsOf(limit: number): number {
  return limit === 0 ? MAX_ROWS : Math.min(limit, MAX_ROWS);
}
