import { Int, Text } from '../http/index.js';

class OfUserDto {
  @Int({ description: 'For administrators: a user of theirs. Otherwise the caller.' })
  readonly userId?: number;
}

export class CreateKeyDto extends OfUserDto {
  @Text({ required: true, maxBytes: 255 })
  readonly name!: string;
}

export class ListKeysDto extends OfUserDto {}

export class RevokeKeyDto extends OfUserDto {
  @Text({ required: true, maxBytes: 64 })
  readonly id!: string;
}
