import { DomainError, newId } from '#libs/kernel';
import {
  childPath,
  depthOf,
  type LocatedNode,
  MAX_DEPTH,
  mediaOf,
  mimeTypeOf,
  nameKey,
  type FileToWrite,
  type Resolution,
  type VersionOrigin,
} from '#libs/nodes';

import type { AskedPlan, UploadPlan } from './upload-command.js';

/** Where a file is going to be: in an existing folder, or below folders that are still to be made. */
export interface FilePlace {
  /** The deepest existing folder on the way. */
  readonly folder: LocatedNode;
  /** Folders missing below it. */
  readonly missingFolders: readonly string[];
  /** Name that the file has or gets. */
  readonly name: string;
  /** The file there, which gets a new version; null for a new file. */
  readonly existing: LocatedNode | null;
  /** False: no folder on the way has a limit of its own. */
  readonly limited: boolean;
}

/**
 * Judges where the path of a plan leads. NAME_TAKEN (a file that is not to be overwritten, or a folder; a file where a folder is needed),
 * PARENT_NOT_FOUND, VERSION_CONFLICT, VERSION_INVALID, TREE_TOO_DEEP.
 */
export function placeOf(plan: AskedPlan, { placed, missing }: Pick<Resolution, 'placed' | 'missing'>): FilePlace {
  const { node, limited = true } = placed;
  if (missing.length === 0) {
    if (node.kind === 'folder') throw new DomainError('NAME_TAKEN', 'A folder with this name already exists.');
    judgeVersion(plan, node.versionNo);
    if (!plan.overwrite) throw new DomainError('NAME_TAKEN', 'A file with this name already exists.', { versionNo: node.versionNo });
    return { folder: node, missingFolders: [], name: node.name, existing: node, limited };
  }
  if (node.kind === 'file') {
    if (plan.createParents) throw new DomainError('NAME_TAKEN', `"${node.path}" is a file, so no folder can have its name.`);
    throw new DomainError('PARENT_NOT_FOUND', 'The folder does not exist.');
  }
  if (missing.length > 1 && !plan.createParents) throw new DomainError('PARENT_NOT_FOUND', 'The folder does not exist.');
  if (depthOf(placed) + missing.length > MAX_DEPTH) throw new DomainError('TREE_TOO_DEEP', `Folders can be nested ${MAX_DEPTH} deep.`);
  judgeVersion(plan, 0);
  return { folder: node, missingFolders: missing.slice(0, -1), name: missing[missing.length - 1]!, existing: null, limited };
}

function judgeVersion({ expectedVersionNo }: AskedPlan, currentNo: number): void {
  if (expectedVersionNo === 0 || expectedVersionNo === currentNo) return;
  if (expectedVersionNo > currentNo) throw new DomainError('VERSION_INVALID', 'The file has no such version.', { versionNo: currentNo });
  throw new DomainError('VERSION_CONFLICT', 'The file has a newer version.', { versionNo: currentNo });
}

/** The row to write for a plan at its place. `folderId` is the folder that takes a new file. */
export function fileAt(
  plan: UploadPlan,
  place: FilePlace,
  folderId: string,
  blobId: string,
  nowMs: number,
  origin: VersionOrigin = 'upload',
): FileToWrite {
  const { name } = place;
  const mimeType = mimeTypeOf(name);
  return {
    nodeId: place.existing?.id ?? newId(nowMs),
    versionId: newId(nowMs),
    blobId,
    spaceId: place.folder.spaceId,
    parentId: place.existing?.parentId ?? folderId,
    name,
    nameKey: nameKey(name),
    mimeType,
    media: mediaOf(mimeType),
    origin,
    diffBytes: null,
    clientCreatedMs: plan.clientCreatedMs,
    clientModifiedMs: plan.clientModifiedMs,
    authorId: plan.authorId,
    deviceId: plan.deviceId,
    deviceReference: plan.deviceReference,
    restoredFromMs: null,
    seenVersionNo: place.existing?.versionNo ?? 0,
    onlyAfterSeen: plan.expectedVersionNo > 0,
  };
}

/** Path of the file: what is there keeps its stored name. */
export function pathAt(place: FilePlace, folder: LocatedNode, name: string): string {
  return place.existing?.path ?? childPath(folder, name);
}
