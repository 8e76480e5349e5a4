import { DownloadService, type FolderListing } from '#libs/files';
import { type AccountActor, DomainError, isDomainError } from '#libs/kernel';
import type { LocatedNode } from '#libs/nodes';
import { ShareDoor, ShareListService } from '#libs/shares';

import { CloudikeController, OptionalActor, Params, PathTail, Route, UrlSegment } from '../http/index.js';
import { LinkInfo } from '../links/link-info.js';
import { presentDownload } from '../presenters/download.presenter.js';
import { nodesOf, presentMetadata } from '../presenters/listing.presenter.js';
import { NodeWire } from '../presenters/node-wire.js';
import { MetadataReader } from '../storage/metadata-reader.js';
import { orderOf } from '../storage/order.js';
import { presentInvite } from './share.presenter.js';
import { InvitesDto, ShareFileDto, ShareMetadataDto } from './shares.dto.js';

/** What the hash of a share, or of an invitation, lets its holder see (contract 10). Paths begin at the shared folder. */
@CloudikeController('shares')
export class ShareReadsController {
  constructor(
    private readonly door: ShareDoor,
    private readonly lists: ShareListService,
    private readonly links: LinkInfo,
    private readonly reader: MetadataReader,
    private readonly downloads: DownloadService,
    private readonly wire: NodeWire,
  ) {}

  @Route('shares/metadata/<hash>/<path>', { auth: 'optional', summary: 'Metadata of what is shared, with paths below it' })
  async metadata(
    @OptionalActor() caller: AccountActor | null,
    @UrlSegment('hash') hash: string,
    @PathTail() path: string[],
    @Params(ShareMetadataDto) params: ShareMetadataDto,
  ) {
    const { actor, base } = await this.door.byHash(hash, caller);
    const found = await this.reader.read(actor, {
      node: { path: [...base, ...path] },
      listing: params.listing ?? true,
      versionNo: params.version || undefined,
      dirsOnly: params.dirsOnly ?? false,
      includeRemoved: false,
      ...orderOf(params.orderBy),
      offset: params.offset ?? 0,
      limit: params.limit ?? 0,
      cursor: params.cursor || null,
    });
    return presentMetadata(below(base, found), await this.wire.around(actor, nodesOf(found)), { extra: params.extra });
  }

  /** The contract prints one URL for three calls: without a hash it is the list of invitations, with one what the holder of a link or a share may ask. */
  @Route('shares/invites', { auth: 'optional', summary: 'Invitations that wait for an answer; with `hash` what a link is, or what is shared' })
  async invites(@OptionalActor() caller: AccountActor | null, @Params(InvitesDto) { hash, path, ...params }: InvitesDto) {
    if (hash) return path === undefined ? this.ofHash(caller, hash, params) : this.metadata(caller, hash, path, params);
    if (!caller) throw new DomainError('UNAUTHENTICATED', 'Sign in to see your invitations.');
    return (await this.lists.invites(caller)).map(presentInvite);
  }

  @Route(['shares/get/<hash>/<path>', 'get/<hash>/<path>'], { auth: 'optional', summary: 'A URL that gives the bytes of a shared file' })
  async get(
    @OptionalActor() caller: AccountActor | null,
    @UrlSegment('hash') hash: string,
    @PathTail() tail: string[],
    @Params(ShareFileDto) { path = [], version, forView }: ShareFileDto,
  ) {
    const { actor, base } = await this.door.byHash(hash, caller);
    const node = { path: [...base, ...(tail.length > 0 ? tail : path)] };
    const link = await this.downloads.link(actor, { node, versionNo: version || undefined, inline: forView ?? false, includeRemoved: false });
    return presentDownload({ ...link, node: relative(base, link.node) });
  }

  /** What a link is; or, when the hash is that of no link, the shared folder. */
  private async ofHash(caller: AccountActor | null, hash: string, params: ShareMetadataDto) {
    try {
      return await this.links.of(hash, caller);
    } catch (error) {
      if (!isDomainError(error, 'LINK_NOT_FOUND')) throw error;
      return this.metadata(caller, hash, [], params).catch((other: unknown) => {
        throw isDomainError(other, 'NODE_NOT_FOUND') ? error : other;
      });
    }
  }
}

/** The same with the path that begins at the shared folder, which a member has somewhere in his home. */
function below(base: readonly string[], found: FolderListing | LocatedNode): FolderListing | LocatedNode {
  return 'folder' in found ? { ...found, folder: relative(base, found.folder) } : relative(base, found);
}

function relative(base: readonly string[], node: LocatedNode): LocatedNode {
  if (base.length === 0) return node;
  const names = node.path.split('/').slice(1 + base.length);
  return { ...node, path: `/${names.join('/')}` };
}
