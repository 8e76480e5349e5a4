import type { Media, NodeOrder } from '#libs/nodes';

const ORDERS: Readonly<Record<string, NodeOrder>> = { name: 'name', modified: 'modified', modified_time: 'modified', size: 'size' };

/** `order_by` with a leading `-` for descending; anything unknown is the order by name. */
export function orderOf(orderBy: string | undefined): { readonly orderBy: NodeOrder; readonly descending: boolean } {
  const descending = orderBy?.startsWith('-') ?? false;
  const order = ORDERS[orderBy?.replace(/^-/, '') ?? ''];
  return { orderBy: order ?? 'name', descending: descending && order !== undefined };
}

const KINDS: Readonly<Record<string, Media | 'folder'>> = {
  image: 'image',
  video: 'video',
  audio: 'audio',
  folder: 'folder',
  document: 'other',
  archive: 'other',
  other: 'other',
};

/** The kind of content that a client searches for, or undefined when it names none that we know. */
export function kindOf(type: string | undefined): Media | 'folder' | undefined {
  return type === undefined ? undefined : KINDS[type.split(/[/_]/, 1)[0]!.toLowerCase()];
}
