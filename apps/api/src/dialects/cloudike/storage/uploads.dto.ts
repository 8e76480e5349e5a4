import { Bool, Int, List, Md5, Ms, Path, Text } from '../http/index.js';

/** What a client tells of the file that it has. */
export class ClientFileDto {
  @Ms()
  created?: number;

  @Ms()
  modified?: number;

  @Text({ maxBytes: 1024 })
  deviceId?: string;

  @Text({ maxBytes: 1024 })
  deviceReference?: string;
}

/** A file whose bytes will come, wherever it goes. */
export class NewFileDto extends ClientFileDto {
  @Int()
  size?: number;

  @Md5()
  checksum?: string;

  @Bool()
  multipart?: boolean;
}

export class CreateUploadDto extends NewFileDto {
  @Path({ required: true })
  path: string[];

  @Bool({ description: 'true: an existing file gets a new version; false: it is a conflict.' })
  overwrite?: boolean;

  @Int({ description: 'The version that the client takes for current; 0 = not given.' })
  version?: number;

  @Bool({ description: 'false: a missing parent folder is an error (default true).' })
  createDirs?: boolean;
}

export class CreatePartDto {
  @Text({ required: true })
  tempPath: string;

  @Int({ required: true, min: 1, max: 10_000, description: 'From 1; asking again replaces the part.' })
  partNum: number;
}

export class ConfirmUploadDto {
  @Int({ required: true, aliases: ['userid'] })
  userId: number;

  @Text({ required: true })
  tempName: string;
}

export class MultiConfirmDto {
  @List({ required: true, aliases: ['confirm_url'], description: 'The confirm_url of each upload.' })
  confirmUrls: string[];
}
