import { IsIn } from 'class-validator';

import type { NoticeBehavior, NoticeStatus, NoticeType } from '#libs/events';

import { Bool, Int, List, Ms, Text } from '../http/index.js';

const PERSONS = ['me', 'other'] as const;
const NOTICE_TYPES = ['global', 'personal'] as const;
const BEHAVIORS = ['interactive', 'static'] as const;
const STATUSES = ['new', 'viewed', 'waiting', 'declined', 'accepted'] as const;

export class EventFilterDto {
  @List({ maxItems: 100, aliases: ['types'], description: 'Event types; absent or empty = all.' })
  type?: string[];

  @Text({ maxBytes: 16, description: 'me: what the caller did; other: what others did.' })
  @IsIn(['', ...PERSONS, undefined], { message: 'The parameter "person" is me or other.' })
  person?: '' | (typeof PERSONS)[number];

  @Ms({ description: 'Not older than this, in ms since the epoch.' })
  fromTimestamp?: number;

  @Ms({ description: 'Not younger than this, in ms since the epoch.' })
  toTimestamp?: number;

  @Int({ max: 36_500, description: 'Only the last so many days; 0 = all.' })
  period?: number;

  @Bool({ description: 'Accepted for old clients: figures of the storage are pushed to websockets and never listed.' })
  notIncludeStorageInfo?: boolean;
}

export class EventListDto extends EventFilterDto {
  @Int({ max: 1_000_000 })
  skip?: number;

  @Int({ description: 'At most 100 (default 20).' })
  limit?: number;
}

export class NoticeListDto {
  @Text({ maxBytes: 16 })
  @IsIn(['', ...NOTICE_TYPES, undefined], { message: 'The parameter "type" is global or personal.' })
  type?: '' | NoticeType;

  @Text({ maxBytes: 16 })
  @IsIn(['', ...BEHAVIORS, undefined], { message: 'The parameter "behavior" is interactive or static.' })
  behavior?: '' | NoticeBehavior;

  @Text({ maxBytes: 16 })
  @IsIn(['', ...STATUSES, undefined], { message: 'The parameter "status" is new, viewed, waiting, declined or accepted.' })
  status?: '' | NoticeStatus;

  @Text({ maxBytes: 64, description: 'Accepted for old clients: all notices belong to the one scope, `abstract`.' })
  scope?: string;
}
