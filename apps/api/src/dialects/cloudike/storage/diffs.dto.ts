import { Int, Ms, Path, Text } from '../http/index.js';

export class CreateFromDiffDto {
  @Path({ required: true })
  path: string[];

  @Int({ required: true, description: 'The version that the delta is made against: the current one.' })
  version: number;

  @Text({ required: true, maxBytes: 16, description: 'CRC-32 of that version at the client, as hex.' })
  checksum: string;

  @Ms()
  created?: number;

  @Ms()
  modified?: number;

  @Text({ maxBytes: 1024 })
  deviceId?: string;

  @Text({ maxBytes: 1024 })
  deviceReference?: string;
}

export class GetDiffDto {
  @Int({ required: true, description: 'The version that the client has.' })
  version: number;
}
