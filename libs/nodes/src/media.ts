import { lookup } from 'mime-types';

import type { Media } from './ledger/media-bytes.js';

/** MIME type that the name of a file suggests; `application/octet-stream` when it suggests none. */
export function mimeTypeOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return (dot >= 0 && lookup(name.slice(dot))) || 'application/octet-stream';
}

/** The kind of content that a MIME type stands for, as the storage statistics count it. */
export function mediaOf(mimeType: string): Media {
  const kind = mimeType.slice(0, mimeType.indexOf('/'));
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'other';
}
