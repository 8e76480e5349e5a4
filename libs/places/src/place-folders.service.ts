import { Injectable } from '@nestjs/common';

import { FULL_RIGHT, GrantService } from '#libs/access';
import { type Identity, Identities } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { FolderService } from '#libs/files';
import { GroupDirectory, type GroupIdentity } from '#libs/groups';
import { type AccountActor, DomainError, isDomainError } from '#libs/kernel';
import { checkName, type LocatedNode, nodeNotFound, type NodeRef, NodeRepository, NodeResolver, numberedName } from '#libs/nodes';

import type { NodeOwner } from './facts.js';
import { isPlace, type Spot } from './place.js';
import { type FolderPlace, type PlaceOwner, PlaceRepository } from './repositories/place.repository.js';

/** Whose places are meant. */
export type Holder = { readonly group: null; readonly owner: NodeOwner } | { readonly group: GroupIdentity; readonly owner: NodeOwner };

const INCOMING = 'Incoming';
const MAX_NUMBER = 50;

/**
 * The folders that stand for places. The home of a person is his root; what others send him arrives in a folder there. The home of a group is a
 * folder of whoever owns its company, shared with the group in full. Folders are made when they are first needed, and anew when they are gone.
 */
@Injectable()
export class PlaceFolders {
  constructor(
    private readonly places: PlaceRepository,
    private readonly identities: Identities,
    private readonly groups: GroupDirectory,
    private readonly folders: FolderService,
    private readonly grants: GrantService,
    private readonly nodes: NodeRepository,
    private readonly resolver: NodeResolver,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Whose places a public id means: the actor's own, or those of a group that he is in. NODE_NOT_FOUND for everybody else's. */
  async holder(actor: AccountActor, ownerId: string | null): Promise<Holder> {
    const self = (await this.identities.of([actor.accountId])).get(actor.accountId);
    if (!self) throw nodeNotFound();
    if (ownerId === null || ownerId === self.publicId) return { group: null, owner: personOwner(self) };
    const group = (await this.groups.find([ownerId])).get(ownerId);
    if (!group || !(await this.groups.has(group, actor))) throw nodeNotFound();
    return { group, owner: groupOwner(group) };
  }

  /** The node that a spot means. NOT_A_FOLDER for places that are lists; NODE_NOT_FOUND. */
  async ref(actor: AccountActor, spot: Spot): Promise<NodeRef> {
    if (!isPlace(spot)) return spot;
    if (spot.place !== 'home' && spot.place !== 'incoming')
      throw new DomainError('NOT_A_FOLDER', 'This place is a list; nothing can be put into it.');
    const { group } = await this.holder(actor, spot.ownerId);
    if (group) return { id: spot.place === 'home' ? await this.homeOfGroup(group) : (await this.incomingOfGroup(group)).folderId };
    return spot.place === 'home' ? { path: [] } : { id: await this.incomingOf(actor) };
  }

  /** The folder that a spot means, when it is there: reading makes none. NODE_NOT_FOUND for places of others, and for members who left the folder. */
  async existing(actor: AccountActor, { group }: Holder, kind: FolderPlace): Promise<NodeRef | null> {
    if (!group && kind === 'home') return { path: [] };
    const found = await this.live(await this.places.find(group ? { groupId: group.id } : { accountId: actor.accountId }, kind));
    return found && { id: found.id };
  }

  /** Lets new members of a group into its home, if it has one. In the transaction that made them members. */
  async welcome(groupId: number): Promise<void> {
    const home = await this.live(await this.places.find({ groupId }, 'home'));
    const group = home && (await this.groups.of([groupId])).get(groupId);
    if (home && group) await this.open(group, home.id, await this.ownerOf(home.id));
  }

  /** The folder of an account that takes what others send. */
  async incomingOf(actor: AccountActor): Promise<string> {
    return this.ensure({ accountId: actor.accountId }, 'incoming', actor, { path: [] }, INCOMING);
  }

  /** The folder that takes what is sent to a group, for whoever sends it. NODE_NOT_FOUND when nobody owns the company. */
  async incomingOfGroup(group: GroupIdentity): Promise<{ folderId: string; ownerActor: AccountActor }> {
    const homeId = await this.homeOfGroup(group);
    const ownerActor = await this.ownerOf(homeId);
    const folderId = await this.ensure({ groupId: group.id }, 'incoming', ownerActor, { id: homeId }, INCOMING);
    return { folderId, ownerActor };
  }

  private async homeOfGroup(group: GroupIdentity): Promise<string> {
    const owner = { groupId: group.id };
    const known = await this.live(await this.places.find(owner, 'home'));
    if (known) return known.id;
    if (group.companyOwnerId === null) throw nodeNotFound();
    const ownerActor = actorOf(group.companyOwnerId, group.companyId);
    return this.unitOfWork.run(async () => {
      const homeId = await this.ensure(owner, 'home', ownerActor, { path: [] }, folderName(group));
      await this.open(group, homeId, ownerActor);
      return homeId;
    });
  }

  /** Lets all members of the group in, as they are now. */
  private async open(group: GroupIdentity, homeId: string, ownerActor: AccountActor): Promise<void> {
    const { node } = await this.resolver.get(ownerActor, { id: homeId });
    await this.grants.grant(ownerActor, { node, subject: { groupId: group.id }, right: FULL_RIGHT, accepted: true });
  }

  private async ensure(owner: PlaceOwner, kind: FolderPlace, maker: AccountActor, within: NodeRef, name: string): Promise<string> {
    const known = await this.live(await this.places.find(owner, kind));
    if (known) return known.id;
    return this.unitOfWork.run(async () => {
      await this.places.lock(owner, kind);
      const meanwhile = await this.live(await this.places.find(owner, kind));
      if (meanwhile) return meanwhile.id;
      const folder = await this.make(maker, within, name);
      await this.places.put(owner, kind, folder.id);
      return folder.id;
    });
  }

  private async make(maker: AccountActor, folder: NodeRef, name: string): Promise<LocatedNode> {
    for (let number = 0; ; number++) {
      try {
        return await this.folders.createIn(maker, { folder, name: number === 0 ? name : numberedName(name, number, 'folder') });
      } catch (error) {
        if (!isDomainError(error, 'NAME_TAKEN') || number === MAX_NUMBER) throw error;
      }
    }
  }

  /** The folder, when it and all above it are in place. */
  private async live(nodeId: string | null): Promise<LocatedNode | null> {
    const placed = nodeId === null ? undefined : (await this.nodes.locate([nodeId], null)).get(nodeId);
    return placed?.live ? placed.node : null;
  }

  private async ownerOf(nodeId: string): Promise<AccountActor> {
    const node = await this.live(nodeId);
    if (!node) throw nodeNotFound();
    const identity = (await this.identities.of([node.ownerId])).get(node.ownerId);
    return actorOf(node.ownerId, identity?.companyId ?? null);
  }
}

export function personOwner({ publicId, name }: Identity): NodeOwner {
  return { kind: 'account', publicId, name };
}

export function groupOwner({ publicId, name }: GroupIdentity): NodeOwner {
  return { kind: 'group', publicId, name };
}

/** An account as one that acts without having signed in: it receives, or its folder takes, what somebody else may give. */
export function actorOf(accountId: number, companyId: number | null): AccountActor {
  return { kind: 'account', accountId, companyId, role: 'user', tokenId: null };
}

/** The name of a group as a folder can have it. */
function folderName(group: GroupIdentity): string {
  try {
    return checkName(group.name.replaceAll('/', '-'));
  } catch {
    return `Group ${group.id}`;
  }
}
