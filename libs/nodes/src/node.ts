/** How deep a tree may be: the root has depth 0. Every recursive statement stops here as well. */
export const MAX_DEPTH = 128;

/** Most rows that one page holds, also when all are asked for: a folder may have millions of entries, an answer in memory may not. */
const MAX_PAGE_ROWS = 50_000;

/** Rows of one page for a wanted `limit`, where 0 means all. */
export function pageRows(limit: number): number {
  return limit === 0 ? MAX_PAGE_ROWS : Math.min(limit, MAX_PAGE_ROWS);
}

/** How a caller names a node: by the segments of its path in the actor's home space (`[]` = the root), or by id. */
export type NodeRef = { readonly path: readonly string[] } | { readonly id: string };

export type NodeKind = 'folder' | 'file';

/** Why a node is not in its place: the root of something in the trash, being erased, or a copy that is not finished. */
export type Removal = 'trashed' | 'purging' | 'staged';

/** A row of the tree as use cases and presenters see it. Times in ms since the epoch, sizes in bytes. */
export interface NodeView {
  readonly id: string;
  readonly spaceId: string;
  /** Account that owns the space. */
  readonly ownerId: number;
  /** Null only for the root of a space. */
  readonly parentId: string | null;
  readonly kind: NodeKind;
  readonly name: string;
  /** Current version of a file, from 1; 0 for folders. */
  readonly versionNo: number;
  readonly sizeBytes: number;
  readonly md5: string | null;
  readonly mimeType: string | null;
  readonly clientCreatedMs: number | null;
  readonly clientModifiedMs: number | null;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly authorId: number;
  /** Grows with every change of the node or, for a folder, of its listing. */
  readonly revision: number;
  /** Live direct children of a folder, and the size of the files among them. */
  readonly childFiles: number;
  readonly childFolders: number;
  readonly childBytes: number;
  readonly removal: Removal | null;
  readonly removedAtMs: number | null;
  /** The unique name by which the trash knows it. */
  readonly trashName: string | null;
  /** Where it was before it was trashed, as `/a/b`. */
  readonly restorePath: string | null;
  /** Whether the asking account has marked it. */
  readonly favorite: boolean;
  /** It has grants, or may be viewed by its hash, and a feed of its own. */
  readonly shared: boolean;
  /** It has a public link. */
  readonly linked: boolean;
  /** What a folder may hold in all, in bytes; null = not limited. */
  readonly limitBytes: number | null;
  /** The row by which a shared folder of somebody else stands in the viewer's tree; null for everything else. Name, place and dates are the row's. */
  readonly mount: MountRow | null;
}

export interface MountRow {
  readonly id: string;
  readonly spaceId: string;
}

/** A node together with its path: `/a/b` in stored names, `/` for the root. */
export interface LocatedNode extends NodeView {
  readonly path: string;
  /** True when a folder above it is in the trash, and so it is too; `removal` tells only of the node itself. */
  readonly insideTrash?: boolean;
  /** True when a folder above it is offered to its owner's company. */
  readonly inPublished?: boolean;
}

/**
 * A node and the ids of the viewer's way to it, where his paths begin first and itself last. A shared folder of somebody else is in it by its
 * own id, not by the mount's.
 */
export interface PlacedNode {
  readonly node: LocatedNode;
  readonly chain: readonly string[];
  /** False when it or an ancestor has a removal. */
  readonly live: boolean;
  /** Levels below the root of the space that it is in; absent when `chain` begins there. */
  readonly depth?: number;
  /** It, or a folder above it, is shared. Absent when nobody has looked. */
  readonly inShare?: boolean;
  /** False: neither it nor a folder above it has a limit of bytes. Else one may have; ask FolderLimits. */
  readonly limited?: boolean;
}

/** Where a path begins that shall lead to the same place whatever is renamed above: the home root, or the shared folder it goes through. */
export interface PathStart {
  readonly startId: string;
  /** The segments below `startId`, those that exist as they were asked for. */
  readonly rest: readonly string[];
}

/** What a path leads to. `placed` is the deepest node on it that exists; `missing` are the segments below that. */
export interface Resolution extends PathStart {
  readonly placed: PlacedNode;
  readonly missing: readonly string[];
}

/** Depth of a placed node in its own space: 0 for the root. */
export function depthOf(placed: PlacedNode): number {
  return placed.depth ?? placed.chain.length - 1;
}

/** The path of a child of `folder`. */
export function childPath(folder: LocatedNode, name: string): string {
  return folder.path === '/' ? `/${name}` : `${folder.path}/${name}`;
}
