import { Bool, Int, Text } from '../http/index.js';

const LINK = 2_048;
const VERSION = 64;

export class PlatformDto {
  @Text({ required: true, maxBytes: 64, description: 'windows, mac, linux, android or ios.' })
  platform!: string;
}

export class PlatformFilterDto {
  @Text({ maxBytes: 64, description: 'Absent: all.' })
  platform?: string;
}

export class SetVersionDto extends PlatformDto {
  @Text({ required: true, maxBytes: VERSION })
  version!: string;

  @Text({ required: true, maxBytes: LINK })
  link!: string;

  @Int({ required: true, description: '0 = for everybody; n = for users whose id is a multiple of n.' })
  competition!: number;

  @Text({ maxBytes: 8_192 })
  description?: string;

  @Bool()
  critical?: boolean;
}

export class SetUpdateDto extends PlatformDto {
  @Text({ required: true, maxBytes: LINK })
  linkBase!: string;

  @Text({ required: true, maxBytes: VERSION })
  versionBase!: string;

  @Int({ required: true, description: '0 = the base pair for everybody; n = the other pair for users whose id is a multiple of n.' })
  competition!: number;

  @Text({ maxBytes: LINK })
  linkExp?: string;

  @Text({ maxBytes: VERSION })
  versionExp?: string;
}
