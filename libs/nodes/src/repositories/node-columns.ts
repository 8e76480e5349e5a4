import type { NodeView, PlacedNode } from '../node.js';

/** Columns of a node `n` in the space `s` as properties of NodeView, so that a row is a view; `f` is the favourite of the asking account. */
export const NODE_COLUMNS = `n.id, n.space_id AS "spaceId", s.account_id AS "ownerId", n.parent_id AS "parentId", n.kind, n.name,
  n.current_version_no AS "versionNo", n.size_bytes AS "sizeBytes", n.md5, n.mime_type AS "mimeType", n.client_created_ms AS "clientCreatedMs",
  n.client_modified_ms AS "clientModifiedMs", n.created_ms AS "createdMs", n.modified_ms AS "modifiedMs", n.author_id AS "authorId", n.revision,
  n.child_files AS "childFiles", n.child_folders AS "childFolders", n.child_bytes AS "childBytes", n.removal,
  (extract(epoch FROM n.removed_at) * 1000)::bigint AS "removedAtMs", n.trash_name AS "trashName", n.restore_path AS "restorePath",
  f.node_id IS NOT NULL AS favorite`;

export interface PlacedRow extends NodeView {
  path: string;
  chain: string[];
}

/** Splits a row into the node and its way. An empty path is the root's. */
export function toPlaced<R extends PlacedRow>(row: R, live: boolean): PlacedNode {
  const { chain, path, ...node } = row;
  return { node: { ...node, path: path === '' ? '/' : path }, chain, live };
}
