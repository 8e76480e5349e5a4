import type { Entry, SpotFacts, SpotRights, Step } from '#libs/places';

import { aliasOf, placeTitle } from './spot.js';

/** Details of a node or place (contract F12). Places that are lists have no dates of their own. */
export function presentFacts({ place, node, owner }: SpotFacts) {
  return {
    name: place ? placeTitle(place) : node!.name,
    type: !node || node.kind === 'folder' ? 'Dir' : 'File',
    uuid: place ? aliasOf(place) : node!.id,
    owner_type: owner.kind === 'group' ? 'Group' : 'User',
    owner_uuid: owner.publicId,
    owner_fullname: owner.name,
    created: node?.createdMs ?? 0,
    updated: node?.modifiedMs ?? 0,
  };
}

/** One line of a listing (contract F14): the size of a folder is the number of what it holds. */
export function presentEntry({ node, grants, links, comments }: Entry) {
  const isFile = node.kind === 'file';
  return {
    is_starred: node.favorite,
    public_shares: links,
    name: node.name,
    size: isFile ? node.sizeBytes : node.childFiles + node.childFolders,
    comment_count: comments,
    uuid: node.id,
    private_shares: grants,
    ...(isFile ? { revision: node.versionNo } : {}),
    updated: node.modifiedMs,
    type: isFile ? 'File' : 'Dir',
  };
}

/** One step of the way to a node (contract F13). */
export function presentStep(step: Step) {
  return 'place' in step ? { name: placeTitle(step.place), uuid: aliasOf(step.place) } : { name: step.name, uuid: step.id };
}

/** What the caller may do (contract F16). */
export function presentRights(rights: SpotRights): string[] {
  return (['read', 'write', 'delete', 'download'] as const).filter((right) => rights[right]);
}
