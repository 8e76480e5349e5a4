import { folderEtag } from '#libs/files';
import type { LocatedNode, NodeView } from '#libs/nodes';

import { humanSize, iconOf } from './icon.js';

/** What answers tell about an account that owns or made something. */
export interface Person {
  readonly name: string;
  readonly lang: string;
}

export type People = ReadonlyMap<number, Person>;

export interface NodeOptions {
  /** false leaves `extradata` out. */
  readonly extra?: boolean;
}

/** The account ids whose names the presentation of `nodes` needs. */
export function peopleIn(nodes: readonly NodeView[]): number[] {
  return [...new Set(nodes.flatMap((node) => [node.ownerId, node.authorId]))];
}

/** The metadata object of a node (contract 1.6). */
export function presentNode(node: LocatedNode, people: People, options: NodeOptions = {}) {
  return { path: node.path, owner_path: node.path, ...presentFacts(node, people, options) };
}

/** The metadata object of something in the trash: known by its name there and the place it came from. */
export function presentTrashItem(node: NodeView, people: People, options: NodeOptions = {}) {
  return { name: node.trashName ?? node.name, restore_path: node.restorePath ?? `/${node.name}`, ...presentFacts(node, people, options) };
}

function presentFacts(node: NodeView & Pick<LocatedNode, 'insideTrash'>, people: People, { extra = true }: NodeOptions) {
  const owner = people.get(node.ownerId);
  const author = people.get(node.authorId);
  const kind = node.kind === 'folder' ? folderFacts(node) : fileFacts(node, extra);
  return {
    ...kind,
    created: node.createdMs,
    modified: node.modifiedMs,
    client_data: clientData(node),
    thumbnail: false,
    deleted: isDeleted(node),
    is_in_trash: node.removal === 'trashed' || node.insideTrash === true,
    is_favorite: node.favorite,
    shared: false,
    shared_hash: null,
    public_hash: '',
    public_link: false,
    company_published: false,
    parent_company_published: false,
    owner: node.ownerId,
    owner_name: owner?.name ?? '',
    author: node.authorId,
    author_name: author?.name ?? '',
    author_lang: author?.lang ?? 'en',
    role: 'owner',
  };
}

function folderFacts(node: NodeView) {
  return { folder: true, size: humanSize(0), bytes: 0, version: 0, icon: 'folder', hash: folderEtag(node) };
}

function fileFacts(node: NodeView, extra: boolean) {
  const mimeType = node.mimeType ?? 'application/octet-stream';
  return {
    folder: false,
    size: humanSize(node.sizeBytes),
    bytes: node.sizeBytes,
    checksum: node.md5,
    version: node.versionNo,
    mime_type: mimeType,
    icon: iconOf(mimeType),
    ...(extra ? { extradata: {} } : {}),
  };
}

/** True for what is not in its place any more: removed itself, or together with a folder above it. */
export function isDeleted(node: Pick<LocatedNode, 'removal' | 'insideTrash'>): boolean {
  return node.removal !== null || node.insideTrash === true;
}

/** The dates that the client supplied, and only those. */
export function clientData(node: Pick<NodeView, 'clientCreatedMs' | 'clientModifiedMs'>): { created?: number; modified?: number } {
  return {
    ...(node.clientCreatedMs === null ? {} : { created: node.clientCreatedMs }),
    ...(node.clientModifiedMs === null ? {} : { modified: node.clientModifiedMs }),
  };
}
