import { Injectable } from '@nestjs/common';

import { DomainError, newId } from '#libs/kernel';

import type { NodeChange } from './changes/change.js';
import { ChangeLog } from './changes/change-log.js';
import { checkName, nameKey } from './names.js';
import { childPath, depthOf, MAX_DEPTH, type LocatedNode, type PlacedNode, type Resolution } from './node.js';
import { type FolderToInsert, NodeRepository } from './repositories/node.repository.js';

export interface MakeFolders {
  /** The home in which `path` begins. */
  readonly spaceId: string;
  /** Where `path` begins instead: a folder, live or NODE_NOT_FOUND. */
  readonly startId?: string | null;
  readonly path: readonly string[];
  readonly authorId: number;
  readonly viewerId: number | null;
  /** Whom the feeds name for what is made, null for a guest; undefined: the feeds are not told. */
  readonly makerId?: number | null;
  readonly nowMs: number;
  /** Dates of the last folder when it is new. */
  readonly clientCreatedMs?: number | null;
  readonly clientModifiedMs?: number | null;
  /** False: only the last folder may be missing. Default true. */
  readonly createParents?: boolean;
  /** True: NAME_TAKEN when anything is at `path`. */
  readonly mustBeNew?: boolean;
}

/** Makes folders along a path, and tells of them. */
@Injectable()
export class FolderMaker {
  constructor(
    private readonly nodes: NodeRepository,
    private readonly changes: ChangeLog,
  ) {}

  /**
   * The folder at `path`, made with the parents it lacks. Safe when several callers make the same path at once: `created` is true for one
   * of them. All is written by one statement, the news too; in a transaction call it as late as can be, because it holds the folder it begins in until the
   * end. They go into the space of the folder they begin in, which is another one behind a mount. `mayMakeIn` is asked about that folder before anything is written. NOT_A_FOLDER, NAME_ILLEGAL, TREE_TOO_DEEP, PARENT_NOT_FOUND, NAME_TAKEN.
   */
  async ensure(command: MakeFolders, mayMakeIn?: (folder: LocatedNode) => Promise<void>): Promise<{ folder: PlacedNode; created: boolean }> {
    for (;;) {
      const { placed, missing } = await this.resolve(command);
      if (missing.length === 0 && command.mustBeNew) throw new DomainError('NAME_TAKEN', `"${placed.node.path}" already exists.`);
      if (placed.node.kind !== 'folder') throw new DomainError('NOT_A_FOLDER', `"${placed.node.path}" is not a folder.`);
      if (missing.length === 0) return { folder: placed, created: false };
      await mayMakeIn?.(placed.node);
      const made = await this.make(command, placed, missing);
      if (made) return { folder: made, created: true };
      // A mount has its name also while the way through it is closed.
      const occupant = await this.nodes.findChild(placed.node.id, nameKey(missing[0]!));
      if (occupant?.mount) throw new DomainError('NAME_TAKEN', `"${childPath(placed.node, occupant.name)}" already exists.`);
    }
  }

  private async resolve({ startId, spaceId, path, viewerId }: MakeFolders): Promise<Resolution> {
    if (!startId) return this.nodes.resolvePath(spaceId, path, viewerId);
    const resolution = await this.nodes.resolveFrom(startId, path, viewerId);
    if (!resolution) throw new DomainError('NODE_NOT_FOUND', 'The folder does not exist any more.');
    return resolution;
  }

  /** Null when somebody else has just made the first of the missing folders. */
  private async make(command: MakeFolders, top: PlacedNode, missing: readonly string[]): Promise<PlacedNode | null> {
    if (missing.length > 1 && command.createParents === false) throw new DomainError('PARENT_NOT_FOUND', 'The folder above does not exist.');
    missing.forEach((name) => checkName(name));
    if (depthOf(top) + missing.length > MAX_DEPTH) throw new DomainError('TREE_TOO_DEEP', `Folders can be nested ${MAX_DEPTH} deep.`);
    let parentId = top.node.id;
    const folders = missing.map((name, index): FolderToInsert => {
      const last = index === missing.length - 1;
      const folder = {
        id: newId(command.nowMs),
        parentId,
        name,
        nameKey: nameKey(name),
        clientCreatedMs: last ? (command.clientCreatedMs ?? null) : null,
        clientModifiedMs: last ? (command.clientModifiedMs ?? null) : null,
        childFolders: last ? 0 : 1,
      };
      parentId = folder.id;
      return folder;
    });
    const made = newFolder(command, top, folders);
    const news = command.makerId === undefined ? [] : foldersMade(command.makerId, made.node, top.node.id, folders);
    const { inserted } = await this.changes.recordIn(news, (told) =>
      this.nodes.insertFolders(top.node.spaceId, folders, command.authorId, command.nowMs, told),
    );
    return inserted ? made : null;
  }
}

/** The news of folders made one in the other, each by its path below the one that was there. */
function foldersMade(actorId: number | null, last: LocatedNode, topId: string, folders: readonly FolderToInsert[]): NodeChange[] {
  return folders.map(({ id }, index) => {
    const path = folders.slice(0, index + 1).map((folder) => folder.name);
    return { type: 'folder_created', actorId, node: { ...last, id }, folderId: topId, name: path.join('/') };
  });
}

/** The view of a folder that has just been inserted, without asking for it again. */
function newFolder(command: MakeFolders, top: PlacedNode, folders: readonly FolderToInsert[]): PlacedNode {
  const last = folders[folders.length - 1]!;
  const base = top.node.path === '/' ? '' : top.node.path;
  const node: LocatedNode = {
    id: last.id,
    spaceId: top.node.spaceId,
    ownerId: top.node.ownerId,
    parentId: last.parentId,
    kind: 'folder',
    name: last.name,
    versionNo: 0,
    sizeBytes: 0,
    md5: null,
    mimeType: null,
    clientCreatedMs: last.clientCreatedMs,
    clientModifiedMs: last.clientModifiedMs,
    createdMs: last.clientCreatedMs ?? command.nowMs,
    modifiedMs: last.clientModifiedMs ?? command.nowMs,
    authorId: command.authorId,
    revision: 1,
    childFiles: 0,
    childFolders: 0,
    childBytes: 0,
    removal: null,
    removedAtMs: null,
    trashName: null,
    restorePath: null,
    favorite: false,
    shared: false,
    linked: false,
    limitBytes: null,
    mount: null,
    path: `${base}/${folders.map((folder) => folder.name).join('/')}`,
  };
  const chain = [...top.chain, ...folders.map((folder) => folder.id)];
  return { node, chain, live: true, depth: depthOf(top) + folders.length, inShare: top.inShare ?? false, limited: top.limited ?? true };
}
