import { Injectable } from '@nestjs/common';

import { AccessService, type NodeAction } from '#libs/access';
import { Identities } from '#libs/accounts';
import { BrowseService } from '#libs/files';
import { GroupDirectory } from '#libs/groups';
import { type AccountActor, isDomainError } from '#libs/kernel';
import { LinkService } from '#libs/links';
import { type LocatedNode, nodeNotFound, NodeRepository, NodeResolver, type NodeView, pageRows, pathSegments } from '#libs/nodes';
import { ShareListService } from '#libs/shares';
import { TrashService } from '#libs/trash';

import type { Entry, NodeOwner, SpotFacts, Step } from './facts.js';
import { isPlace, type PlaceName, type Spot } from './place.js';
import { groupOwner, PlaceFolders, personOwner } from './place-folders.service.js';
import { PlaceRepository } from './repositories/place.repository.js';

const NO_COUNTS = { grants: 0, links: 0, comments: 0 };
const WHOLE = { dirsOnly: false, includeRemoved: false, orderBy: 'name', descending: false, offset: 0, limit: 0 } as const;
const ASKED = { write: 'node.write', delete: 'node.delete', download: 'node.download' } as const satisfies Record<string, NodeAction>;

/** What somebody may do to a spot. */
export interface SpotRights {
  readonly read: boolean;
  readonly write: boolean;
  readonly delete: boolean;
  readonly download: boolean;
}

/** Reading for callers who name nodes by id and folders by place; what lies in the trash is found by its id too. */
@Injectable()
export class PlaceReader {
  constructor(
    private readonly folders: PlaceFolders,
    private readonly places: PlaceRepository,
    private readonly browse: BrowseService,
    private readonly bin: TrashService,
    private readonly shares: ShareListService,
    private readonly links: LinkService,
    private readonly resolver: NodeResolver,
    private readonly nodes: NodeRepository,
    private readonly access: AccessService,
    private readonly identities: Identities,
    private readonly groups: GroupDirectory,
  ) {}

  /** NODE_NOT_FOUND. */
  async describe(actor: AccountActor, spot: Spot): Promise<SpotFacts> {
    if (!isPlace(spot)) {
      const node = await this.find(actor, spot.id);
      return { place: null, node, owner: await this.ownerOf(node) };
    }
    const holder = await this.folders.holder(actor, spot.ownerId);
    const ref = spot.place === 'home' || spot.place === 'incoming' ? await this.folders.existing(actor, holder, spot.place) : null;
    const node = ref && (await this.browse.get(actor, { node: ref }));
    return { place: { place: spot.place, ownerId: holder.group?.publicId ?? null }, node, owner: holder.owner };
  }

  /** All that a folder or place holds, up to one page (50,000), folders and files by name. NODE_NOT_FOUND, NOT_A_FOLDER. */
  async list(actor: AccountActor, spot: Spot): Promise<Entry[]> {
    const entries = isPlace(spot) ? await this.entriesOf(actor, spot) : await this.childrenOf(actor, spot.id);
    const counts = await this.places.counts(entries.map((node) => node.id));
    return entries.map((node) => {
      const found = counts.get(node.id) ?? NO_COUNTS;
      // With whom something is shared is its owner's business.
      return { node, ...found, ...(node.ownerId === actor.accountId ? {} : { grants: 0, links: 0 }) };
    });
  }

  /** From the place in which it stands down to the node. NODE_NOT_FOUND. */
  async way(actor: AccountActor, spot: Spot): Promise<Step[]> {
    if (isPlace(spot)) return [{ place: (await this.describe(actor, spot)).place! }];
    const node = await this.find(actor, spot.id);
    const placed = (await this.nodes.locate([node.id], actor.accountId)).get(node.id);
    if (!placed) throw nodeNotFound();
    return placed.live ? this.liveWay(placed.chain, pathSegments(placed.node.path), placed.node) : this.trashedWay(placed.chain);
  }

  /** What the actor may do. Of lists nothing but reading; what is in the trash can be removed for good. NODE_NOT_FOUND. */
  async rights(actor: AccountActor, spot: Spot): Promise<SpotRights> {
    const { node, place } = await this.describe(actor, spot);
    // A folder that is made when something is put into it.
    if (!node && (place?.place === 'home' || place?.place === 'incoming')) return { read: true, write: true, delete: false, download: true };
    if (!node) return { read: true, write: false, delete: false, download: false };
    const may = async (action: NodeAction) => (await this.access.allowed(actor, action, [node])).has(node.id);
    const write = await may(node.kind === 'folder' ? 'node.create' : ASKED.write);
    const isTop = node.parentId === null;
    return { read: true, write, delete: !isTop && (await may(ASKED.delete)), download: await may(ASKED.download) };
  }

  private async find(actor: AccountActor, id: string): Promise<LocatedNode> {
    return this.browse.get(actor, { node: { id }, includeRemoved: true });
  }

  private async childrenOf(actor: AccountActor, id: string): Promise<readonly NodeView[]> {
    try {
      return (await this.browse.list(actor, { node: { id }, ...WHOLE })).entries;
    } catch (error) {
      if (!isDomainError(error, 'NODE_NOT_FOUND')) throw error;
      const { entries } = await this.browse.list(actor, { node: { id }, ...WHOLE, includeRemoved: true });
      return entries.filter((entry) => entry.removal === null);
    }
  }

  private async entriesOf(actor: AccountActor, name: PlaceName): Promise<readonly NodeView[]> {
    const holder = await this.folders.holder(actor, name.ownerId);
    const { group } = holder;
    const home = group && (await this.folders.existing(actor, holder, 'home'));
    // A group that has put nothing anywhere yet.
    if (group && !home) return [];
    const homeId = home && 'id' in home ? home.id : null;
    if (homeId !== null) await this.browse.get(actor, { node: { id: homeId } });
    switch (name.place) {
      case 'home':
      case 'incoming': {
        const ref = await this.folders.existing(actor, holder, name.place);
        return ref ? (await this.browse.list(actor, { node: ref, ...WHOLE })).entries : [];
      }
      case 'trash':
        return (await this.bin.list(actor, { ...WHOLE, ...(homeId ? { from: { id: homeId } } : {}) })).entries;
      case 'favorites':
        return this.below(actor, homeId, await this.browse.favorites(actor, { offset: 0, limit: 0 }));
      case 'shared':
        return this.below(actor, homeId, await this.shares.list(actor, homeId === null ? 'my' : 'all'));
      case 'published':
        return this.below(
          actor,
          homeId,
          (await this.links.list(actor)).map(({ node }) => node),
        );
      case 'received':
        return group && homeId ? this.receivedBy(actor, group.id, homeId) : this.shares.list(actor, 'others');
    }
  }

  /** Of these nodes those that lie below the home of a group; all of them when no group is meant. */
  private async below(actor: AccountActor, homeId: string | null, found: readonly LocatedNode[]): Promise<readonly LocatedNode[]> {
    if (homeId === null || found.length === 0) return found;
    const placed = await this.nodes.locate(
      found.map((node) => node.id),
      actor.accountId,
    );
    return found.filter((node) => node.id !== homeId && placed.get(node.id)?.chain.includes(homeId));
  }

  private async receivedBy(actor: AccountActor, groupId: number, homeId: string): Promise<readonly LocatedNode[]> {
    const ids = (await this.places.sharedWith(groupId, pageRows(0))).filter((id) => id !== homeId);
    const placed = await this.resolver.findMany(
      actor,
      ids.map((id) => ({ id })),
    );
    const found = placed.flatMap((each) => (each ? [each.node] : []));
    const allowed = await this.access.allowed(actor, 'node.read', found);
    return found.filter((node) => allowed.has(node.id));
  }

  /** Whose a node is: a group's when it lies below the home of one, else the account's whose space it is in. */
  private async ownerOf(node: LocatedNode): Promise<NodeOwner> {
    const placed = (await this.nodes.locate([node.id], null)).get(node.id);
    const group = placed && (await this.places.of(placed.chain)).find((place) => place.groupId !== null);
    const found = group && (await this.groups.of([group.groupId!])).get(group.groupId!);
    if (found) return groupOwner(found);
    const owner = (await this.identities.of([node.ownerId])).get(node.ownerId);
    if (!owner) throw nodeNotFound();
    return personOwner(owner);
  }

  /** `names` are the viewer's own for the chain below its first node. */
  private async liveWay(chain: readonly string[], names: readonly string[], node: LocatedNode): Promise<Step[]> {
    const standing = await this.places.of(chain);
    const starts = chain.map((id) => standing.find((place) => place.nodeId === id));
    const at = starts.findLastIndex((start) => start !== undefined);
    // A node of others that is open to the actor and stands nowhere in his home.
    if (names.length < chain.length - 1 || (chain.length === 1 && node.parentId !== null))
      return [{ place: { place: 'received', ownerId: null } }, { id: node.id, name: node.name }];
    const below = chain.slice(Math.max(at, 0) + 1).map((id, index) => ({ id, name: names[Math.max(at, 0) + index]! }));
    const start = at < 0 ? undefined : starts[at];
    if (!start) return [{ place: { place: 'home', ownerId: null } }, ...below];
    const group = start.groupId === null ? undefined : (await this.groups.of([start.groupId])).get(start.groupId);
    return [{ place: { place: start.kind, ownerId: group?.publicId ?? null } }, ...below];
  }

  private async trashedWay(chain: readonly string[]): Promise<Step[]> {
    const rows = new Map((await this.nodes.byIds(chain)).map((row) => [row.id, row]));
    const from = chain.findIndex((id) => rows.get(id)?.removal !== null);
    return [{ place: { place: 'trash', ownerId: null } }, ...chain.slice(from).map((id) => ({ id, name: rows.get(id)?.name ?? '' }))];
  }
}
