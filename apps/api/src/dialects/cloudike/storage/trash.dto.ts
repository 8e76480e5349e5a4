import { Bool, Int, List, Text } from '../http/index.js';

export class TrashListDto {
  @Bool()
  dirsOnly?: boolean;

  @Bool()
  extra?: boolean;

  @Int()
  offset?: number;

  @Int({ description: '0 = all.' })
  limit?: number;

  @Text({ maxBytes: 32 })
  orderBy?: string;

  @Text({ maxBytes: 256 })
  hash?: string;
}

export class TrashRestoreDto {
  @Bool({ description: 'false: what is at the old place stays, and the item too (default true).' })
  overwrite?: boolean;
}

export class TrashRestoreManyDto extends TrashRestoreDto {
  @List({ required: true, aliases: ['path', 'names', 'name'], description: 'Names of items in the trash.' })
  paths: string[];
}

export class TrashClearDto {
  @List({ aliases: ['path', 'names', 'name'], description: 'Names of items in the trash; absent = everything.' })
  paths?: string[];
}
