import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { BlobStore } from '#libs/blob-store';
import { type Actor, DomainError } from '#libs/kernel';
import { ChangeLog, type LocatedNode, type NodeRef, type Version, VersionRepository, viewerOf } from '#libs/nodes';

import { BrowseService } from '../tree/browse.service.js';

/** How long the URL of a download works. It carries a grant, so it must not outlive a revocation by much. */
const LINK_SECONDS = 60;

export interface DownloadLink {
  /** Absolute; needs no header. */
  readonly url: string;
  readonly node: LocatedNode;
  readonly version: Version;
}

export interface LinkRequest {
  readonly node: NodeRef;
  /** A version of the file; the current one when absent. */
  readonly versionNo?: number;
  /** True: shown by the browser where it can be; false: saved. */
  readonly inline: boolean;
  /** True: also for a file in the trash, named by the path it had or by its id. */
  readonly includeRemoved: boolean;
}

/** Says where the bytes of a file can be fetched. */
@Injectable()
export class DownloadService {
  constructor(
    private readonly browse: BrowseService,
    private readonly versions: VersionRepository,
    private readonly access: AccessService,
    private readonly store: BlobStore,
    private readonly changes: ChangeLog,
  ) {}

  /**
   * NODE_NOT_FOUND, FORBIDDEN without the right to download, NOT_A_FILE for a folder, VERSION_NOT_FOUND. Saving a file that is in place is told to
   * the feeds above it; looking at one is not.
   */
  async link(actor: Actor, { node: ref, versionNo, inline, includeRemoved }: LinkRequest): Promise<DownloadLink> {
    const node = await this.browse.get(actor, { node: ref, includeRemoved });
    await this.access.require(actor, 'node.download', [node]);
    if (node.kind !== 'file') throw new DomainError('NOT_A_FILE', 'A folder cannot be downloaded as a file.');
    const version = Number.isSafeInteger(versionNo ?? 0) ? await this.versions.find(node.id, versionNo ?? node.versionNo) : null;
    if (!version) throw new DomainError('VERSION_NOT_FOUND', 'The file has no such version.');
    const url = await this.store.presignGet({
      key: version.storeKey,
      expiresInSeconds: LINK_SECONDS,
      fileName: node.name,
      contentType: version.mimeType,
      disposition: inline ? 'inline' : 'attachment',
      etag: version.md5,
    });
    if (!inline && node.removal === null && !node.insideTrash) {
      await this.changes.record([{ type: 'file_download', actorId: viewerOf(actor), node, folderId: node.parentId, name: node.name }]);
    }
    return { url, node, version };
  }
}
