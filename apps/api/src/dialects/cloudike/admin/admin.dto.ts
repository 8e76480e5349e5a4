import { IsIn } from 'class-validator';

import type { AccountRole } from '#libs/kernel';

import { Bool, Int, Ms, Text } from '../http/index.js';

const LINE = 1024;

export class UserIdDto {
  @Int({ required: true, aliases: ['userid'] })
  userId!: number;
}

export class BlockUserDto extends UserIdDto {
  @Text({ maxBytes: LINE, description: 'Kept with the account.' })
  reason?: string;
}

export class DeleteUserDto extends UserIdDto {
  @Bool({ required: true, description: 'false: the user can be restored.' })
  immediately!: boolean;

  @Bool({ description: 'true: his files go to `migrate_login` first.' })
  migrateFile?: boolean;

  @Text({ maxBytes: LINE, description: 'Who gets the files; absent: the owner of his company.' })
  migrateLogin?: string;
}

export class NamedUserDto {
  @Int({ aliases: ['userid'], description: 'Or `login`.' })
  userId?: number;

  @Text({ maxBytes: LINE, description: 'Any login of the user.' })
  login?: string;
}

export class SetPasswordDto extends UserIdDto {
  @Text({ maxBytes: 256, description: 'Absent: one is made up and mailed.' })
  newPassword?: string;
}

export class FindUsersDto {
  @Int({ aliases: ['userid'] })
  userId?: number;

  @Text({ maxBytes: LINE, description: 'Part of any login.' })
  login?: string;

  @Text({ maxBytes: LINE, description: 'Part of the name.' })
  name?: string;

  @Text({ maxBytes: 16 })
  role?: string;

  @Bool()
  isActive?: boolean;

  @Bool()
  isDeleted?: boolean;

  @Ms()
  deletedDate?: number;

  @Ms()
  blockDate?: number;

  @Ms()
  registrationDateFrom?: number;

  @Ms()
  registrationDateTo?: number;

  @Ms()
  lastLoginFrom?: number;

  @Ms()
  lastLoginTo?: number;

  @Int({ description: 'Bytes.' })
  storageSizeFrom?: number;

  @Int({ description: 'Bytes.' })
  storageSizeTo?: number;

  @Bool()
  hasRegion?: boolean;

  @Text({ maxBytes: LINE })
  region?: string;

  @Int()
  companyId?: number;

  @Text({ maxBytes: LINE, description: 'Part of the name.' })
  companyName?: string;

  @Int({ description: '0 = as many as one page may hold (2000); 20 when absent.' })
  limit?: number;

  @Int()
  offset?: number;

  @Text({ maxBytes: 64, description: 'userid, name, registration_date, last_login, deleted_date, storage_size, role or company_id.' })
  orderField?: string;

  @Text({ maxBytes: 16, description: 'ASCENDING or DESCENDING.' })
  orderDirection?: string;
}

export class ActAsDto {
  @Int({ required: true, description: 'Whom to act as; the own id ends it.' })
  euserId!: number;

  @Text({ maxBytes: 256, description: 'A token of the administrator; absent: that of the call.' })
  token?: string;
}

const ROLES = ['user', 'moderator', 'admin'] as const satisfies AccountRole[];

export class AssignRoleDto extends UserIdDto {
  @Text({ required: true, maxBytes: 16, description: 'user, moderator or admin.' })
  @IsIn(ROLES, { message: 'The parameter "role" is user, moderator or admin.' })
  role!: AccountRole;
}

export class InviteUserDto {
  @Text({ required: true, maxBytes: LINE })
  email!: string;

  @Text({ maxBytes: 8192, aliases: ['invitataion'] })
  invitation?: string;

  @Text({ maxBytes: 16 })
  lang?: string;
}

export class EditUserDto extends UserIdDto {
  @Int({ min: -1, description: 'Hard limit in bytes; -1 and 0 = not limited.' })
  hardQuotaSize?: number;

  @Int({ min: -1, description: 'Soft limit in bytes; -1 and 0 = not limited.' })
  quotaSize?: number;

  @Text({ maxBytes: 256 })
  region?: string;
}
