import { Injectable } from '@nestjs/common';

import { BrowseService, type FolderListing, type ListFolder } from '#libs/files';
import type { Actor } from '#libs/kernel';
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

  /** NODE_NOT_FOUND, VERSION_NOT_FOUND. */
  async read(actor: Actor, command: ReadMetadata): Promise<FolderListing | LocatedNode> {
    const found = command.listing ? await this.browse.open(actor, command) : await this.browse.get(actor, command);
    return 'folder' in found ? found : this.asOf(actor, found, command.versionNo);
  }

  private async asOf(actor: Actor, node: LocatedNode, versionNo: number | undefined): Promise<LocatedNode> {
    if (versionNo === undefined || node.kind === 'folder' || versionNo === node.versionNo) return node;
    return asOf(node, await this.versions.of(actor, node, versionNo));
  }
}
