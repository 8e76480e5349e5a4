import { IsIn } from 'class-validator';

import { type KeyRights, SETTING_NAMES, type SettingName } from '#libs/settings';

import { Bool, Int, Json, Text } from '../http/index.js';

export class SettingDto {
  @Text({ maxBytes: 64, description: 'Absent: nothing is changed.' })
  @IsIn([...SETTING_NAMES, undefined], { message: `The parameter "name" is one of ${SETTING_NAMES.join(', ')}.` })
  name?: SettingName;

  @Bool({ description: 'Required with `name`.' })
  value?: boolean;
}

const RIGHTS: readonly KeyRights[] = ['all', 'user', 'admin'];

export class KeyValueDto {
  @Json({ description: 'Present: the key is set. Any JSON value; a text that is no JSON stays a text.' })
  value?: unknown;

  @Text({ maxBytes: 16, description: 'Who may read it: all, user (everybody with an account) or admin.' })
  @IsIn([...RIGHTS, undefined], { message: 'The parameter "rights" is all, user or admin.' })
  rights?: KeyRights;
}

export class FeedbackDto {
  @Text({ required: true, maxBytes: 65_536 })
  comment!: string;

  @Text({ maxBytes: 256 })
  name?: string;

  @Text({ maxBytes: 254 })
  email?: string;
}

export class FeedbackListDto {
  @Int({ description: '0 = as many as one page may hold (2000); 20 when absent.' })
  limit?: number;

  @Int()
  offset?: number;

  @Text({ maxBytes: 64, description: 'date, email or userid.' })
  orderField?: string;

  @Text({ maxBytes: 16, description: 'ASCENDING or DESCENDING.' })
  orderDirection?: string;
}
