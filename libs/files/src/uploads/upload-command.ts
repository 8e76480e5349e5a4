import { DomainError } from '#libs/kernel';
import { checkName } from '#libs/nodes';

/** What a caller asks for when a file is to be uploaded. Times in ms since the epoch. */
export interface CreateUpload {
  /** Segments of the file's path in the actor's home. */
  readonly path: readonly string[];
  /** True: an existing file gets a new version. False: it is a conflict. */
  readonly overwrite: boolean;
  /** The version the caller takes for current; 0 = not given. */
  readonly expectedVersionNo?: number;
  /** False: the folder above must exist. */
  readonly createParents: boolean;
  readonly clientCreatedMs?: number;
  readonly clientModifiedMs?: number;
  readonly deviceId?: string;
  readonly deviceReference?: string;
  /** Size that the bytes must have; reserved at once. */
  readonly sizeBytes?: number;
  /** MD5 that the bytes must have, as hex of either case. */
  readonly md5?: string;
  /** True: the bytes may come in parts. */
  readonly multipart: boolean;
}

/** How the bytes of a session are a delta, and what has been made of it. */
export interface DiffPlan {
  readonly baseVersionNo: number;
  /** CRC-32 of the base that the client has, unsigned. */
  readonly baseCrc32: number;
  /** The object that the delta has made, once it has; the session holds it then. */
  readonly made?: { readonly storeKey: string; readonly diffBytes: number };
}

/** The command as it is kept with the session: what confirming needs, checked. */
export interface UploadPlan {
  readonly path: readonly string[];
  readonly overwrite: boolean;
  readonly expectedVersionNo: number;
  readonly createParents: boolean;
  readonly clientCreatedMs: number | null;
  readonly clientModifiedMs: number | null;
  readonly deviceId: string | null;
  readonly deviceReference: string | null;
  readonly authorId: number;
  /** Set when the bytes are a delta (VCDIFF) against a version of the file. */
  readonly diff?: DiffPlan;
}

/** Times that both JavaScript and the protocols can express. */
const MAX_TIME_MS = 8.64e15;
const MAX_TEXT = 1024;
const UNSTORABLE = /\0|[\ud800-\udfff]/u;
const MD5 = /^[0-9a-f]{32}$/;

/** The checked plan. NAME_ILLEGAL, VERSION_INVALID, INVALID_ARGUMENT. */
export function planUpload(command: CreateUpload, authorId: number): UploadPlan {
  const { path, overwrite, createParents } = command;
  if (path.length === 0) throw new DomainError('NAME_TAKEN', 'The root folder is not a file.');
  path.forEach((name) => checkName(name));
  return {
    path,
    overwrite,
    createParents,
    expectedVersionNo: versionNumber(command.expectedVersionNo ?? 0),
    clientCreatedMs: time('created', command.clientCreatedMs),
    clientModifiedMs: time('modified', command.clientModifiedMs),
    deviceId: text('device_id', command.deviceId),
    deviceReference: text('device_reference', command.deviceReference),
    authorId,
  };
}

/** Declared size in bytes, or null. INVALID_ARGUMENT. */
export function declaredSize(sizeBytes: number | undefined): number | null {
  if (sizeBytes === undefined) return null;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw new DomainError('INVALID_ARGUMENT', 'The size must be a whole number of bytes.');
  return sizeBytes;
}

/** Declared MD5 in lower case, or null. INVALID_ARGUMENT. */
export function declaredMd5(md5: string | undefined): string | null {
  if (md5 === undefined) return null;
  const lower = md5.toLowerCase();
  if (!MD5.test(lower)) throw new DomainError('INVALID_ARGUMENT', 'The checksum must be an MD5 as 32 hexadecimal digits.');
  return lower;
}

/** VERSION_INVALID unless `value` is a whole number that is not negative. */
export function versionNumber(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new DomainError('VERSION_INVALID', 'A version is a whole number from 1.');
  return value;
}

function time(name: string, value: number | undefined): number | null {
  if (value === undefined) return null;
  if (!Number.isSafeInteger(value) || Math.abs(value) > MAX_TIME_MS) {
    throw new DomainError('INVALID_ARGUMENT', `"${name}" must be a time in whole milliseconds since 1970.`);
  }
  return value;
}

function text(name: string, value: string | undefined): string | null {
  if (value === undefined || value === '') return null;
  // What PostgreSQL cannot store, and what nobody's device is called.
  if (value.length > MAX_TEXT || UNSTORABLE.test(value)) {
    throw new DomainError('INVALID_ARGUMENT', `"${name}" must be a text of at most ${MAX_TEXT} characters.`);
  }
  return value;
}
