import { Int, Path, Text } from '../http/index.js';
import { ClientFileDto } from './uploads.dto.js';

export class CreateFromDiffDto extends ClientFileDto {
  @Path({ required: true })
  path: string[];

  @Int({ required: true, description: 'The version that the delta is made against: the current one.' })
  version: number;

  @Text({ required: true, maxBytes: 16, description: 'CRC-32 of that version at the client, as hex.' })
  checksum: string;
}

export class GetDiffDto {
  @Int({ required: true, description: 'The version that the client has.' })
  version: number;
}
