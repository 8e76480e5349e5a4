import { Injectable } from '@nestjs/common';

import { BrowseService, type FolderListing, type ListFolder } from '#libs/files';
import { type Actor, isDomainError } from '#libs/kernel';
import type { LocatedNode } from '#libs/nodes';
import { VersionService } from '#libs/versions';

import { asOf } from '../presenters/version.presenter.js';

export interface ReadMetadata extends ListFolder {
  /** False: the node alone, without what is in it. */
  readonly listing: boolean;
  /** A version of a file; folders have none and ignore it. */
  readonly versionNo?: number;
}

/** One URL serves files and folders alike: the listing of a folder, or the file itself. */
@Injectable()
export class MetadataReader {
  constructor(
    private readonly browse: BrowseService,
    private readonly versions: VersionService,
  ) {}

  /** A listing is the common case and costs no extra look; only a file is asked for a second time. NODE_NOT_FOUND, VERSION_NOT_FOUND. */
  async read(actor: Actor, command: ReadMetadata): Promise<FolderListing | LocatedNode> {
    if (!command.listing) return this.node(actor, command);
    try {
      return await this.browse.list(actor, command);
    } catch (error) {
      if (!isDomainError(error, 'NOT_A_FOLDER')) throw error;
      return this.node(actor, command);
    }
  }

  private async node(actor: Actor, { node: ref, includeRemoved, versionNo }: ReadMetadata): Promise<LocatedNode> {
    const node = await this.browse.get(actor, { node: ref, includeRemoved });
    if (versionNo === undefined || node.kind === 'folder' || versionNo === node.versionNo) return node;
    return asOf(node, await this.versions.of(actor, node, versionNo));
  }
}
