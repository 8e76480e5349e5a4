import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { BlobStore, type StoredBlob } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { ConfirmService, DownloadService, newStoreKey, type OpenedFile, UploadIntake, UploadService } from '#libs/files';
import {
  type AccountActor,
  Call,
  Clock,
  CLOSED_POLICY,
  DomainError,
  forbiddenBy,
  isDomainError,
  isUuid,
  type Policy,
  policyRefusal,
  sha256,
} from '#libs/kernel';
import { QuotaLedger, TombstoneRepository, UploadSessionRepository } from '#libs/nodes';
import { TrashService } from '#libs/trash';

import { type LivingRoom, RoomRepository } from './repositories/room.repository.js';
import { type ArrivedPart, type FileRow, type PartRow, RoomFileRepository } from './repositories/room-file.repository.js';
import { ROOM_LIMITS, type RoomFile, type RoomMember, type StartFile } from './room.js';
import { RoomLog } from './room-log.js';

/** Objects of parts go by themselves so long after their room, whatever else happens: longer than anybody takes to write one. */
const PART_GRACE_MS = 3_600_000;
/** Processes that complete one file at once may replace what the other has put together. */
const ASSEMBLE_TRIES = 6;

export interface PartToPut {
  readonly fileId: string;
  readonly uploadId: string;
  readonly no: number;
  readonly body: Readable;
  /** Bytes of the body, when they are known. */
  readonly sizeBytes: number | null;
}

/** A part that is let in. */
interface PartUnderWay extends PartRow {
  readonly roomId: string;
  /** Most bytes that may come. */
  readonly mostBytes: number;
}

/** The parts of a file in their order, and the object that was made of them; null for what is no object of its own. */
interface Whole {
  readonly parts: readonly ArrivedPart[];
  readonly digest: Buffer;
  readonly wholeKey: string | null;
}

/**
 * Files of rooms. Each comes in parts of any size and in any order; a part is an object of its own until the file is complete, because a store's own
 * multipart upload refuses small parts. The bytes count for the room and in the quota of its account from before the first of them is there.
 */
@Injectable()
export class RoomFiles {
  private readonly assemblies = new Map<string, Promise<string>>();

  constructor(
    private readonly rooms: RoomRepository,
    private readonly rows: RoomFileRepository,
    private readonly log: RoomLog,
    private readonly uploads: UploadService,
    private readonly intake: UploadIntake,
    private readonly confirms: ConfirmService,
    private readonly sessions: UploadSessionRepository,
    private readonly tombstones: TombstoneRepository,
    private readonly quotas: QuotaLedger,
    private readonly downloads: DownloadService,
    private readonly trash: TrashService,
    private readonly store: BlobStore,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /** All files of the room, finished or not, oldest first. One statement. */
  list({ roomId }: RoomMember): Promise<RoomFile[]> {
    return this.rows.list(roomId);
  }

  /** NODE_NOT_FOUND. */
  get(member: RoomMember, id: string): Promise<RoomFile> {
    return this.fileOf(member.roomId, id);
  }

  /** Announces a file. INVALID_ARGUMENT; QUOTA_EXCEEDED when the room has its number of files, TOO_LARGE when it has no room for so many bytes; FORBIDDEN by a policy. */
  async start(member: RoomMember, { name, totalParts, declaredBytes }: StartFile): Promise<RoomFile> {
    this.requireUpload(member.actor);
    checkStart({ name, totalParts, declaredBytes });
    return this.unitOfWork.run(async () => {
      const room = await this.lock(member);
      if ((await this.rows.count(room.id)) >= room.maxFiles)
        throw new DomainError('QUOTA_EXCEEDED', `This session takes ${room.maxFiles} files.`, { reason: 'max_files' });
      if (room.usedBytes + (declaredBytes ?? 0) > room.maxBytes) throw tooLarge(room);
      const createdAt = this.clock.now();
      const [id, uploadId] = [randomUUID(), randomUUID()];
      const upload = await this.uploads.create(member.actor, {
        ...{ folderId: member.rootId, path: [id], overwrite: false, createParents: false, multipart: false },
      });
      if (upload.kind !== 'session') throw new DomainError('INTERNAL', 'an upload without a checksum was deduplicated');
      await this.sessions.setLease(upload.tempName, room.expiresAt);
      const { tempName } = upload;
      await this.rows.insert({ id, roomId: room.id, memberId: member.id, uploadId, name, totalParts, declaredBytes, tempName, createdAt });
      const file = await this.fileOf(room.id, id);
      await this.log.tell(room.id, 'file-added', eventOf(file));
      this.note(room.id, id);
      return file;
    });
  }

  /**
   * Stores a part, in place of one of the same number; its tag is returned when it is durable. UPLOAD_NOT_FOUND, FORBIDDEN for who did not announce the
   * file, UPLOAD_CLOSED when it is complete, INVALID_ARGUMENT, TOO_LARGE by the room, QUOTA_EXCEEDED by the account, SIZE_MISMATCH.
   */
  async putPart(member: RoomMember, put: PartToPut): Promise<{ readonly tag: string; readonly no: number }> {
    this.requireUpload(member.actor);
    // Nothing is changed for anybody before the part is there.
    const part = await Call.aside(() => this.unitOfWork.run(() => this.beginPart(member, put)));
    try {
      const size = put.sizeBytes === null ? {} : { sizeBytes: put.sizeBytes };
      const blob = await this.store.put(part.storeKey, put.body, { maxBytes: part.mostBytes, ...size });
      await this.unitOfWork.run(() => this.arrive(member, part, blob));
      return { tag: blob.md5, no: part.no };
    } catch (error) {
      // What cannot be given up now is by the sweep; the caller is told the first error, not this one.
      await Call.aside(() => this.giveUp(part, part.roomId)).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Makes the file of its parts, by their tags in their order; the same call again changes nothing. UPLOAD_NOT_FOUND, FORBIDDEN, UPLOAD_INCOMPLETE,
   * INVALID_ARGUMENT for other tags, UPLOAD_CLOSED for other tags of a complete file, WRONG_STATE when a part was replaced meanwhile.
   */
  async complete(
    member: RoomMember,
    command: { readonly fileId: string; readonly uploadId: string | null; readonly tags: readonly string[] },
  ): Promise<RoomFile> {
    const { fileId, uploadId, tags } = command;
    const file = await this.ownFile(member, fileId, uploadId);
    const digest = tagsDigest(tags);
    if (file.nodeId !== null) return asCompleted(file, digest);
    this.requireUpload(member.actor);
    const parts = await this.rows.arrived(file.id);
    checkTags(file, parts, tags);
    for (let tries = 1; tries <= ASSEMBLE_TRIES; tries++) {
      const wholeKey = parts.length > 1 ? await this.assemble(file, parts, digest) : null;
      const made = await this.unitOfWork.run(async () => {
        const room = await this.lock(member);
        const now = await this.fileOf(room.id, file.id, 'UPLOAD_NOT_FOUND');
        if (now.nodeId !== null) return asCompleted(now, digest);
        if (!(await this.finish(member.actor, now, { parts, digest, wholeKey }))) return null;
        const finished = await this.fileOf(room.id, file.id);
        await this.log.tell(room.id, 'file-complete', eventOf(finished));
        this.note(room.id, file.id);
        return finished;
      });
      if (made) return made;
    }
    throw new DomainError('WRONG_STATE', 'This file is being completed by others; complete it again.');
  }

  /** Removes a file for good, complete or not: who announced it, and the host. NODE_NOT_FOUND, FORBIDDEN. */
  async remove(member: RoomMember, id: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      const room = await this.lock(member);
      const file = await this.fileOf(room.id, id);
      if (file.memberId !== member.id && member.role !== 'host')
        throw new DomainError('FORBIDDEN', 'Only who brought a file, and the host, may remove it.');
      if (file.nodeId === null) await this.drop(file);
      else await this.erase(member.actor, file.nodeId);
      await this.rows.remove(file.id);
      await this.rooms.addUsed(room.id, 0 - file.heldBytes);
      await this.log.tell(room.id, 'file-removed', eventOf(file));
      this.note(room.id, file.id);
    });
  }

  /** NODE_NOT_FOUND; WRONG_STATE when the file is not complete; FORBIDDEN by a policy. */
  async requireDownload(member: RoomMember, id: string): Promise<RoomFile> {
    const file = await this.fileOf(member.roomId, id);
    if (file.nodeId === null) throw new DomainError('WRONG_STATE', 'This file is not complete yet.');
    const reason = policyRefusal(policyOf(member.actor), member.actor.client, 'download', this.clock.now());
    if (reason !== null) throw forbiddenBy(reason);
    return file;
  }

  /** The file, to be sent. As `requireDownload`. */
  async open(member: RoomMember, id: string): Promise<OpenedFile> {
    const { nodeId } = await this.requireDownload(member, id);
    return this.downloads.open(member.actor, { node: { id: nodeId! }, inline: false, includeRemoved: false });
  }

  /** Gives up parts that nobody is writing any more. Returns how many. */
  async sweepParts(limit: number): Promise<number> {
    const before = new Date(this.clock.nowMs() - this.config.files.uploadTtlSeconds * 1000);
    const parts = await this.rows.underWaySince(before, limit);
    for (const part of parts) await this.giveUp(part, part.roomId);
    return parts.length;
  }

  private async beginPart(member: RoomMember, { fileId, uploadId, no, sizeBytes }: PartToPut): Promise<PartUnderWay> {
    const room = await this.lock(member);
    const file = await this.ownFile(member, fileId, uploadId);
    if (file.nodeId !== null) throw closed();
    if (!Number.isInteger(no) || no < 1 || no > file.totalParts)
      throw new DomainError('INVALID_ARGUMENT', `A part number of this file is a whole number from 1 to ${file.totalParts}.`);
    const replaced = await this.rows.arrivedAt(file.id, no);
    const free = room.maxBytes - room.usedBytes + (replaced?.sizeBytes ?? 0);
    const announced = sizeBytes ?? 0;
    if (announced > free) throw tooLarge(room);
    const part = { id: randomUUID(), fileId: file.id, no, storeKey: newStoreKey(), sizeBytes: announced };
    await this.rows.beginPart(part, this.clock.now());
    await this.hold(room.id, file, announced);
    await this.tombstones.add(part.storeKey, new Date(room.expiresAt.getTime() + PART_GRACE_MS));
    const quota = sizeBytes === null ? await this.quotas.freeBytes(room.accountId) : null;
    return { ...part, roomId: room.id, mostBytes: sizeBytes ?? Math.max(0, Math.min(free, quota ?? Infinity)) };
  }

  private async arrive(member: RoomMember, part: PartUnderWay, blob: StoredBlob): Promise<void> {
    const room = await this.lock(member);
    const file = await this.fileOf(room.id, part.fileId, 'UPLOAD_NOT_FOUND');
    if (file.nodeId !== null || (await this.rows.underWay(part.id)) === null) throw closed();
    const replaced = await this.rows.arrivedAt(file.id, part.no);
    const grows = blob.sizeBytes - part.sizeBytes - (replaced?.sizeBytes ?? 0);
    if (grows > 0 && room.usedBytes + grows > room.maxBytes) throw tooLarge(room);
    if (replaced) {
      await this.rows.removeParts([replaced.id]);
      await this.rows.dropObject(replaced.storeKey, this.clock.now());
    }
    await this.rows.arrive(part.id, blob);
    await this.hold(room.id, file, grows);
    const now = await this.fileOf(room.id, file.id);
    await this.log.tell(room.id, 'file-progress', { ...eventOf(now), partNumber: part.no });
    this.note(room.id, file.id);
  }

  /** Forgets a part that did not arrive; nothing when it has. */
  private async giveUp({ id, fileId, sizeBytes, storeKey }: PartRow, roomId: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.rooms.lockAny(roomId);
      const file = (await this.rows.underWay(id)) === null ? null : await this.rows.find(roomId, fileId);
      if (file) {
        await this.rows.removeParts([id]);
        await this.hold(roomId, file, 0 - sizeBytes);
      }
      if (!(await this.rows.hasPart(id))) await this.rows.dropObject(storeKey, this.clock.now());
    });
  }

  /** Counts bytes for the file, the room and the quota. QUOTA_EXCEEDED. */
  private async hold(roomId: string, { id, tempName, heldBytes }: FileRow, bytes: number): Promise<void> {
    await this.rows.addHeld(id, bytes);
    await this.rooms.addUsed(roomId, bytes);
    await this.sessions.setReservation(tempName, heldBytes + bytes);
  }

  /**
   * Puts the parts together, once per process and file at a time; answers the key of the whole, null when another process has put something together
   * at the same time and was faster.
   */
  private async assemble(file: FileRow, parts: readonly ArrivedPart[], digest: Buffer): Promise<string | null> {
    const key = `${file.id}:${digest.toString('base64')}`;
    let work = this.assemblies.get(key);
    if (!work) {
      const bytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
      const whole = Readable.from(this.bytesOf(parts), { objectMode: false });
      work = Call.aside(() => this.intake.takeFor(file.tempName, whole, bytes)).finally(() => {
        this.assemblies.delete(key);
        whole.destroy();
      });
      this.assemblies.set(key, work);
    }
    return work.catch((error: unknown) => {
      if (isDomainError(error, 'UPLOAD_CLOSED')) return null;
      throw error;
    });
  }

  private async *bytesOf(parts: readonly ArrivedPart[]): AsyncGenerator<Buffer> {
    for (const { storeKey, sizeBytes } of parts) if (sizeBytes > 0) yield* (await this.store.getRange(storeKey)) as AsyncIterable<Buffer>;
  }

  /** Makes the node, of what was put together or of the only part. False when something else has arrived for the upload since. */
  private async finish(actor: AccountActor, file: FileRow, { parts, digest, wholeKey }: Whole): Promise<boolean> {
    const now = await this.rows.arrived(file.id);
    if (now.length !== parts.length || now.some((part, at) => part.id !== parts[at]!.id))
      throw new DomainError('WRONG_STATE', 'A part was replaced meanwhile; complete the file again.');
    const [only, ...more] = parts;
    if (only && more.length === 0) {
      if (!(await this.sessions.stored(file.tempName, only.storeKey, only, this.clock.now()))) throw closed();
    } else if (wholeKey === null || !(await this.sessions.holds(file.tempName, wholeKey))) return false;
    const node = await this.confirms.confirm({ accountId: actor.accountId, tempName: file.tempName, actor });
    await this.rows.complete(file.id, node.id, digest, this.clock.now());
    // those that are still on their way find the file closed
    const held = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    await this.rows.dropParts({ fileId: file.id }, this.clock.now());
    await this.rows.addHeld(file.id, held - file.heldBytes);
    await this.rooms.addUsed(file.roomId, held - file.heldBytes);
    return true;
  }

  private async drop({ id, tempName }: FileRow): Promise<void> {
    await this.rows.dropParts({ fileId: id }, this.clock.now());
    await this.sessions.setReservation(tempName, 0);
    await this.sessions.endLease(tempName, this.clock.now());
  }

  private async erase(actor: AccountActor, nodeId: string): Promise<void> {
    const [outcome] = await this.trash.trash(actor, { nodes: [{ id: nodeId }], onlyEmpty: false, permanent: true });
    const error = outcome && 'error' in outcome ? outcome.error : null;
    if (error !== null && error.code !== 'NODE_NOT_FOUND') throw error;
  }

  private async ownFile({ roomId, id }: RoomMember, fileId: string, uploadId: string | null): Promise<FileRow> {
    const file = await this.fileOf(roomId, fileId, 'UPLOAD_NOT_FOUND');
    if (uploadId !== null && uploadId !== file.uploadId) throw fileNotFound('UPLOAD_NOT_FOUND');
    if (file.memberId !== id) throw new DomainError('FORBIDDEN', 'Only who announced a file brings its parts.');
    return file;
  }

  private async fileOf(roomId: string, id: string, code: 'NODE_NOT_FOUND' | 'UPLOAD_NOT_FOUND' = 'NODE_NOT_FOUND'): Promise<FileRow> {
    const file = isUuid(id) ? await this.rows.find(roomId, id) : null;
    if (!file) throw fileNotFound(code);
    return file;
  }

  private async lock({ roomId }: RoomMember): Promise<LivingRoom> {
    const room = await this.rooms.lock(roomId, this.clock.now());
    if (!room) throw new DomainError('UNAUTHENTICATED', 'The session is over.');
    return room;
  }

  private requireUpload(actor: AccountActor): void {
    const reason = policyRefusal(policyOf(actor), actor.client, 'upload', this.clock.now());
    if (reason !== null) throw forbiddenBy(reason);
  }

  private note(roomId: string, fileId: string): void {
    Call.note('room', roomId);
    Call.note('file', fileId);
  }
}

function checkStart({ name, totalParts, declaredBytes }: StartFile): void {
  if (name !== null && ([...name].length > ROOM_LIMITS.fileNameCharacters || /[\0\ud800-\udfff]/u.test(name)))
    throw new DomainError('INVALID_ARGUMENT', `A name has at most ${ROOM_LIMITS.fileNameCharacters} characters.`);
  if (!Number.isInteger(totalParts) || totalParts < 1 || totalParts > ROOM_LIMITS.parts)
    throw new DomainError('INVALID_ARGUMENT', `A file has 1 to ${ROOM_LIMITS.parts} parts.`);
  if (declaredBytes !== null && (!Number.isSafeInteger(declaredBytes) || declaredBytes < 0))
    throw new DomainError('INVALID_ARGUMENT', 'A size is a whole number of bytes.');
}

/** UPLOAD_INCOMPLETE when a part is missing, INVALID_ARGUMENT when the tags are not those of the parts. */
function checkTags({ totalParts }: FileRow, parts: readonly ArrivedPart[], tags: readonly string[]): void {
  if (parts.length < totalParts) throw new DomainError('UPLOAD_INCOMPLETE', `${parts.length} of ${totalParts} parts have arrived.`);
  if (tags.length !== parts.length || parts.some(({ md5 }, at) => md5 !== plainTag(tags[at]!)))
    throw new DomainError('INVALID_ARGUMENT', 'The tags must be those of all parts, in the order of the parts.');
}

/** Tags come back with the quotes that some stores put around them. */
function plainTag(tag: string): string {
  return tag.replace(/^"(.*)"$/, '$1');
}

function tagsDigest(tags: readonly string[]): Buffer {
  return sha256(JSON.stringify(tags.map(plainTag)));
}

function asCompleted(file: FileRow, digest: Buffer): FileRow {
  if (file.tagsSha256?.equals(digest)) return file;
  throw closed();
}

/** The policy that was read with the credential; one that nobody has read lets nothing through. */
function policyOf({ policy }: AccountActor): Policy {
  return policy ?? CLOSED_POLICY;
}

function eventOf(file: RoomFile): object {
  const { id, memberId, name, totalParts, declaredBytes, heldBytes, arrivedParts, completedAt } = file;
  return { id, memberId, name, totalParts, declaredBytes, heldBytes, arrivedParts, completed: completedAt !== null };
}

function closed(): DomainError {
  return new DomainError('UPLOAD_CLOSED', 'This file is complete: nothing of it changes any more.');
}

function fileNotFound(code: 'NODE_NOT_FOUND' | 'UPLOAD_NOT_FOUND'): DomainError {
  return new DomainError(code, code === 'NODE_NOT_FOUND' ? 'There is no such file here.' : 'There is no such upload here.');
}

function tooLarge({ maxBytes }: LivingRoom): DomainError {
  return new DomainError('TOO_LARGE', `This session takes ${maxBytes} bytes.`, { reason: 'max_bytes' });
}
