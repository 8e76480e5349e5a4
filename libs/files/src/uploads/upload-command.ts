import { type AccountActor, type Actor, DomainError, type GuestActor } from '#libs/kernel';
import { checkName, type UploadSession } from '#libs/nodes';

/** What a caller asks for when a file is to be uploaded. Times in ms since the epoch. */
export interface CreateUpload {
  /** Segments of the file's path as the actor sees it: in his home, or below what his pass opens, or below `folderId`. */
  readonly path: readonly string[];
  /** The folder in which `path` begins, wherever it stands. */
  readonly folderId?: string;
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
  /** `rename`: a name that is taken gets a number, whatever `overwrite` says. Guests have no other way. */
  readonly onConflict?: 'rename';
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
  /** The folder in which `path` begins: the home root, or a shared folder, whatever becomes of the names above it. */
  readonly startId: string;
  /** Segments below `startId`. */
  readonly path: readonly string[];
  readonly overwrite: boolean;
  readonly expectedVersionNo: number;
  readonly createParents: boolean;
  readonly clientCreatedMs: number | null;
  readonly clientModifiedMs: number | null;
  readonly deviceId: string | null;
  readonly deviceReference: string | null;
  readonly authorId: number;
  /** Who started it without an account: his pass is looked up again at every step. */
  readonly guest?: GuestActor;
  /** `rename`: a name that is taken gets a number, and nothing is ever replaced. */
  readonly onConflict?: 'rename';
  /** Set when the bytes are a delta (VCDIFF) against a version of the file. */
  readonly diff?: DiffPlan;
}

/** Times that both JavaScript and the protocols can express. */
const MAX_TIME_MS = 8.64e15;
const MAX_TEXT = 1024;
const UNSTORABLE = /\0|[\ud800-\udfff]/u;
const MD5 = /^[0-9a-f]{32}$/;

/** A plan whose path is still the actor's own, before it is known where it begins. */
export type AskedPlan = Omit<UploadPlan, 'startId'>;

/** The checked plan; a guest never replaces anything. NAME_ILLEGAL, VERSION_INVALID, INVALID_ARGUMENT. */
export function planUpload(command: CreateUpload, actor: UploadActor): AskedPlan {
  const { path, createParents } = command;
  const guest = actor.kind === 'guest';
  const renames = guest || command.onConflict === 'rename';
  if (path.length === 0) throw new DomainError('NAME_TAKEN', 'The root folder is not a file.');
  path.forEach((name) => checkName(name));
  return {
    path,
    overwrite: command.overwrite && !renames,
    createParents,
    expectedVersionNo: guest ? 0 : versionNumber(command.expectedVersionNo ?? 0),
    clientCreatedMs: time('created', command.clientCreatedMs),
    clientModifiedMs: time('modified', command.clientModifiedMs),
    deviceId: text('device_id', command.deviceId),
    deviceReference: text('device_reference', command.deviceReference),
    authorId: uploaderOf(actor),
    ...(guest ? { guest: actor } : {}),
    ...(renames ? { onConflict: 'rename' } : {}),
  };
}

/** Who can bring bytes: an account, or somebody without one who holds a pass. */
export type UploadActor = AccountActor | GuestActor;

/** The actor as one who can bring bytes. INVALID_ARGUMENT for the house itself. */
export function uploadActor(actor: Actor): UploadActor {
  if (actor.kind !== 'system') return actor;
  throw new DomainError('INVALID_ARGUMENT', 'Uploads belong to an account or a pass.');
}

/** The account under which an upload runs, and the author of its file: of a guest whoever gave him the pass. */
export function uploaderOf(actor: UploadActor): number {
  return actor.kind === 'guest' ? actor.issuerId : actor.accountId;
}

/** The command that a session keeps. */
export function planOf(session: UploadSession): UploadPlan {
  return session.command as UploadPlan;
}

/** Who started the session, as far as rights are concerned. */
export function starterOf(session: UploadSession): UploadActor {
  return planOf(session).guest ?? { kind: 'account', accountId: session.accountId, companyId: null, role: 'user', tokenId: null };
}

/** False when the session is another one's: of another account, of another pass, or of an account while a guest asks. */
export function isStarter(session: UploadSession, actor: UploadActor): boolean {
  const { guest } = planOf(session);
  if (session.accountId !== uploaderOf(actor)) return false;
  if (actor.kind === 'account') return guest === undefined;
  return guest?.pass === actor.pass && guest.passId === actor.passId;
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
