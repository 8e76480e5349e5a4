import { hash } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type Actor, decodeCursor, DomainError, encodeCursor, isUuid } from '#libs/kernel';
import {
  childPath,
  ListingRepository,
  type LocatedNode,
  type Media,
  nodeNotFound,
  type NodeOrder,
  type NodeRef,
  NodeRepository,
  NodeResolver,
  type NodeView,
  pageRows,
  pathSegments,
  type PlacedNode,
  SearchRepository,
  segmentKeys,
  SpaceRepository,
  SpaceService,
  SubtreeRepository,
  TrashRepository,
  viewerOf,
} from '#libs/nodes';

export interface GetNode {
  readonly node: NodeRef;
  /** Also something in the trash, by the path where it was. What is in place wins. */
  readonly includeRemoved?: boolean;
}

export interface ListFolder {
  readonly node: NodeRef;
  readonly dirsOnly: boolean;
  /** Also what was trashed out of this folder. */
  readonly includeRemoved: boolean;
  readonly orderBy: NodeOrder;
  readonly descending: boolean;
  readonly offset: number;
  /** 0 = as many as one page may hold (MAX_PAGE_ROWS). */
  readonly limit: number;
  /** `nextCursor` of the page before, with the same order; replaces `offset`. */
  readonly cursor?: string | null;
  /** ETag that the client has: when it still is the folder's, nothing is listed. */
  readonly knownEtag?: string | null;
}

export interface FolderListing {
  readonly folder: LocatedNode;
  readonly etag: string;
  readonly notModified: boolean;
  readonly entries: readonly NodeView[];
  readonly isLastPage: boolean;
  readonly nextCursor: string | null;
}

export interface SearchNodes {
  readonly query: string;
  readonly under?: NodeRef;
  readonly media?: Media | 'folder';
  /** Only files whose MIME type fits this expression of ours. */
  readonly mimePattern?: RegExp;
  /** Absent: newest first. */
  readonly orderBy?: NodeOrder;
  readonly descending?: boolean;
  readonly offset: number;
  /** 0 = as many as one page may hold. */
  readonly limit: number;
}

/** Totals of a subtree: files, folders below it, bytes of the current versions. */
export interface Totals {
  readonly files: number;
  readonly folders: number;
  readonly bytes: number;
}

const MAX_SEARCH_PAGE = 2_000;
const MAX_QUERY_BYTES = 1_000;

/** The ETag of a folder's listing: the same for everyone who sees it, another one after every change in it. */
export function folderEtag(folder: NodeView): string {
  return etagOf(`${folder.id}:${folder.revision}`);
}

function etagOf(state: string): string {
  return hash('sha256', state).slice(0, 32);
}

/** The node, with word of whether it is in the trash because of a folder above it. */
function located({ node, live }: PlacedNode): LocatedNode {
  return live || node.removal !== null ? node : { ...node, insideTrash: true };
}

/** Entries of somebody else's folder with restore paths as the actor would see them, not as the owner does. */
function asRemovedFrom(folder: LocatedNode, entries: readonly NodeView[], actor: Actor): readonly NodeView[] {
  if (folder.ownerId === viewerOf(actor)) return entries;
  return entries.map((entry) => (entry.restorePath === null ? entry : { ...entry, restorePath: childPath(folder, entry.name) }));
}

/** Reading of the tree. */
@Injectable()
export class BrowseService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly spaces: SpaceService,
    private readonly nodes: NodeRepository,
    private readonly listings: ListingRepository,
    private readonly subtrees: SubtreeRepository,
    private readonly searches: SearchRepository,
    private readonly trash: TrashRepository,
    private readonly access: AccessService,
    private readonly spaceRows: SpaceRepository,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** One node. NODE_NOT_FOUND. */
  async get(actor: Actor, { node: ref, includeRemoved = false }: GetNode): Promise<LocatedNode> {
    const node = await this.find(actor, ref, includeRemoved);
    if (!node) throw nodeNotFound();
    await this.access.require(actor, 'node.read', [node]);
    return node;
  }

  /** A page of a folder: two statements whatever its size, one when `knownEtag` holds. NODE_NOT_FOUND, NOT_A_FOLDER, INVALID_ARGUMENT for a bad cursor. */
  async list(actor: Actor, command: ListFolder): Promise<FolderListing> {
    const found = await this.open(actor, command);
    if (!('folder' in found)) throw new DomainError('NOT_A_FOLDER', `"${found.path}" is not a folder.`);
    return found;
  }

  /** What the path leads to: a page of a folder as `list` has it, or a file, which costs no further look. NODE_NOT_FOUND, INVALID_ARGUMENT. */
  async open(actor: Actor, command: ListFolder): Promise<FolderListing | LocatedNode> {
    const node = await this.get(actor, command);
    return node.kind === 'folder' ? this.page(actor, node, command) : node;
  }

  private async page(actor: Actor, folder: LocatedNode, command: ListFolder): Promise<FolderListing> {
    const etag = command.includeRemoved ? await this.etagWithTrash(folder) : folderEtag(folder);
    if (command.knownEtag === etag) return { folder, etag, notModified: true, entries: [], isLastPage: true, nextCursor: null };
    const { orderBy, descending, offset } = command;
    const includeRemoved = command.includeRemoved && (await this.seesRemoved(actor, folder));
    const limit = pageRows(command.limit);
    const after = command.cursor ? readCursor(command.cursor, orderBy, descending) : null;
    const { entries, isLast, last } = await this.listings.page(folder, {
      dirsOnly: command.dirsOnly,
      includeRemoved,
      orderBy,
      descending,
      offset,
      limit,
      after,
      viewerId: viewerOf(actor),
      withoutMounts: actor.kind === 'guest',
    });
    const nextCursor = isLast || !last ? null : encodeCursor([orderBy, descending ? 1 : 0, sortValue(last, orderBy), last.id]);
    return { folder, etag, notModified: false, entries: asRemovedFrom(folder, entries, actor), isLastPage: isLast, nextCursor };
  }

  /** Files, folders and bytes below a folder. NODE_NOT_FOUND, NOT_A_FOLDER. */
  async totals(actor: Actor, ref: NodeRef): Promise<Totals & { readonly folder: LocatedNode }> {
    const folder = await this.get(actor, { node: ref });
    if (folder.kind !== 'folder') throw new DomainError('NOT_A_FOLDER', `"${folder.path}" is not a folder.`);
    const { files, folders, bytes } = await (actor.kind === 'guest' ? this.subtrees.figures(folder.id) : this.subtrees.figuresWithMounts(folder.id));
    return { folder, files, folders, bytes };
  }

  /** Live nodes of the actor's home, and of what is shared with him, whose name holds the text, with their paths. INVALID_ARGUMENT for an empty or overlong query. */
  async search(actor: Actor, command: SearchNodes): Promise<{ entries: LocatedNode[]; isLastPage: boolean }> {
    const { query } = command;
    if (query === '' || Buffer.byteLength(query) > MAX_QUERY_BYTES) {
      throw new DomainError('INVALID_ARGUMENT', `The query must have 1 to ${MAX_QUERY_BYTES} bytes.`);
    }
    const asked = command.under ?? (actor.kind === 'guest' ? { path: [] } : null);
    const under = asked && (await this.get(actor, { node: asked }));
    // No stored name can hold these.
    if (segmentKeys([query])[0] === '' || query.includes('/')) return { entries: [], isLastPage: true };
    const spaceId = under?.spaceId ?? (await this.spaces.homeOfActor(actor)).spaceId;
    const limit = Math.min(command.limit === 0 ? MAX_SEARCH_PAGE : command.limit, MAX_SEARCH_PAGE);
    const found = await this.searches.byName({
      spaceId,
      query,
      underId: under && under.parentId !== null ? under.id : null,
      underPath: under?.path ?? '/',
      media: command.media ?? null,
      mimePattern: command.mimePattern?.source ?? null,
      orderBy: command.orderBy ?? null,
      descending: command.descending ?? command.orderBy === undefined,
      offset: command.offset,
      limit: limit + 1,
      viewerId: viewerOf(actor),
    });
    const allowed = await this.access.allowed(actor, 'node.read', found);
    return { entries: found.slice(0, limit).filter((node) => allowed.has(node.id)), isLastPage: found.length <= limit };
  }

  /** The actor's live favourites, most recently marked first. `limit` 0 = as many as one page may hold. */
  async favorites(actor: Actor, { offset, limit }: { readonly offset: number; readonly limit: number }): Promise<LocatedNode[]> {
    if (actor.kind !== 'account') return [];
    const found = await this.searches.favorites(actor.accountId, pageRows(limit), offset);
    const allowed = await this.access.allowed(actor, 'node.read', found);
    const foreign = found.filter((node) => node.ownerId !== actor.accountId && allowed.has(node.id));
    const seen = await this.nodes.locate(
      foreign.map((node) => node.id),
      actor.accountId,
    );
    return found.flatMap((node) => (allowed.has(node.id) ? [seen.get(node.id)?.node ?? node] : []));
  }

  /** Marks a node as favourite or not; without `value` it changes to the other. Listings show the mark, so their ETag changes. NODE_NOT_FOUND. */
  async setFavorite(actor: Actor, { node: ref, value }: { readonly node: NodeRef; readonly value?: boolean }): Promise<LocatedNode> {
    const node = await this.get(actor, { node: ref });
    if (actor.kind !== 'account') throw new DomainError('INVALID_ARGUMENT', 'Only an account has favourites.');
    const { accountId } = actor;
    const favorite = await this.unitOfWork.run(async () => {
      const marked = await this.nodes.setFavorite(accountId, node.id, value);
      const shownIn = [node.parentId, node.kind === 'folder' ? node.id : null].filter((id) => id !== null);
      if (marked !== node.favorite) await this.nodes.bumpFolders(shownIn.map((folderId) => ({ folderId, files: 0, folders: 0, bytes: 0 })));
      return marked;
    });
    return { ...node, favorite, revision: node.revision + (favorite !== node.favorite && node.kind === 'folder' ? 1 : 0) };
  }

  private async find(actor: Actor, ref: NodeRef, includeRemoved: boolean): Promise<LocatedNode | null> {
    if ('id' in ref || !includeRemoved || actor.kind === 'guest') {
      const placed = await this.resolver.find(actor, ref);
      if (placed || !includeRemoved || actor.kind === 'guest') return placed?.node ?? null;
      return 'id' in ref ? this.findRemovedById(actor, ref.id) : null;
    }
    const { placed, missing } = await this.resolver.startOf(actor, ref.path);
    if (missing.length === 0) return placed.node;
    if (placed.node.ownerId !== viewerOf(actor)) return this.findRemovedBehindMount(actor, placed, missing);
    const [removed] = await this.trash.resolveRemoved(placed.node.spaceId, [ref.path], viewerOf(actor));
    return removed ? located(removed) : null;
  }

  /** Something removed out of a shared folder: the owner's trash knows it by his path, the actor by the one through his mount. */
  private async findRemovedBehindMount(actor: Actor, { node }: PlacedNode, missing: readonly string[]): Promise<LocatedNode | null> {
    const owned = (await this.nodes.locate([node.id], null)).get(node.id);
    if (!owned) return null;
    const path = [...pathSegments(owned.node.path), ...missing];
    const [removed] = await this.trash.resolveRemoved(node.spaceId, [path], viewerOf(actor));
    if (!removed) return null;
    const seen = pathSegments(removed.node.path)
      .slice(-missing.length)
      .reduce((way, name) => (way === '/' ? `/${name}` : `${way}/${name}`), node.path);
    return located({ ...removed, node: { ...removed.node, path: seen, restorePath: removed.node.restorePath === null ? null : seen } });
  }

  /** What others have removed from their folders is shown to those who may bring it back. */
  private async seesRemoved(actor: Actor, folder: LocatedNode): Promise<boolean> {
    return actor.kind !== 'guest' && (await this.access.allowed(actor, 'node.restore', [folder])).has(folder.id);
  }

  /** A node in the trash or inside of something there; what is being erased, or not finished, is not there for anyone. */
  private async findRemovedById(actor: Actor, id: string): Promise<LocatedNode | null> {
    if (!isUuid(id)) return null;
    const placed = (await this.nodes.locate([id], viewerOf(actor))).get(id);
    if (!placed) return null;
    const above = await this.nodes.byIds(placed.chain);
    return above.every((node) => node.removal === null || node.removal === 'trashed') ? located(placed) : null;
  }

  /** A listing that also holds what was removed changes when the trash does. */
  private async etagWithTrash(folder: NodeView): Promise<string> {
    const space = await this.spaceRows.find(folder.spaceId);
    return etagOf(`${folder.id}:${folder.revision}:${space!.trashRevision}`);
  }
}

function sortValue(node: NodeView, orderBy: NodeOrder): string | number {
  if (orderBy === 'modified') return node.modifiedMs;
  return orderBy === 'size' ? node.sizeBytes : segmentKeys([node.name])[0]!;
}

function readCursor(cursor: string, orderBy: NodeOrder, descending: boolean): { value: string | number; id: string } {
  const [order, down, value, id] = decodeCursor(cursor, 4);
  const typed = orderBy === 'name' ? typeof value === 'string' && !value.includes('\0') : typeof value === 'number';
  if (order === orderBy && down === (descending ? 1 : 0) && typed && isUuid(id)) return { value: value as string | number, id };
  throw new DomainError('INVALID_ARGUMENT', 'The cursor belongs to another listing: use the next_cursor of its own last page.');
}
