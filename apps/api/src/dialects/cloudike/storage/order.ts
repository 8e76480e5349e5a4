import type { Media, NodeOrder } from '#libs/nodes';

import { mimePatternOf } from '../presenters/icon.js';

// Maps: a client may name any text, also `constructor`.
const ORDERS: ReadonlyMap<string, NodeOrder> = new Map([
  ['name', 'name'],
  ['modified', 'modified'],
  ['modified_time', 'modified'],
  ['size', 'size'],
]);

/** `order_by` with a leading `-` for descending; anything unknown is the order by name. */
export function orderOf(orderBy: string | undefined): { readonly orderBy: NodeOrder; readonly descending: boolean } {
  const descending = orderBy?.startsWith('-') ?? false;
  const order = ORDERS.get(orderBy?.replace(/^-/, '') ?? '');
  return { orderBy: order ?? 'name', descending: descending && order !== undefined };
}

const KINDS: ReadonlyMap<string, Media | 'folder'> = new Map([
  ['image', 'image'],
  ['video', 'video'],
  ['audio', 'audio'],
  ['folder', 'folder'],
  ['other', 'other'],
]);

/** What a client searches for: a kind of content, the name of an icon, or `document` for all that is read; nothing when it names none that we know. */
export function kindOf(type: string | undefined): { readonly media?: Media | 'folder'; readonly mimePattern?: RegExp } {
  const name = type?.toLowerCase() ?? '';
  const mimePattern = mimePatternOf(name);
  return mimePattern ? { mimePattern } : { media: KINDS.get(name.split('/', 1)[0]!) };
}
