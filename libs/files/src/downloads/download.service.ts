import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { BlobStore } from '#libs/blob-store';
import { type Actor, DomainError } from '#libs/kernel';
import { type LocatedNode, type NodeRef, type Version, VersionRepository } from '#libs/nodes';

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
  ) {}

  /** NODE_NOT_FOUND, NOT_A_FILE for a folder, VERSION_NOT_FOUND. */
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
    return { url, node, version };
  }
}
