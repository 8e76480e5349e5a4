import { Bool, Int, List, Text } from '../http/index.js';

class OfUserDto {
  @Int({ description: 'For administrators: a user of theirs. Otherwise the caller.' })
  readonly userId?: number;
}

export class CreateKeyDto extends OfUserDto {
  @Text({ required: true, maxBytes: 255 })
  readonly name!: string;
}

export class CreateApiKeyDto extends CreateKeyDto {
  @List({ maxItems: 100, description: 'Names of the buckets that the key reaches; all, also later ones, when absent.' })
  readonly buckets?: string[];
}

export class CreateBucketDto extends CreateKeyDto {
  @Text({ maxBytes: 64, description: 'unlimited (default), free, pro or business.' })
  readonly plan?: string;
}

export class RevokeBucketDto extends CreateKeyDto {
  @Bool({ description: 'True: with all files in it. Otherwise a bucket that holds something is refused.' })
  readonly force?: boolean;
}

export class ListKeysDto extends OfUserDto {}

export class RevokeKeyDto extends OfUserDto {
  @Text({ required: true, maxBytes: 64 })
  readonly id!: string;
}
