import type { AccountActor } from '#libs/kernel';
import type { ChangedNode, JsonFacts, Mount, NodeView } from '#libs/nodes';

/** A change of the row by which a shared folder stands in a member's home, and of nothing else. */
export function mountNode({ id, spaceId, ownerId }: NodeView, mount: Mount): ChangedNode {
  const { createdMs, modifiedMs } = mount;
  const row = { id: mount.id, spaceId: mount.spaceId };
  return { id, spaceId, ownerId, kind: 'folder', versionNo: 0, sizeBytes: 0, mimeType: null, createdMs, modifiedMs, shared: true, mount: row };
}

/** What events about a shared folder tell of it. */
export function folderFacts({ ownerId, name, createdMs, modifiedMs }: NodeView): JsonFacts {
  return { kind: 'folder', owner: ownerId, created: createdMs, modified: modifiedMs, directory_name: name };
}

/** Somebody in whose name the house works. */
export function actorOf(accountId: number): AccountActor {
  return { kind: 'account', accountId, companyId: null, role: 'user', tokenId: null };
}
