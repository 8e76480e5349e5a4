import type { NodeKind, NodeView } from '../node.js';

/** What happened to a file or folder. Where it happened, every feed above learns of it. */
export type NodeChangeType =
  | 'folder_created'
  | 'folder_deleted'
  | 'folder_renamed'
  | 'folder_moved'
  | 'folder_copied'
  | 'folder_undeleted'
  | 'folder_download'
  | 'folder_shared'
  | 'file_created'
  | 'file_deleted'
  | 'file_renamed'
  | 'file_moved'
  | 'file_copied'
  | 'file_undeleted'
  | 'file_download'
  | 'file_new_content'
  | 'file_version_restored'
  | 'link_created'
  | 'link_deleted'
  | 'extradata_created'
  | 'comment_created'
  | 'comment_changed'
  | 'comment_deleted';

/** What concerns persons: it stands in their own feeds alone. */
export type PersonalChangeType =
  | 'share_invitation_sent'
  | 'share_invitation_accepted'
  | 'share_invitation_declined'
  | 'share_invitation_revoked'
  | 'share_request_sent'
  | 'share_request_accepted'
  | 'share_request_declined'
  | 'folder_collab_removed'
  | 'folder_unshared'
  | 'folder_created'
  | 'folder_deleted'
  | 'trash_cleared'
  | 'metadata_full_listing'
  | 'migration_sent'
  | 'migration_accepted'
  | 'migration_rejected'
  | 'migration_removed'
  | 'comment_tagged'
  | 'comment_task_assigned'
  | 'company_admin_right'
  | 'user_name_changed'
  | 'user_password_changed'
  | 'numerous_failed_login_attempts'
  | 'can_print_changed'
  | 'can_download_changed'
  | 'pc_can_download_changed'
  | 'use_watermarks_changed'
  | 'user_mobile_restriction_changed'
  | 'ip_restriction_changed';

export type ChangeType = NodeChangeType | PersonalChangeType;

export type JsonScalar = string | number | boolean | null;
/** What an event tells beside its place. Small: it is stored once for each feed. */
export interface JsonFacts {
  readonly [key: string]: JsonScalar | JsonFacts | readonly (JsonScalar | JsonFacts)[];
}

/** The part of a node that an event remembers, because it cannot be read later. */
export type ChangedNode = Pick<
  NodeView,
  'id' | 'spaceId' | 'ownerId' | 'kind' | 'versionNo' | 'sizeBytes' | 'mimeType' | 'createdMs' | 'modifiedMs'
> & {
  readonly shared?: boolean;
  /** Present: the change is of the row that stands for a shared folder in the space of a receiver, and of nothing else. */
  readonly mount?: { readonly id: string; readonly spaceId: string } | null;
};

/** One change of the tree, or of something that belongs to a place in it. */
export interface NodeChange {
  readonly type: NodeChangeType;
  /** Who did it; null for a guest or the house itself. */
  readonly actorId: number | null;
  /** The node as it is after the change. */
  readonly node: ChangedNode;
  /** The folder it stands in now, or stood in when it was deleted; null when it is the root of its space itself. */
  readonly folderId: string | null;
  /** Its name in the folder; or its path below it, where the folders between are made by the same statement. */
  readonly name: string;
  /** Where it was before a move or a rename, and what it was there when that differs. */
  readonly old?: { readonly folderId: string; readonly name: string; readonly node?: ChangedNode };
  readonly facts?: JsonFacts;
}

type FileVerb = 'created' | 'deleted' | 'renamed' | 'moved' | 'copied' | 'undeleted' | 'download';

/** The type of a change that files and folders have alike: `file_created`, `folder_moved`, ... */
export function changeOf(verb: FileVerb, node: { readonly kind: NodeKind }): NodeChangeType {
  return `${node.kind}_${verb}`;
}
