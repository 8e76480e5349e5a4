import { DomainError, sha256 } from '#libs/kernel';

import { MAX_DEPTH } from './node.js';

/** Longest name in bytes of UTF-8. */
export const MAX_NAME_BYTES = 255;

const UNSTORABLE = /\0|[\ud800-\udfff]/u;
const CONTROL = /\p{Cc}/u;

/**
 * The form of a name by which siblings are told apart and found: canonical composition and lower case, the same in every locale. Two
 * names with one key cannot stand in one folder.
 */
export function nameKey(name: string): string {
  // A final sigma is a matter of position, not of identity. Lower-casing can leave marks that compose again.
  return name.normalize('NFC').toLowerCase().replaceAll('ς', 'σ').normalize('NFC');
}

/** Returns the name when it is legal. Throws NAME_ILLEGAL with the reason; `details.reason` is a word for machines. */
export function checkName(name: string): string {
  const refuse = (reason: string, message: string): never => {
    throw new DomainError('NAME_ILLEGAL', message, { reason });
  };
  if (name === '') refuse('empty', 'A name cannot be empty.');
  if (name === '.' || name === '..') refuse('dots', 'A name cannot be "." or "..".');
  if (name.includes('/')) refuse('slash', 'A name cannot hold "/".');
  if (CONTROL.test(name)) refuse('control', 'A name cannot hold control characters.');
  if (UNSTORABLE.test(name)) refuse('surrogate', 'A name must be valid Unicode.');
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) refuse('long', `A name cannot be longer than ${MAX_NAME_BYTES} bytes.`);
  return name;
}

/** The keys by which the segments of a path are looked up. A segment that no stored name can equal gets a key that none has. */
export function segmentKeys(path: readonly string[]): string[] {
  return path.map((segment) => (UNSTORABLE.test(segment) ? '' : nameKey(segment)));
}

/** One key for a whole path, for comparing paths without regard to case and composition. */
export function pathKey(path: readonly string[]): string {
  return segmentKeys(path).join('/');
}

/** The key by which a trashed node is found under the path where it was, whatever its length; case and composition do not matter. */
export function restoreKey(path: readonly string[]): string {
  return digest(pathKey(path));
}

/** The restore keys of every folder on a path and of what it leads to; a path deeper than any tree has none. */
export function restoreKeys(path: readonly string[]): string[] {
  if (path.length > MAX_DEPTH) return [];
  let way = '';
  return segmentKeys(path).map((key, index) => {
    way = index === 0 ? key : `${way}/${key}`;
    return digest(way);
  });
}

function digest(way: string): string {
  return sha256(way).toString('hex').slice(0, 32);
}

/** The segments of a stored path such as `/a/b`; `[]` for `/`. */
export function pathSegments(path: string): string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}

/** `name (1).ext`: the number goes before the extension of a file and behind a folder's name; the stem is cut where 255 bytes would not do. */
export function numberedName(name: string, mark: number | string, kind: 'folder' | 'file'): string {
  const extension = kind === 'file' ? extensionOf(name) : '';
  const suffix = ` (${mark})${extension}`;
  return cutToBytes(name.slice(0, name.length - extension.length), MAX_NAME_BYTES - Buffer.byteLength(suffix)) + suffix;
}

/** The name cut to the length that a name can have, whole characters, a file's extension kept; itself when it fits. */
export function fittingName(name: string, kind: 'folder' | 'file'): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const extension = kind === 'file' ? extensionOf(name) : '';
  return cutToBytes(name.slice(0, name.length - extension.length), MAX_NAME_BYTES - Buffer.byteLength(extension)) + extension;
}

/** The last extension with its dot; empty when there is none. One that is the whole name, or most of it, is none. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 && Buffer.byteLength(name) - Buffer.byteLength(name.slice(0, dot)) <= 32 ? name.slice(dot) : '';
}

function cutToBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  let bytes = 0;
  let kept = '';
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    kept += character;
  }
  return kept;
}

/** Names for a copy that do not clash: `a (1).txt` and on, in growing portions. */
export function numberedCandidates(name: string, kind: 'folder' | 'file', from: number, count: number): { name: string; nameKey: string }[] {
  return Array.from({ length: count }, (_, index) => {
    const candidate = numberedName(name, from + index, kind);
    return { name: candidate, nameKey: nameKey(candidate) };
  });
}
