import { Bool, Int, List, Path, Text } from '../http/index.js';

export class HandoverDto {
  @Path({ required: true })
  path!: string[];

  @Int({ required: true, aliases: ['userid', 'user_id'], description: 'A member who has accepted the folder.' })
  memberId!: number;
}

export class ListMigrationsDto {
  @Path({ description: 'Of the source.' })
  path?: string[];

  @Text({ aliases: ['whose'], maxBytes: 16, description: '`my` or `others`; all when absent.' })
  whoose?: string;

  @List({ description: 'requested, accepted (finds done as well), done, failed.' })
  status?: string[];
}

export class AddMigrationDto {
  @Text({ required: true, aliases: ['login', 'member_email'], maxBytes: 1024, description: 'email:a@b.c, a bare address, or userid:7.' })
  memberLogin!: string;

  @Path({ description: 'Default: everything.' })
  path?: string[];

  @Text({ aliases: ['invitataion'], maxBytes: 4096 })
  invitation?: string;

  @Bool({ description: 'The source goes to the trash when it has been copied.' })
  cleanup?: boolean;
}

export class MigrationHashDto {
  @Text({ required: true, maxBytes: 256 })
  hash!: string;
}
