import { BrowseService } from '#libs/files';
import type { AccountActor } from '#libs/kernel';

import { CloudikeController, CurrentActor, Header, Params, PathTail, Route } from '../http/index.js';
import { knownHash } from '../presenters/etag.js';
import { nodesOf, presentMetadata } from '../presenters/listing.presenter.js';
import { NodeWire } from '../presenters/node-wire.js';
import { MetadataReader } from './metadata-reader.js';
import { MetadataDto, PageDto, SearchDto } from './metadata.dto.js';
import { kindOf, orderOf } from './order.js';

@CloudikeController('metadata')
export class MetadataController {
  constructor(
    private readonly reader: MetadataReader,
    private readonly browse: BrowseService,
    private readonly wire: NodeWire,
  ) {}

  @Route('metadata/<path>', { auth: 'account', summary: 'Metadata of a file, or of a folder with its listing' })
  async metadata(
    @CurrentActor() actor: AccountActor,
    @PathTail() path: string[],
    @Params(MetadataDto) params: MetadataDto,
    @Header('If-None-Match') ifNoneMatch?: string,
  ) {
    const found = await this.reader.read(actor, {
      node: { path },
      listing: params.listing ?? true,
      versionNo: params.version || undefined,
      dirsOnly: params.dirsOnly ?? false,
      includeRemoved: params.deleted ?? false,
      ...orderOf(params.orderBy),
      offset: params.offset ?? 0,
      limit: params.limit ?? 0,
      cursor: params.cursor || null,
      knownEtag: knownHash(params.hash, ifNoneMatch) ?? null,
    });
    return presentMetadata(found, await this.wire.around(actor, nodesOf(found)), { extra: params.extra });
  }

  @Route('files/search', { auth: 'account', summary: 'Files and folders whose name holds a text' })
  async search(@CurrentActor() actor: AccountActor, @Params(SearchDto) params: SearchDto) {
    const { entries, isLastPage } = await this.browse.search(actor, {
      query: params.query,
      under: params.path && { path: params.path },
      ...kindOf(params.type),
      ...(params.orderBy === undefined ? {} : orderOf(params.orderBy)),
      offset: params.offset ?? 0,
      limit: params.limit ?? 0,
    });
    return { content: await this.wire.nodes(actor, entries, { extra: params.extra }), is_last_page: isLastPage };
  }

  @Route('files/favorites', { auth: 'account', summary: 'What the user marked as favourite' })
  async favorites(@CurrentActor() actor: AccountActor, @Params(PageDto) { offset = 0, limit = 0 }: PageDto) {
    return this.wire.nodes(actor, await this.browse.favorites(actor, { offset, limit }));
  }
}
