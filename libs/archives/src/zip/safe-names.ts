import { hash } from 'node:crypto';

export interface SafeNameOptions {
  /** The archive is to be opened on Windows: its reserved names and characters are replaced, names are unique without regard to case. */
  windows: boolean;
}

const MAX_SEGMENT_BYTES = 255;
const MAX_EXTENSION_BYTES = 32;
/** C0, DEL, C1 controls and halves of surrogate pairs: nothing a file system should be given. */
const UNSAFE_EVERYWHERE = /[\p{Cc}\p{Cs}/\\]/gu;
const UNSAFE_ON_WINDOWS = /[<>:"|?*]/g;
const WINDOWS_DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])$/i;

/**
 * One path of an archive from the names of its folders and file: never absolute, never upwards, never empty, each name at most 255
 * bytes. Names that are safe stay byte for byte. Says nothing about uniqueness: see ArchiveNames.
 */
export function safeArchivePath(segments: readonly string[], options: SafeNameOptions): string {
  const safe = segments.map((segment, index) => safeSegment(segment, index === 0, options));
  return safe.length === 0 ? '_' : safe.join('/');
}

/**
 * Gives every entry of one archive a safe path that no other entry has: `a (1).txt` beside `a.txt`. The same calls in the same order
 * give the same paths. Remembers 16 bytes of hash an entry instead of the path; equal hashes would only add a needless number.
 */
export class ArchiveNames {
  private readonly taken = new HashSet();
  /** For names that already collided: the next number to try, so that many equal names do not search from 1 again. */
  private readonly nextNumber = new Map<string, number>();

  constructor(private readonly options: SafeNameOptions) {}

  /** Safe, unique path of `name` inside `parentPath`, which is '' or an answer of an earlier call for the folder. */
  place(parentPath: string, name: string, kind: 'file' | 'folder'): string {
    const safe = safeSegment(name, parentPath === '', this.options);
    const prefix = parentPath === '' ? '' : `${parentPath}/`;
    if (this.taken.add(this.hashOf(prefix + safe))) return prefix + safe;
    const collided = this.hashOf(prefix + safe).toString('latin1');
    for (let number = this.nextNumber.get(collided) ?? 1; ; number += 1) {
      const path = prefix + numbered(safe, number, kind);
      if (!this.taken.add(this.hashOf(path))) continue;
      this.nextNumber.set(collided, number + 1);
      return path;
    }
  }

  private hashOf(path: string): Buffer {
    // Upper then lower case folds what a single step leaves apart; folding more than Windows does only adds a number.
    const key = this.options.windows ? path.normalize('NFC').toUpperCase().toLowerCase() : path;
    return hash('sha256', key, 'buffer');
  }
}

function safeSegment(name: string, first: boolean, { windows }: SafeNameOptions): string {
  let safe = name.replace(UNSAFE_EVERYWHERE, '_');
  if (windows) {
    safe = safe.replace(UNSAFE_ON_WINDOWS, '_');
  } else if (first && /^[a-z]:/i.test(safe)) {
    safe = `${safe.slice(0, 1)}_${safe.slice(2)}`;
  }
  if (windows) {
    safe = withoutTail(safe);
    const stem = safe.split('.', 1)[0] ?? '';
    if (WINDOWS_DEVICE.test(stem.trim())) safe = `_${safe}`;
  }
  safe = shortened(safe, '', true);
  if (windows) safe = withoutTail(safe); // the cut may have ended at a dot or space
  if (safe === '') return '_';
  return safe === '.' || safe === '..' ? safe.replaceAll('.', '_') : safe;
}

/** Windows drops dots and spaces at the end of a name by itself, so two names could become one. */
function withoutTail(name: string): string {
  return name.replace(/[. ]+$/, '');
}

function numbered(name: string, number: number, kind: 'file' | 'folder'): string {
  return shortened(name, ` (${number})`, kind === 'file');
}

/** `name` with `suffix` before its extension, cut between characters so that it stays within 255 bytes. */
function shortened(name: string, suffix: string, keepExtension: boolean): string {
  if (suffix === '' && Buffer.byteLength(name) <= MAX_SEGMENT_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const hasExtension = keepExtension && dot > 0 && Buffer.byteLength(name.slice(dot)) <= MAX_EXTENSION_BYTES;
  const extension = hasExtension ? name.slice(dot) : '';
  const stem = hasExtension ? name.slice(0, dot) : name;
  const room = MAX_SEGMENT_BYTES - Buffer.byteLength(suffix) - Buffer.byteLength(extension);
  return cutToBytes(stem, room) + suffix + extension;
}

function cutToBytes(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > limit) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** Open-addressing set of 64-bit hashes: 16 to 32 bytes an element where a Set of strings takes 100 and more. */
class HashSet {
  /** Two words a slot; both 0 marks a free one. */
  private slots = new Uint32Array(2048);
  private size = 0;

  /** Adds the first 8 bytes of `digest`; false when they were there already. */
  add(digest: Buffer): boolean {
    if (this.size * 4 >= this.slots.length) this.grow();
    if (!this.insert(digest.readUInt32LE(0) | 1, digest.readUInt32LE(4))) return false;
    this.size += 1;
    return true;
  }

  private insert(low: number, high: number): boolean {
    const { slots } = this;
    const mask = slots.length - 2;
    for (let at = (high << 1) & mask; ; at = (at + 2) & mask) {
      if (slots[at] === low >>> 0 && slots[at + 1] === high) return false;
      if (slots[at] !== 0) continue; // the low word of an element is odd
      slots[at] = low;
      slots[at + 1] = high;
      return true;
    }
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) if (old[at] !== 0) this.insert(old[at] ?? 0, old[at + 1] ?? 0);
  }
}
