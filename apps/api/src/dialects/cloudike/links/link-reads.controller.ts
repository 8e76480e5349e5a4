import { DownloadService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import { LinkUsage } from '#libs/links';

import { type Caller, CloudikeController, CurrentCaller, Header, OptionalActor, Params, PathTail, Reply, Route, UrlSegment } from '../http/index.js';
import { presentDownload } from '../presenters/download.presenter.js';
import { knownHash } from '../presenters/etag.js';
import { nodesOf, presentMetadata } from '../presenters/listing.presenter.js';
import { NodeWire } from '../presenters/node-wire.js';
import { MetadataReader } from '../storage/metadata-reader.js';
import { orderOf } from '../storage/order.js';
import { LinkHolder } from './link-holder.js';
import { LinkInfo } from './link-info.js';
import { LinkFileDto, LinkMetadataDto } from './links.dto.js';

/** What the holder of a link sees and takes (contract 11). */
@CloudikeController('links')
export class LinkReadsController {
  constructor(
    private readonly holder: LinkHolder,
    private readonly infos: LinkInfo,
    private readonly usage: LinkUsage,
    private readonly reader: MetadataReader,
    private readonly downloads: DownloadService,
    private readonly wire: NodeWire,
  ) {}

  @Route('links/info/<hash>', { auth: 'optional', summary: 'What a link is: its end, its limits, whether it needs a password' })
  info(@OptionalActor() actor: AccountActor | null, @UrlSegment('hash') hash: string) {
    return this.infos.of(hash, actor);
  }

  @Route('links/get/<hash>/<path>', { auth: 'public', head: false, summary: 'A URL that gives the bytes of a published file; counts one download' })
  async get(@UrlSegment('hash') hash: string, @PathTail() tail: string[], @Params(LinkFileDto) params: LinkFileDto, @CurrentCaller() caller: Caller) {
    const opened = await this.holder.forDownload(hash, params, caller);
    const path = tail.length > 0 ? tail : (params.path ?? []);
    const link = await this.usage.counted(opened, () =>
      this.downloads.link(opened.guest, { node: { path }, inline: params.forView ?? false, includeRemoved: false }),
    );
    return presentDownload(link);
  }

  @Route('links/metadata/<hash>/<path>', { auth: 'public', summary: 'Metadata of what is published, with paths below it' })
  async metadata(
    @UrlSegment('hash') hash: string,
    @PathTail() path: string[],
    @Params(LinkMetadataDto) params: LinkMetadataDto,
    @CurrentCaller() caller: Caller,
    @Header('If-None-Match') ifNoneMatch?: string,
  ) {
    const { guest, root } = await this.holder.forDownload(hash, params, caller);
    const found = await this.reader.read(guest, {
      node: { path },
      listing: params.listing ?? true,
      dirsOnly: params.dirsOnly ?? false,
      includeRemoved: false,
      ...orderOf(params.orderBy),
      offset: params.offset ?? 0,
      limit: params.limit ?? 0,
      cursor: params.cursor || null,
      knownEtag: knownHash(params.hash, ifNoneMatch) ?? null,
    });
    const reply = presentMetadata(found, await this.wire.around(guest, nodesOf(found)), { extra: params.extra });
    if (path.length > 0 || reply.status !== 200) return reply;
    // The name of the root cannot be read from its path.
    return Reply.json(200, { ...(reply.body as object), name: root.name }, reply.headers);
  }
}
