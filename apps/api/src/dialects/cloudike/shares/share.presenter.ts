import type { Collaborator, OfferedFolder, OutgoingItem, PendingInvitation, PendingRequest, Shared } from '#libs/shares';

import { Reply } from '../http/index.js';

/** shares/add: the hash that accepts, or nothing at all when it was shared with the member already. */
export function presentShared({ hash, login }: Shared) {
  return hash === null ? Reply.text('application/json; charset=utf-8', '') : { hash, login: login ?? '' };
}

export function presentCollaborator({ accountId, person, owner, writer, state, indirect }: Collaborator) {
  return { owner, writer, status: state, userid: accountId, login: person.login, name: person.name, is_indirect: indirect };
}

export function presentInvite({ hash, write, folderName, ownerName, ownerId, message }: PendingInvitation) {
  return { hash, writer: write, directory_name: folderName, owner_name: ownerName, owner_id: ownerId, invitation: message };
}

export function presentOffer(folder: OfferedFolder) {
  return {
    owner_id: folder.ownerId,
    owner_name: folder.ownerName,
    public_name: folder.publicName,
    folder_hash: folder.folderHash,
    collaborators_count: folder.collaborators,
    creation_date: folder.createdMs,
    modification_time: folder.modifiedMs,
    status: folder.status,
    path: folder.path,
    company_published: true,
    shared: true,
    folder: true,
    icon: 'folder',
  };
}

/** `owner_*` is the folder's owner, as in the source; `user_*` who asks for it. */
export function presentRequest(request: PendingRequest) {
  return {
    owner_id: request.ownerId,
    owner_name: request.ownerName,
    directory_name: request.folderName,
    writer: false,
    hash: request.hash,
    user_id: request.requesterId,
    user_name: request.requesterName,
    invitation: request.message,
  };
}

export function presentOutgoing(item: OutgoingItem) {
  return {
    bytes: item.bytes,
    creation_time: item.createdMs,
    modification_time: item.modifiedMs,
    owner_id: item.ownerId,
    owner_name: item.ownerName,
    shared_outside: item.outside,
    src_path: item.path,
    type: item.type,
  };
}
