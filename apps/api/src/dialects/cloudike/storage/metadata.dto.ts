import { Bool, Int, Path, Text } from '../http/index.js';

/** How much of a folder is told, and in which order; the same at home, through a link and in a share. */
export class ListingDto {
  @Bool({ aliases: ['list'], description: 'false: without `content` (default true).' })
  listing?: boolean;

  @Bool()
  dirsOnly?: boolean;

  @Bool({ description: 'false: without `extradata` (default true).' })
  extra?: boolean;

  @Int()
  offset?: number;

  @Int({ description: '0 = all.' })
  limit?: number;

  @Text({ maxBytes: 8192, description: '`next_cursor` of the page before; replaces `offset`.' })
  cursor?: string;

  @Text({ maxBytes: 32, description: 'name, modified_time or size, with a leading - for descending.' })
  orderBy?: string;
}

/** A listing that the client may know already. */
export class KnownListingDto extends ListingDto {
  @Text({ maxBytes: 256, description: 'The hash that the client knows; unchanged = 304.' })
  hash?: string;
}

export class MetadataDto extends KnownListingDto {
  @Bool({ description: 'true: also what is in the trash.' })
  deleted?: boolean;

  @Int({ description: 'A version of a file; ignored for folders.' })
  version?: number;
}

export class SearchDto {
  @Text({ required: true, maxBytes: 4096 })
  query: string;

  @Int()
  offset?: number;

  @Int()
  limit?: number;

  @Text({ maxBytes: 64, description: 'folder, image, video, audio, other, document, or an icon name.' })
  type?: string;

  @Text({ maxBytes: 32 })
  orderBy?: string;

  @Path({ description: 'Only below this folder.' })
  path?: string[];

  @Bool()
  extra?: boolean;
}

export class PageDto {
  @Int()
  offset?: number;

  @Int()
  limit?: number;
}
