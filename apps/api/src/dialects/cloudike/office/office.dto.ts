import { Int, Path, Text } from '../http/index.js';

export class OfficeViewDto {
  @Path({ required: true })
  path!: string[];

  @Int({ description: 'An older version of the file.' })
  version?: number;
}

export class OfficeEditDto {
  @Path({ required: true })
  path!: string[];
}

export class OfficeLinkDto {
  @Text({ required: true, maxBytes: 256, aliases: ['public_hash'] })
  hash!: string;

  @Path({ description: 'Of a file below the folder that the link leads to.' })
  path?: string[];

  @Text({ maxBytes: 1024 })
  password?: string;
}
