import { Bool, Int, Path, Text } from '../http/index.js';

export class CompanyAddDto {
  @Path({ required: true })
  path!: string[];

  @Text({ maxBytes: 1024, description: 'How the folder is called in the company; its own name when absent.' })
  publicName?: string;
}

export class CompanyHideDto {
  @Text({ maxBytes: 256 })
  folderHash?: string;

  @Path()
  path?: string[];
}

export class CompanyFoldersDto {
  @Text({ maxBytes: 256 })
  folderHash?: string;

  @Int()
  offset?: number;

  @Int({ description: '0: as many as one page holds.' })
  limit?: number;

  @Bool({ description: 'With all paths; administrators of the company.' })
  showAll?: boolean;
}

export class CompanyFolderDto {
  @Text({ maxBytes: 256 })
  folderHash?: string;
}

export class CompanySharedDto {
  @Text({ maxBytes: 256, description: "Part of the owner's name." })
  name?: string;

  @Int()
  offset?: number;

  @Int({ description: 'Of shares and of links, each.' })
  limit?: number;

  @Int({ description: 'Another company; administrators of the system.' })
  companyId?: number;
}

export class CompanyRequestDto {
  @Text({ required: true, maxBytes: 256 })
  folderHash!: string;

  @Text({ aliases: ['invitataion'], maxBytes: 4096 })
  invitation?: string;
}

export class CompanyAcceptDto {
  @Text({ required: true, maxBytes: 256, aliases: ['hash'], description: "The request's hash, or the folder's with `user_id`." })
  folderHash!: string;

  @Bool()
  writer?: boolean;

  @Int({ aliases: ['userid'], description: 'Who asks.' })
  userId?: number;
}
