import type { LocatedNode, Version } from '#libs/nodes';

/** A version in the list of a file's versions. Times in seconds, as this one list has them. */
export function presentVersion(version: Version) {
  return {
    id: version.id,
    content: { size: version.sizeBytes },
    version: version.no,
    type: typeOf(version),
    timestamp: version.createdAtMs / 1000,
    ...(version.restoredFromAtMs === null ? {} : { restored_timestamp: version.restoredFromAtMs / 1000 }),
  };
}

/** A step on the way from a client's version to the current one. */
export function presentUpdate(version: Version) {
  return {
    content: { size: version.sizeBytes },
    ...(version.diffBytes === null ? {} : { diff: { size: version.diffBytes } }),
    version: version.no,
    type: typeOf(version),
    id: version.id,
  };
}

/** A file as it was in one of its versions. */
export function asOf(node: LocatedNode, version: Version): LocatedNode {
  return {
    ...node,
    versionNo: version.no,
    sizeBytes: version.sizeBytes,
    md5: version.md5,
    mimeType: version.mimeType,
    clientCreatedMs: version.clientCreatedMs,
    clientModifiedMs: version.clientModifiedMs,
    modifiedMs: version.clientModifiedMs ?? version.createdAtMs,
    authorId: version.authorId,
  };
}

function typeOf({ origin }: Version): 'from_diff' | 'full' {
  return origin === 'diff' ? 'from_diff' : 'full';
}
