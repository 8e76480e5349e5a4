import { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { BlobStore } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, type Actor, Clock, DomainError, isDomainError, randomHex } from '#libs/kernel';
import {
  DerivedObjectRepository,
  type LocatedNode,
  nodeNotFound,
  type NodeRef,
  NodeResolver,
  QuotaLedger,
  type StoredVersion,
  TombstoneRepository,
  type UploadSession,
  UploadSessionRepository,
  VersionRepository,
} from '#libs/nodes';

import { downloadPass } from '../downloads/viewer-download-gate.js';
import { ConfirmService, type ConfirmUpload } from '../uploads/confirm.service.js';
import { isTempName, newStoreKey } from '../uploads/temp-names.js';
import { planOf, planUpload, type UploadPlan, versionNumber } from '../uploads/upload-command.js';
import { UploadPlaces } from '../uploads/upload-places.js';
import { MAX_OBJECT_BYTES, type OpenedUpload, UploadService } from '../uploads/upload.service.js';
import { decodeVcdiff } from './vcdiff-decode.js';
import { encodeVcdiff } from './vcdiff-encode.js';

/** Largest file of which a delta is made: both versions are held in memory. Deltas that come in have no such limit. */
export const MAX_ENCODED_BYTES = 64 * 1024 * 1024;
const LINK_SECONDS = 60;
/** Makers and readers of one delta are done within this time. */
const DERIVED_MS = 3_600_000;
const CRC32 = /^[0-9a-f]{1,8}$/i;
const CONTENT_TYPE = 'application/vcdiff';

export interface CreateFromDiff {
  readonly path: readonly string[];
  /** The version that the client has and the delta is made against; it must be the current one. */
  readonly versionNo: number;
  /** CRC-32 of the client's copy of it, as hex. */
  readonly baseCrc32: string;
  readonly clientCreatedMs?: number;
  readonly clientModifiedMs?: number;
  readonly deviceId?: string;
  readonly deviceReference?: string;
}

/** New versions sent and fetched as VCDIFF deltas (RFC 3284). */
@Injectable()
export class DiffService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly versions: VersionRepository,
    private readonly sessions: UploadSessionRepository,
    private readonly tombstones: TombstoneRepository,
    private readonly derived: DerivedObjectRepository,
    private readonly quotas: QuotaLedger,
    private readonly uploads: UploadService,
    private readonly places: UploadPlaces,
    private readonly confirms: ConfirmService,
    private readonly access: AccessService,
    private readonly store: BlobStore,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /**
   * Opens an upload for a delta. NODE_NOT_FOUND, NOT_A_FILE, VERSION_INVALID, INVALID_ARGUMENT; DIFF_BASE_GONE: the version is not kept any
   * more; NAME_TAKEN: the file has moved on; VERSION_CONFLICT: the client's copy of the version is another one.
   */
  async createFromDiff(actor: AccountActor, command: CreateFromDiff): Promise<OpenedUpload> {
    const { placed, missing, startId, rest } = await this.resolver.startOf(actor, command.path);
    if (missing.length > 0) throw nodeNotFound();
    const node = await this.fileOf(actor, 'node.upload', placed.node);
    const baseVersionNo = versionNumber(command.versionNo);
    if (!CRC32.test(command.baseCrc32)) throw new DomainError('INVALID_ARGUMENT', 'The checksum must be a CRC-32 as hexadecimal digits.');
    const plan: UploadPlan = {
      ...planUpload({ ...command, expectedVersionNo: baseVersionNo, overwrite: true, createParents: false, multipart: false }, actor),
      startId,
      path: rest,
      diff: { baseVersionNo, baseCrc32: parseInt(command.baseCrc32, 16) },
    };
    await this.base(node, plan);
    return this.uploads.open(actor.accountId, node.spaceId, plan, { sizeBytes: null, md5: null }, false, 0);
  }

  /** Makes the new version of the delta that has arrived; repeating it gives the same answer. Errors as above and as ConfirmService.confirm. */
  async confirmFromDiff(command: ConfirmUpload): Promise<LocatedNode> {
    const session = isTempName(command.tempName) ? await this.sessions.find(command.tempName) : null;
    const plan = session && planOf(session);
    if (!session || !plan?.diff || session.accountId !== command.accountId || command.actor?.kind === 'guest')
      throw new DomainError('UPLOAD_NOT_FOUND', 'There is no such upload.');
    if (session.state === 'reserved') throw new DomainError('UPLOAD_INCOMPLETE', 'The bytes of this upload have not arrived.');
    try {
      if (session.state === 'uploaded' && plan.diff.made?.storeKey !== session.storeKey) await this.patch(session, plan, command.actor);
      return await this.confirms.confirm(command);
    } catch (error) {
      if (isDomainError(error, 'VERSION_CONFLICT') && error.details.reason !== 'crc') throw movedOn();
      throw isDomainError(error, 'VERSION_INVALID') ? baseGone() : error;
    }
  }

  /** URL of the delta from `fromVersionNo` to the current version; lives 60 s. NODE_NOT_FOUND, NOT_A_FILE, DIFF_BASE_GONE, TOO_LARGE. */
  async getDiff(
    actor: Actor,
    { node: ref, fromVersionNo }: { node: NodeRef; fromVersionNo: number },
  ): Promise<{ url: string; node: LocatedNode; sizeBytes: number }> {
    const node = await this.fileOf(actor, 'node.download', (await this.resolver.get(actor, ref)).node);
    const [from, to] = [await this.versions.find(node.id, versionNumber(fromVersionNo)), await this.versions.find(node.id, node.versionNo)];
    if (!from || !to) throw baseGone();
    if (from.sizeBytes > MAX_ENCODED_BYTES || to.sizeBytes > MAX_ENCODED_BYTES) {
      throw new DomainError('TOO_LARGE', `Deltas are made of files of up to ${MAX_ENCODED_BYTES} bytes; fetch the file whole.`);
    }
    const storeKey = `derived/${randomHex(16)}`;
    const fileName = `${node.name}.vcdiff`;
    const expiresAt = new Date(this.clock.nowMs() + DERIVED_MS);
    await this.derived.insert({
      storeKey,
      accountId: actor.kind === 'account' ? actor.accountId : node.ownerId,
      kind: 'diff',
      fileName,
      contentType: CONTENT_TYPE,
      expiresAt,
    });
    const [base, target] = [await this.read(from, 0, from.sizeBytes), await this.read(to, 0, to.sizeBytes)];
    const { sizeBytes } = await this.store.put(storeKey, Readable.from(encodeVcdiff(base, target), { objectMode: false }));
    if (!(await this.derived.markReady(storeKey, sizeBytes))) {
      await this.tombstones.add(storeKey, this.clock.now());
      throw new DomainError('BUSY', 'Making the delta took too long; try again.');
    }
    const url = await this.store.presignGet({
      key: storeKey,
      expiresInSeconds: LINK_SECONDS,
      fileName,
      contentType: CONTENT_TYPE,
      disposition: 'attachment',
      pass: downloadPass(actor, node.id),
    });
    return { url, node, sizeBytes };
  }

  /** Applies the delta of the session: what it makes becomes what the session holds, and the delta goes. */
  private async patch(session: UploadSession, plan: UploadPlan, actor: Actor | null): Promise<void> {
    const { tempName, ownerId } = session;
    const { placed, missing } = await this.places.find(session, actor);
    if (missing.length > 0) throw nodeNotFound();
    if (placed.node.kind !== 'file') throw notAFile();
    const base = await this.base(placed.node, plan);
    const storeKey = newStoreKey();
    await this.tombstones.add(storeKey, new Date(this.clock.nowMs() + this.config.files.uploadTtlSeconds * 1000));
    try {
      const delta = (await this.store.getRange(session.storeKey)) as AsyncIterable<Buffer>;
      const made = decodeVcdiff(delta, { sizeBytes: base.sizeBytes, read: (offset, length) => this.read(base, offset, length) });
      const free = await this.quotas.freeBytes(ownerId);
      const blob = await this.store.put(storeKey, Readable.from(made, { objectMode: false }), {
        maxBytes: free === null ? MAX_OBJECT_BYTES : free + session.reservedBytes,
      });
      await this.unitOfWork.run(async () => {
        if (!(await this.sessions.stored(tempName, storeKey, blob, this.clock.now())))
          throw new DomainError('UPLOAD_CLOSED', 'This upload has ended.');
        await this.sessions.setCommand(tempName, { ...plan, diff: { ...plan.diff, made: { storeKey, diffBytes: session.sizeBytes ?? 0 } } });
      });
    } catch (error) {
      // Only while it is not taken over: then the row is gone and adding it again would delete what the session holds.
      const now = await this.sessions.find(tempName);
      if (now?.storeKey !== storeKey) await this.tombstones.add(storeKey, this.clock.now());
      throw error;
    }
  }

  private async base(node: LocatedNode, { diff }: UploadPlan): Promise<StoredVersion> {
    const { baseVersionNo = 0, baseCrc32 = 0 } = diff ?? {};
    const version = await this.versions.find(node.id, baseVersionNo);
    if (!version) throw baseGone();
    if (version.crc32 !== baseCrc32)
      throw new DomainError('VERSION_CONFLICT', 'The base of the delta differs from the version here.', { reason: 'crc' });
    if (node.versionNo !== baseVersionNo) throw movedOn();
    return version;
  }

  private async fileOf(actor: Actor, action: 'node.upload' | 'node.download', node: LocatedNode): Promise<LocatedNode> {
    await this.access.require(actor, action, [node]);
    if (node.kind !== 'file') throw notAFile();
    return node;
  }

  private async read({ storeKey }: StoredVersion, offset: number, length: number): Promise<Buffer> {
    if (length === 0) return Buffer.alloc(0);
    const chunks: Buffer[] = [];
    for await (const chunk of (await this.store.getRange(storeKey, { start: offset, endInclusive: offset + length - 1 })) as AsyncIterable<Buffer>)
      chunks.push(chunk);
    return Buffer.concat(chunks);
  }
}

function baseGone(): DomainError {
  return new DomainError('DIFF_BASE_GONE', 'The version that the delta is based on does not exist any more; send the file whole.');
}

function notAFile(): DomainError {
  return new DomainError('NOT_A_FILE', 'A folder has no content.');
}

function movedOn(): DomainError {
  return new DomainError('NAME_TAKEN', 'The file has a newer version than the base of the delta.');
}
