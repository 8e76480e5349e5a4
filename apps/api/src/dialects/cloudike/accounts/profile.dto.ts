import { Bool, Int, Json, Text, Value } from '../http/index.js';

export class GetAccountDto {
  @Int({ aliases: ['userid'], description: 'Another account; honoured for administrators.' })
  userId?: number;

  @Bool({ description: 'Adds number and size of the files by type.' })
  storageStat?: boolean;
}

export class ChangeProfileDto {
  @Text({ maxBytes: 256 })
  name?: string;

  @Text({ maxBytes: 256 })
  password?: string;

  @Text({ maxBytes: 16, description: 'en, ru, de or ko.' })
  lang?: string;

  @Text({ maxBytes: 64, description: 'Name of the tz database.' })
  timezone?: string;

  @Json({ description: 'A JSON object.' })
  extraInfo?: unknown;
}

export class ListTokensDto {
  @Bool({ description: 'true: temporary tokens too.' })
  includeNotPermanent?: boolean;
}

export class TokenIdDto {
  @Text({ required: true, maxBytes: 256 })
  tokenId!: string;
}

export class SetValueDto {
  @Text({ required: true, maxBytes: 256 })
  key!: string;

  @Value({ required: true })
  value!: unknown;
}

export class GetValueDto {
  @Text({ maxBytes: 256, description: 'Absent: all values.' })
  key?: string;
}

export class RemoveLoginDto {
  @Text({ required: true, maxBytes: 1024 })
  login!: string;
}

export class AddEmailDto {
  @Text({ required: true, maxBytes: 1024 })
  email!: string;
}

export class AddPhoneDto {
  @Text({ required: true, maxBytes: 64 })
  phone!: string;
}

export class BasicPairDto {
  @Text({ maxBytes: 256, description: 'Made up when absent.' })
  login?: string;

  @Text({ maxBytes: 256, description: 'Made up when absent.' })
  password?: string;
}
