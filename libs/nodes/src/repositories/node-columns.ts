import type { NodeView, PlacedNode } from '../node.js';

const PLAIN = `n.id, n.space_id AS "spaceId", s.account_id AS "ownerId", n.parent_id AS "parentId", n.kind, n.name,
  n.current_version_no AS "versionNo", n.size_bytes AS "sizeBytes", n.md5, n.mime_type AS "mimeType", n.client_created_ms AS "clientCreatedMs",
  n.client_modified_ms AS "clientModifiedMs", n.created_ms AS "createdMs", n.modified_ms AS "modifiedMs", n.author_id AS "authorId", n.revision,
  n.child_files AS "childFiles", n.child_folders AS "childFolders", n.child_bytes AS "childBytes", n.removal,
  (extract(epoch FROM n.removed_at) * 1000)::bigint AS "removedAtMs", n.trash_name AS "trashName", n.restore_path AS "restorePath",
  f.node_id IS NOT NULL AS favorite, n.shared, n.linked, n.limit_bytes AS "limitBytes"`;

/** Columns of a node `n` in the space `s` that is no mount, as properties of NodeView, so that a row is a view; `f` is the favourite of the asking account. */
export const NODE_COLUMNS = `${PLAIN}, NULL::json AS mount`;

/** The same of a node that may be a mount, as a NodeRow; `viewer` is the parameter with the asking account. */
export function nodeColumns(viewer: string): string {
  return `${PLAIN}, ${mountTarget(viewer)} AS mount`;
}

/**
 * What a mount `n` shows of the shared folder it stands for, as JSON; `false` when that is not in place, null for all other nodes. The lookup
 * runs for mounts alone.
 */
function mountTarget(viewer: string): string {
  return `CASE WHEN n.mount_of IS NOT NULL THEN coalesce(mount_target(n.mount_of, ${viewer}), 'false'::json) END`;
}

/**
 * The same for the children `n` of the folder `folder`, to be used under the condition that `n` is a mount. All mounts of the folder are looked up
 * at once, when the first is met: planned as a lookup for every row it would make the statement look so dear that it is planned anew each time.
 */
export function mountTargetIn(folder: string, viewer: string): string {
  return `coalesce((
    SELECT json_object_agg(m.id, coalesce(mount_target(m.mount_of, ${viewer}), 'false'::json))
      FROM nodes m WHERE m.parent_id = ${folder} AND m.kind = 'folder' AND m.removal IS NULL AND m.mount_of IS NOT NULL) -> n.id::text, 'false'::json)`;
}

/** What a view of a mount has from the shared folder. */
export type MountTarget = Pick<
  NodeView,
  | 'id'
  | 'spaceId'
  | 'ownerId'
  | 'authorId'
  | 'revision'
  | 'childFiles'
  | 'childFolders'
  | 'childBytes'
  | 'shared'
  | 'linked'
  | 'limitBytes'
  | 'favorite'
>;

/** A row of `nodeColumns`. */
export interface NodeRow extends Omit<NodeView, 'mount'> {
  readonly mount: MountTarget | false | null;
}

/** The row as a view. A hidden mount shows itself, with `mount` telling what it is. */
export function toNode(row: NodeRow): NodeView {
  const { mount } = row;
  if (mount === null) return row as NodeView;
  const place = { id: row.id, spaceId: row.spaceId };
  return mount === false ? { ...row, mount: place } : { ...row, ...mount, mount: place };
}

/** A node with the viewer's way to it. `depth`, `inShare` and `limited` are PlacedNode's. */
export interface PlacedRow extends NodeRow {
  path: string;
  chain: string[];
  depth: number;
  inShare: boolean;
  inPublished?: boolean;
  limited: boolean;
}

/** Splits a row into the node and its way. An empty path is that of the folder in which paths begin. */
export function toPlaced<R extends PlacedRow>(row: R, live: boolean): PlacedNode {
  const { chain, path, depth, inShare, inPublished, limited, ...node } = row;
  const located = { ...toNode(node), path: path === '' ? '/' : path, ...(inPublished ? { inPublished } : {}) };
  return { node: located, chain, live, depth, inShare, limited };
}
