import type { FolderListing, Totals } from '#libs/files';
import { childPath, type LocatedNode, type NodeView } from '#libs/nodes';

import { Reply } from '../http/index.js';
import { etagHeader } from './etag.js';
import { humanSize } from './icon.js';
import { type NodeOptions, placeIn, presentAt, presentNode, type Surroundings } from './node.presenter.js';

/** Listings may be kept by their reader if it asks each time whether they still hold. */
const REVALIDATE = { 'Cache-Control': 'private, no-cache' };

/** Headers of an answer that its reader may ask for again by hash. */
export function hashHeaders(hash: string): Record<string, string> {
  return { ETag: etagHeader(hash), ...REVALIDATE };
}

/** The nodes that a listing tells about. */
export function nodesOf(listing: FolderListing | LocatedNode): readonly NodeView[] {
  return 'folder' in listing ? [listing.folder, ...listing.entries] : [listing];
}

/** A folder with its content and hash, a file alone, or 304. */
export function presentMetadata(listing: FolderListing | LocatedNode, around: Surroundings, options: NodeOptions): Reply {
  if (!('folder' in listing)) return Reply.json(200, presentNode(listing, around, options));
  const { folder, etag, notModified, entries, isLastPage, nextCursor } = listing;
  if (notModified) return Reply.notModified(hashHeaders(etag));
  const place = placeIn(folder, around);
  const body = {
    ...presentNode(folder, around, options),
    hash: etag,
    content: entries.map((entry) => presentAt(childPath(folder, entry.name), entry, place, around, options)),
    is_last_page: isLastPage,
    ...(nextCursor === null ? {} : { next_cursor: nextCursor }),
  };
  return Reply.json(200, body, hashHeaders(etag));
}

/** The answer of fileops/folder_info. */
export function presentTotals({ folder, files, folders, bytes }: Totals & { readonly folder: LocatedNode }) {
  return { path: folder.path, size: humanSize(bytes), bytes, files_count: files, folders_count: folders, items_count: files + folders };
}
