import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { BlobStore } from '#libs/blob-store';
import { type Actor, DomainError } from '#libs/kernel';
import { ChangeLog, type LocatedNode, type NodeRef, type StoredVersion, type Version, VersionRepository, viewerOf } from '#libs/nodes';

import { BrowseService } from '../tree/browse.service.js';
import { downloadPass } from './viewer-download-gate.js';

/** How long the URL of a download works, if neither the token that asked for it nor the right to the file ends before: both are judged at each use. */
const LINK_SECONDS = 60;

export interface DownloadLink {
  /** Absolute; needs no header. */
  readonly url: string;
  readonly node: LocatedNode;
  readonly version: Version;
}

/** A version that its reader may have now. */
export interface OpenedFile {
  readonly node: LocatedNode;
  readonly version: StoredVersion;
}

export interface LinkRequest {
  readonly node: NodeRef;
  /** A version of the file: its number, the first one there is, or the one that was current at a time; the current one when absent. */
  readonly versionNo?: number | 'oldest' | { readonly atMs: number } | undefined;
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
  async link(actor: Actor, request: LinkRequest): Promise<DownloadLink> {
    const { node, version } = await this.open(actor, request);
    const url = await this.store.presignGet({
      key: version.storeKey,
      expiresInSeconds: LINK_SECONDS,
      fileName: node.name,
      contentType: version.mimeType,
      disposition: request.inline ? 'inline' : 'attachment',
      etag: version.md5,
      pass: downloadPass(actor, node.id),
    });
    return { url, node, version };
  }

  /** The same for a process that sends the bytes itself: by whom and when they may be had is judged here, each time. Throws as `link`. */
  async open(actor: Actor, { node: ref, versionNo, inline, includeRemoved }: LinkRequest): Promise<OpenedFile> {
    const node = await this.browse.get(actor, { node: ref, includeRemoved });
    await this.access.require(actor, 'node.download', [node]);
    if (node.kind !== 'file') throw new DomainError('NOT_A_FILE', 'A folder cannot be downloaded as a file.');
    const version = await this.versionOf(node, versionNo);
    if (!version) throw new DomainError('VERSION_NOT_FOUND', 'The file has no such version.');
    if (!inline && node.removal === null && !node.insideTrash) {
      await this.changes.record([{ type: 'file_download', actorId: viewerOf(actor), node, folderId: node.parentId, name: node.name }]);
    }
    return { node, version };
  }

  private async versionOf(node: LocatedNode, wanted: LinkRequest['versionNo'] = node.versionNo): Promise<StoredVersion | null> {
    const no = typeof wanted === 'number' ? wanted : await this.versions.numberAt(node.id, wanted === 'oldest' ? null : new Date(wanted.atMs));
    return no !== null && Number.isSafeInteger(no) ? this.versions.find(node.id, no) : null;
  }
}
