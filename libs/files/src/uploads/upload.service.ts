import { Injectable } from '@nestjs/common';

import { BlobStore } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, type Actor, Clock, DomainError, newId } from '#libs/kernel';
import {
  BlobRepository,
  FolderLimits,
  type LocatedNode,
  quotaExceeded,
  QuotaLedger,
  SpaceService,
  TombstoneRepository,
  type UploadSession,
  UploadSessionRepository,
  viewerOf,
} from '#libs/nodes';

import type { FilePlace } from './file-place.js';
import { OpenUploads } from './open-uploads.js';
import { isOvertaking } from './overtaken.js';
import { isTempName, newStoreKey, newTempName, urlKey } from './temp-names.js';
import {
  type AskedPlan,
  type CreateUpload,
  declaredMd5,
  declaredSize,
  isStarter,
  planUpload,
  uploadActor,
  uploaderOf,
  type UploadPlan,
} from './upload-command.js';
import { UploadPlaces } from './upload-places.js';
import { UploadWriter } from './upload-writer.js';

/** Where to send bytes. */
export interface UploadTarget {
  readonly url: string;
  readonly method: 'PUT';
  /** Headers that the sender adds. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface OpenedUpload extends UploadTarget {
  readonly kind: 'session';
  readonly tempName: string;
  /** Names the upload when parts are asked for; only with multipart. */
  readonly tempPath?: string;
}

export type CreatedUpload = { readonly kind: 'deduplicated'; readonly node: LocatedNode } | OpenedUpload;

const CONTENT_TYPE = 'application/octet-stream';
const MAX_PART_BYTES = 5 * 1024 ** 3;
/** Upper bound of one object where nothing tighter is known. */
export const MAX_OBJECT_BYTES = 5 * 1024 ** 4;

/** Opens uploads: judges the place, holds the space, says where the bytes go. Nothing is visible before `ConfirmService.confirm`. */
@Injectable()
export class UploadService {
  constructor(
    private readonly spaces: SpaceService,
    private readonly places: UploadPlaces,
    private readonly sessions: UploadSessionRepository,
    private readonly openUploads: OpenUploads,
    private readonly tombstones: TombstoneRepository,
    private readonly blobs: BlobRepository,
    private readonly quotas: QuotaLedger,
    private readonly limits: FolderLimits,
    private readonly writer: UploadWriter,
    private readonly unitOfWork: UnitOfWork,
    private readonly store: BlobStore,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /**
   * Opens an upload, or makes the file at once when a readable file with the declared size and MD5 exists. The bytes count in the quota of
   * whoever owns the place. A guest never replaces anything: a name that is taken gets a number. NAME_TAKEN, NAME_ILLEGAL, PARENT_NOT_FOUND,
   * VERSION_CONFLICT, VERSION_INVALID, QUOTA_EXCEEDED, INVALID_ARGUMENT, TREE_TOO_DEEP, TOO_LARGE, NODE_NOT_FOUND, FORBIDDEN, RATE_LIMITED (OpenUploads).
   */
  async create(actor: Actor, command: CreateUpload): Promise<CreatedUpload> {
    const starter = uploadActor(actor);
    const asked = planUpload(command, starter);
    const declared = { sizeBytes: declaredSize(command.sizeBytes), md5: declaredMd5(command.md5) };
    if ((declared.sizeBytes ?? 0) > MAX_OBJECT_BYTES) throw new DomainError('TOO_LARGE', `A file can have ${MAX_OBJECT_BYTES} bytes at most.`);
    const { plan, place } = await this.places.begin(starter, asked, command.folderId);
    await this.requireRoom(place, declared.sizeBytes);
    if (declared.sizeBytes !== null && declared.md5 !== null && starter.kind === 'account') {
      const node = await this.deduplicate(starter, asked, command.folderId, declared.sizeBytes, declared.md5);
      if (node) return { kind: 'deduplicated', node };
    }
    // What a guest only announces holds no space: a stranger could keep the owner out of his own storage without sending a byte.
    const held = starter.kind === 'guest' ? 0 : (declared.sizeBytes ?? 0);
    if (held < (declared.sizeBytes ?? 0)) await this.requireQuota(place, declared.sizeBytes ?? 0);
    return this.open(uploaderOf(starter), place.folder.spaceId, plan, declared, command.multipart, held);
  }

  /** Opens a session for a plan that has been judged, and holds `heldBytes` of the quota until its bytes come. QUOTA_EXCEEDED, FORBIDDEN, RATE_LIMITED. */
  async open(
    accountId: number,
    spaceId: string,
    plan: UploadPlan,
    declared: { sizeBytes: number | null; md5: string | null },
    multipart: boolean,
    heldBytes: number,
  ): Promise<OpenedUpload> {
    const tempName = newTempName(accountId);
    const session = {
      id: newId(this.clock.nowMs()),
      tempName,
      storeKey: newStoreKey(),
      accountId,
      spaceId,
      multipart,
      command: plan,
      declaredBytes: declared.sizeBytes,
      declaredMd5: declared.md5,
      leaseUntil: new Date(this.clock.nowMs() + this.ttlMs),
    };
    await this.openUploads.within(accountId, plan.guest, () => this.sessions.create(session, heldBytes));
    const url = this.store.presignPut({
      key: urlKey(tempName),
      maxBytes: MAX_OBJECT_BYTES,
      contentType: CONTENT_TYPE,
      expiresInSeconds: this.config.files.uploadTtlSeconds,
    });
    const target = { url, method: 'PUT', headers: { 'Content-Type': CONTENT_TYPE } } as const;
    return { kind: 'session', tempName, ...(multipart ? { tempPath: tempName } : {}), ...target };
  }

  /** Where one part of a multipart upload goes; asking again for a number replaces that part. UPLOAD_NOT_FOUND, UPLOAD_CLOSED, INVALID_ARGUMENT. */
  async createPart(actor: Actor, { tempPath, partNumber }: { tempPath: string; partNumber: number }): Promise<UploadTarget> {
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > 10_000) {
      throw new DomainError('INVALID_ARGUMENT', 'A part number is a whole number from 1 to 10000.');
    }
    const session = await this.ownSession(actor, tempPath);
    const { storeKey, multipartId } = await this.startedMultipart(session);
    const totalBytes = await this.roomFor(session);
    const { url, method, headers } = await this.store.presignPart({
      key: storeKey,
      uploadId: multipartId,
      partNumber,
      expiresInSeconds: this.config.files.uploadTtlSeconds,
      maxBytes: Math.min(totalBytes ?? Infinity, MAX_PART_BYTES),
      totalBytes: totalBytes ?? undefined,
    });
    return { url, method, headers: { 'Content-Type': CONTENT_TYPE, ...headers } };
  }

  /** The file, made from a blob that the actor has or may read where he writes; null when there is none, or when others change the place. */
  private async deduplicate(
    actor: AccountActor,
    asked: AskedPlan,
    folderId: string | undefined,
    sizeBytes: number,
    md5: string,
  ): Promise<LocatedNode | null> {
    try {
      return await this.writeFromBlob(actor, asked, folderId, sizeBytes, md5);
    } catch (error) {
      if (!isOvertaking(error)) throw error;
      // What it means is judged once more; when it is allowed, the bytes come the long way.
      await this.places.begin(actor, asked, folderId);
      return null;
    }
  }

  private async writeFromBlob(
    actor: AccountActor,
    asked: AskedPlan,
    folderId: string | undefined,
    sizeBytes: number,
    md5: string,
  ): Promise<LocatedNode | null> {
    const home = await this.spaces.homeOf(actor.accountId);
    return this.unitOfWork.run(async () => {
      const { plan, place } = await this.places.begin(actor, asked, folderId);
      const { spaceId } = place.folder;
      const blob = await this.blobs.findByContent(home.spaceId, spaceId === home.spaceId ? null : plan.startId, sizeBytes, md5);
      if (!blob) return null;
      return this.writer.fromBlob(actor, plan, place, blob);
    });
  }

  private async ownSession(actor: Actor, tempPath: string): Promise<UploadSession> {
    const session = isTempName(tempPath) ? await this.sessions.find(tempPath) : null;
    if (!session?.multipart || !isStarter(session, uploadActor(actor))) throw new DomainError('UPLOAD_NOT_FOUND', 'There is no such upload.');
    if (session.state !== 'reserved' && session.state !== 'uploaded') throw new DomainError('UPLOAD_CLOSED', 'This upload has ended.');
    // In one's own home nobody can have taken the right away.
    if (session.ownerId !== viewerOf(actor)) await this.places.find(session);
    return session;
  }

  /**
   * The multipart upload of the session, begun at the first part: many clients ask for parts and then send the file whole. Its object is
   * noted for deletion before it can exist and taken over by the session after that.
   */
  private async startedMultipart(session: UploadSession): Promise<{ storeKey: string; multipartId: string }> {
    if (session.multipartId !== null && session.state === 'reserved') return { storeKey: session.storeKey, multipartId: session.multipartId };
    const storeKey = newStoreKey();
    const leaseUntil = new Date(this.clock.nowMs() + this.ttlMs);
    await this.tombstones.add(storeKey, leaseUntil);
    const multipartId = await this.store.createMultipart(storeKey);
    const when = { now: this.clock.now(), deleteAt: this.clock.now(), leaseUntil };
    if (await this.sessions.beginMultipart(session.tempName, storeKey, multipartId, when)) return { storeKey, multipartId };
    await this.tombstones.add(storeKey, this.clock.now(), multipartId);
    const other = await this.sessions.find(session.tempName);
    if (other?.state === 'reserved' && other.multipartId !== null) return { storeKey: other.storeKey, multipartId: other.multipartId };
    throw new DomainError('UPLOAD_CLOSED', 'This upload has ended.');
  }

  /** QUOTA_EXCEEDED when a limit of a folder leaves no room for the file; judged again, exactly, when it is confirmed. */
  private async requireRoom({ folder, existing, limited }: FilePlace, sizeBytes: number | null): Promise<void> {
    const added = (sizeBytes ?? 0) - (existing?.sizeBytes ?? 0);
    const free = limited && added > 0 ? await this.limits.freeBytes(existing?.parentId ?? folder.id) : null;
    if (free !== null && added > free) throw quotaExceeded();
  }

  /** QUOTA_EXCEEDED when the owner of the place has no room for the file now. */
  private async requireQuota({ folder }: FilePlace, sizeBytes: number): Promise<void> {
    const free = await this.quotas.freeBytes(folder.ownerId);
    if (free !== null && sizeBytes > free) throw quotaExceeded();
  }

  /** Bytes that all parts may have together; null = not limited. */
  private async roomFor(session: UploadSession): Promise<number | null> {
    const { declaredBytes, reservedBytes } = session;
    if (declaredBytes !== null && reservedBytes >= declaredBytes) return declaredBytes;
    const free = await this.quotas.freeBytes(session.ownerId);
    const room = free === null ? null : free + reservedBytes;
    return declaredBytes === null || room === null ? (declaredBytes ?? room) : Math.min(declaredBytes, room);
  }

  private get ttlMs(): number {
    return this.config.files.uploadTtlSeconds * 1000;
  }
}
