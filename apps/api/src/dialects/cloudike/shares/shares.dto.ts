import { Bool, Int, Path, Text } from '../http/index.js';
import { ListingDto } from '../storage/metadata.dto.js';

/** A folder by its path, in the caller's home or, for administrators, in that of `userid`. */
export class ShareFolderDto {
  @Path({ required: true })
  path!: string[];

  @Int({ aliases: ['user_id', 'owner_id'], description: 'The owner, when an administrator acts for him.' })
  userid?: number;
}

/** The same on company/admin/shares, where the owner must be named. */
export class AdminShareFolderDto {
  @Path({ required: true })
  path!: string[];

  @Int({ required: true, aliases: ['user_id', 'owner_id'] })
  userid!: number;
}

const MEMBER = { aliases: ['member_email', 'login', 'email'], maxBytes: 1024, description: 'email:a@b.c, a bare address, or userid:7.' } as const;
const GROUP = { description: 'A group instead of a member; wins.' } as const;

export class ShareMemberDto extends ShareFolderDto {
  @Text(MEMBER)
  memberLogin?: string;

  @Int(GROUP)
  groupId?: number;
}

export class AdminShareMemberDto extends AdminShareFolderDto {
  @Text(MEMBER)
  memberLogin?: string;

  @Int(GROUP)
  groupId?: number;
}

export class AddShareDto extends ShareMemberDto {
  @Bool({ description: 'The member may change what is in the folder.' })
  writer?: boolean;

  @Text({ aliases: ['invitataion'], maxBytes: 4096 })
  invitation?: string;

  @Bool({ description: 'Whoever knows the hash may read.' })
  publicView?: boolean;

  @Text({ maxBytes: 16, description: 'Language of the mail to an address without an account.' })
  lang?: string;

  @Bool()
  useFolderLimit?: boolean;

  @Int({ description: 'Bytes that the folder may hold.' })
  folderLimit?: number;
}

export class UpdateShareDto extends ShareMemberDto {
  @Bool({ required: true })
  writer!: boolean;
}

export class ShareHashDto {
  @Text({ required: true, maxBytes: 256, aliases: ['invite_hash'] })
  hash!: string;
}

export class ListSharesDto {
  @Text({ aliases: ['whoose'], maxBytes: 32, description: 'my, others or company; all when absent.' })
  whose?: string;
}

export class SizeLimitDto extends ShareFolderDto {
  @Int({ description: 'Bytes.' })
  sizeLimit?: number;

  @Bool({ description: 'false: no limit.' })
  enable?: boolean;
}

/** What shares/metadata takes beside hash and path. */
export class ShareMetadataDto extends ListingDto {
  @Int()
  version?: number;
}

export class InvitesDto extends ShareMetadataDto {
  @Text({ maxBytes: 128, description: 'Of a public link, or of a share or invitation.' })
  hash?: string;

  @Path({ description: 'Below the shared folder.' })
  path?: string[];
}

export class ShareFileDto {
  @Path({ description: 'When it is not in the URL.' })
  path?: string[];

  @Int()
  version?: number;

  @Bool()
  forView?: boolean;
}
