import { Bool, Int, Md5, Ms, Path, PathList, Text } from '../http/index.js';

export class LinkPathDto {
  @Path({ required: true })
  path!: string[];
}

export class CreateLinkDto extends LinkPathDto {
  @Int({ min: 0, max: 31_536_000, description: 'Lifetime in seconds; 0 = without end. Absent: as it is.' })
  ttl?: number;

  @Int({ description: 'Whole downloads; 0 = not limited.' })
  downloadMax?: number;

  @Text({ maxBytes: 256, description: 'Empty = none.' })
  password?: string;

  @Bool({ description: 'true: mail when the link is used.' })
  notify?: boolean;

  @Bool({ description: 'true: files can be left in the folder, and nothing else.' })
  uploadFolder?: boolean;
}

export class ListLinksDto {
  @Text({ maxBytes: 256, aliases: ['public_hash'], description: 'Only the link with this hash.' })
  hash?: string;
}

export class LinkKeyDto {
  @Text({ maxBytes: 1024, description: 'When the link has one.' })
  password?: string;
}

export class LinkFileDto extends LinkKeyDto {
  @Bool({ description: 'true: shown by the browser; false: saved.' })
  forView?: boolean;

  @Path({ description: 'When it is not in the URL.' })
  path?: string[];
}

export class LinkMetadataDto extends LinkKeyDto {
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

  @Text({ maxBytes: 256, description: 'The hash that the client knows; unchanged = 304.' })
  hash?: string;
}

export class LinkArchiveDto extends LinkKeyDto {
  @PathList({ name: 'path', aliases: ['paths'], description: 'Files and folders below the link; absent = all of it.' })
  paths?: string[][];

  @Path({ description: 'The folder open in the client: names in the archive begin below it.' })
  parentFolder?: string[];

  @Bool({ description: 'true: names are made safe for Windows.' })
  isWin?: boolean;
}

export class AddToStorageDto extends LinkKeyDto {
  @Path({ description: 'The folder that takes it; absent = the root.' })
  targetPath?: string[];

  @PathList({ name: 'path', aliases: ['paths'], description: 'Files and folders below the link; absent = all of it.' })
  paths?: string[][];
}

export class LinkUploadDto extends LinkKeyDto {
  @Path({ required: true, description: 'The file, below the folder of the link. A name that is taken gets a number.' })
  path!: string[];

  @Ms()
  created?: number;

  @Ms()
  modified?: number;

  @Text({ maxBytes: 1024 })
  deviceId?: string;

  @Text({ maxBytes: 1024 })
  deviceReference?: string;

  @Int()
  size?: number;

  @Md5()
  checksum?: string;

  @Bool()
  multipart?: boolean;
}

export class LinkUploadPartDto extends LinkKeyDto {
  @Text({ required: true })
  tempPath!: string;

  @Int({ required: true, min: 1, max: 10_000, description: 'From 1; asking again replaces the part.' })
  partNum!: number;
}
