import { Bool, Int, Path, PathList, Text } from '../http/index.js';
import { KnownListingDto } from '../storage/metadata.dto.js';
import { CreatePartDto, NewFileDto } from '../storage/uploads.dto.js';

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

const LinkPassword = (): PropertyDecorator => Text({ maxBytes: 1024, description: 'When the link has one.' });

export class LinkKeyDto {
  @LinkPassword()
  password?: string;
}

export class LinkFileDto extends LinkKeyDto {
  @Bool({ description: 'true: shown by the browser; false: saved.' })
  forView?: boolean;

  @Path({ description: 'When it is not in the URL.' })
  path?: string[];
}

export class LinkMetadataDto extends KnownListingDto {
  @LinkPassword()
  password?: string;
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

export class LinkUploadDto extends NewFileDto {
  @LinkPassword()
  password?: string;

  @Path({ required: true, description: 'The file, below the folder of the link. A name that is taken gets a number.' })
  path!: string[];
}

export class LinkUploadPartDto extends CreatePartDto {
  @LinkPassword()
  password?: string;
}
