import { Bool, IdList, Int, Text } from '../http/index.js';

const COMPANY = { description: "Another company than the caller's own; for system administrators." } as const;

export class GroupNameDto {
  @Text({ required: true, maxBytes: 1024 })
  name!: string;

  @Int(COMPANY)
  companyId?: number;
}

export class ListGroupsDto {
  @Int()
  offset?: number;

  @Int({ description: '0: as many as one page holds.' })
  limit?: number;

  @Text({ maxBytes: 64, description: 'name, -name, members_count or -members_count.' })
  orderBy?: string;

  @Bool({ description: 'Adds the first members of each group.' })
  includeUsers?: boolean;

  @Int(COMPANY)
  companyId?: number;
}

export class RenameGroupDto {
  @Text({ required: true, maxBytes: 1024 })
  name!: string;
}

export class MembersDto {
  @IdList({ required: true, aliases: ['users_id', 'user_id', 'userid'] })
  userIds!: number[];
}

export class GroupPageDto {
  @Int()
  offset?: number;

  @Int({ description: '0: as many as one page holds.' })
  limit?: number;
}

export class PolicyDto {
  @Bool({ required: true })
  value!: boolean;
}

export class IpRestrictionDto {
  @Bool({ aliases: ['value'] })
  ipRestriction?: boolean;

  @Text({ maxBytes: 32_768, description: 'Addresses and CIDR blocks, separated by commas.' })
  allowedIps?: string;
}
