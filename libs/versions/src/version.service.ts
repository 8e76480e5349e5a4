import { Injectable } from '@nestjs/common';

import { AccessService, type NodeAction } from '#libs/access';
import { UnitOfWork } from '#libs/database';
import { type Actor, Clock, DomainError, newId } from '#libs/kernel';
import {
  BlobRepository,
  bytesOf,
  ChangeLog,
  FileWriter,
  FolderLimits,
  type LocatedNode,
  nameKey,
  type NodeRef,
  NodeResolver,
  pageRows,
  QuotaLedger,
  type Version,
  VersionRepository,
  viewerOf,
} from '#libs/nodes';

const MAX_ROUNDS = 10;

/** The history of files. */
@Injectable()
export class VersionService {
  constructor(
    private readonly resolver: NodeResolver,
    private readonly versions: VersionRepository,
    private readonly blobs: BlobRepository,
    private readonly writer: FileWriter,
    private readonly quotas: QuotaLedger,
    private readonly limits: FolderLimits,
    private readonly changes: ChangeLog,
    private readonly access: AccessService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Versions of a file, newest first. `limit` 0 = as many as one page may hold. NODE_NOT_FOUND, NOT_A_FILE. */
  async list(actor: Actor, { node: ref, skip, limit }: { node: NodeRef; skip: number; limit: number }): Promise<Version[]> {
    if (!Number.isSafeInteger(skip) || skip < 0 || !Number.isSafeInteger(limit) || limit < 0) {
      throw new DomainError('INVALID_ARGUMENT', 'A page is given by whole numbers from 0.');
    }
    const node = await this.file(actor, 'node.read', ref);
    return this.versions.list(node.id, skip, pageRows(limit));
  }

  /** One version of a file that has been found already, in place or in the trash. VERSION_NOT_FOUND. */
  async of(actor: Actor, node: LocatedNode, versionNo: number): Promise<Version> {
    await this.access.require(actor, 'node.read', [node]);
    const version = Number.isSafeInteger(versionNo) ? await this.versions.find(node.id, versionNo) : null;
    if (!version) throw versionNotFound();
    return version;
  }

  /** Versions that a client which has `versionNo` lacks, oldest first. VERSION_NOT_FOUND when the file never had that version. */
  async toUpdate(actor: Actor, { node: ref, versionNo }: { node: NodeRef; versionNo: number }): Promise<Version[]> {
    const node = await this.file(actor, 'node.read', ref);
    if (!Number.isSafeInteger(versionNo) || versionNo < 0 || versionNo > node.versionNo) throw versionNotFound();
    return this.versions.after(node.id, versionNo);
  }

  /**
   * Makes an earlier content current again as a new version; its bytes count in the quota of the file's owner. NODE_NOT_FOUND, FORBIDDEN,
   * NOT_A_FILE, VERSION_NOT_FOUND, QUOTA_EXCEEDED.
   */
  async restore(actor: Actor, { node: ref, versionNo }: { node: NodeRef; versionNo: number }): Promise<LocatedNode> {
    if (!Number.isSafeInteger(versionNo)) throw versionNotFound();
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const node = await this.file(actor, 'node.write', ref);
      const restored = await this.unitOfWork.run(() => this.write(actor, node, versionNo));
      if (restored) return restored;
    }
    throw new DomainError('BUSY', 'Too many changes at the same place; try again.');
  }

  /** Null when the file was moved or removed meanwhile. */
  private async write(actor: Actor, node: LocatedNode, versionNo: number): Promise<LocatedNode | null> {
    const version = await this.versions.find(node.id, versionNo);
    // Held until the end, so that removing old versions cannot take the blob away meanwhile.
    const blob = version && (await this.blobs.hold(version.blobId));
    if (!version || !blob) throw versionNotFound();
    const nowMs = this.clock.nowMs();
    const written = await this.writer.fromBlob(
      viewerOf(actor),
      {
        nodeId: node.id,
        versionId: newId(nowMs),
        blobId: blob.id,
        spaceId: node.spaceId,
        parentId: node.parentId ?? '',
        name: node.name,
        nameKey: nameKey(node.name),
        mimeType: version.mimeType,
        media: version.media,
        origin: 'restore',
        diffBytes: null,
        clientCreatedMs: version.clientCreatedMs,
        clientModifiedMs: version.clientModifiedMs,
        authorId: actor.kind === 'account' ? actor.accountId : version.authorId,
        deviceId: null,
        deviceReference: null,
        restoredFromMs: version.createdAtMs,
        seenVersionNo: node.versionNo,
        onlyAfterSeen: false,
      },
      nowMs,
    );
    if (!written) return null;
    await this.quotas.add(node.ownerId, bytesOf(version.media, version.sizeBytes));
    await this.changes.record([
      {
        type: 'file_version_restored',
        actorId: viewerOf(actor),
        node: written,
        folderId: written.parentId,
        name: written.name,
        facts: { restored: versionNo },
      },
    ]);
    await this.limits.requireCounted(node.spaceId, [node.parentId!]);
    return { ...written, path: node.path };
  }

  private async file(actor: Actor, action: NodeAction, ref: NodeRef): Promise<LocatedNode> {
    const { node } = await this.resolver.get(actor, ref);
    await this.access.require(actor, action, [node]);
    if (node.kind !== 'file') throw new DomainError('NOT_A_FILE', 'A folder has no versions.');
    return node;
  }
}

function versionNotFound(): DomainError {
  return new DomainError('VERSION_NOT_FOUND', 'The file has no such version.');
}
