import { Bool, IdList, Int, Json, Md5, Ms, Text } from '../http/index.js';

const LINE = 1024;

export class CompanyChangeDto {
  @Text({ maxBytes: LINE })
  name?: string;

  @Text({ maxBytes: LINE, description: 'A host name; empty = none.' })
  domain?: string;

  @Bool()
  publicLinksAllow?: boolean;

  @Bool()
  sharingOutsideAllow?: boolean;

  @Bool()
  folderCreateAdminOnly?: boolean;

  @Bool()
  folderLimitCreationAllow?: boolean;

  @Bool()
  companyFolderCreationAllow?: boolean;

  @Bool()
  payByBank?: boolean;

  @Bool()
  restrictMobileUsing?: boolean;

  @Text({ maxBytes: 16, description: 'HH:MM, or empty.' })
  mobileUsingStartAt?: string;

  @Text({ maxBytes: 16, description: 'HH:MM, or empty.' })
  mobileUsingEndAt?: string;

  @Bool()
  canUseMobile?: boolean;

  @Bool()
  canUsePcClient?: boolean;

  @Text({ maxBytes: LINE })
  wizardState?: string;

  @Text({ maxBytes: LINE })
  phoneNumber?: string;

  @Bool()
  useCustomAgreement?: boolean;

  @Bool()
  customAgreementShown?: boolean;

  @Text({ maxBytes: 65_536 })
  customAgreement?: string;

  @Int({ description: 'Days; 0 = not limited.' })
  passwordLifetime?: number;

  @Bool()
  passwordReuseAllow?: boolean;

  @Bool({ description: 'Members get in only with a second factor.' })
  secondFactorRequired?: boolean;

  @Text({ maxBytes: LINE })
  notificationEmail?: string;

  @Text({ maxBytes: 16 })
  lang?: string;

  @Int({ description: 'Minutes.' })
  logoutTimeout?: number;

  @Bool()
  logoutTimeoutEnable?: boolean;

  @Bool()
  ldapIsEnabled?: boolean;

  @Text({ maxBytes: LINE })
  ldapAddress?: string;

  @Int()
  ldapPort?: number;

  @Text({ maxBytes: LINE })
  ldapBasedn?: string;

  @Text({ maxBytes: LINE })
  ldapUserAttribute?: string;

  @Text({ maxBytes: LINE })
  ldapUserAgentDn?: string;

  @Text({ maxBytes: LINE, description: 'Empty = as it was.' })
  ldapUserAgentPassword?: string;
}

export class AgreementDto {
  @Bool({ required: true, description: 'Whether the company has an agreement of its own.' })
  value!: boolean;

  @Bool()
  show?: boolean;

  @Text({ maxBytes: 65_536 })
  agreement?: string;
}

export class ReferenceDto {
  @Text({ required: true, maxBytes: LINE })
  referenceEmail!: string;
}

export class StatusDto {
  @Text({ maxBytes: 32, description: 'active or inactive; absent = read.' })
  status?: string;
}

export class DenyDto {
  @Text({ maxBytes: LINE })
  reason?: string;
}

export class ExpiredDto {
  @Bool({ description: 'true when absent.' })
  expired?: boolean;
}

export class CompanyQuotaDto {
  @Int({ min: -1, description: 'Bytes; 0 and -1 = not limited.' })
  quotaSize?: number;

  @Int({ min: -1, description: 'Bytes; absent: quota_size.' })
  hardQuotaSize?: number;

  @Int({ description: '0 = not limited.' })
  quotaEmployeesCount?: number;

  @Text({ maxBytes: LINE })
  plan?: string;
}

export class FindCompaniesDto {
  @Int()
  offset?: number;

  @Int()
  limit?: number;

  @Text({
    maxBytes: 64,
    description: 'company_id, name, domain, status, owner_id, registration_date, employees_count, quota_employees_count or storage_size.',
  })
  orderField?: string;

  @Text({ maxBytes: 16, description: 'ASCENDING or DESCENDING.' })
  orderDirection?: string;

  @Int()
  companyId?: number;

  @Text({ maxBytes: LINE })
  status?: string;

  @Text({ maxBytes: LINE })
  name?: string;

  @Int()
  ownerId?: number;

  @Text({ maxBytes: LINE })
  domain?: string;

  @Ms()
  registrationDate?: number;

  @Int()
  employeesCount?: number;

  @Int()
  quotaEmployeesCount?: number;

  @Int()
  storageSize?: number;

  @Int()
  storageSizeFrom?: number;

  @Int()
  storageSizeTo?: number;

  @IdList()
  companyIdIn?: number[];

  @Json({ description: 'A JSON array.' })
  nameIn?: unknown;

  @IdList()
  ownerIdIn?: number[];

  @Json({ description: 'A JSON array.' })
  domainIn?: unknown;
}

export class LogoUploadDto {
  @Int()
  size?: number;

  @Md5()
  checksum?: string;
}

export class LogoConfirmDto extends LogoUploadDto {
  @Text({ required: true, maxBytes: 256 })
  tempName!: string;
}

export class PaymentMethodDto {
  @Text({ required: true, maxBytes: 64 })
  method!: string;
}

export class CompanyUserDto {
  @Int({ required: true, aliases: ['userid'] })
  userId!: number;
}

export class RemoveUserDto extends CompanyUserDto {
  @Bool({ description: 'Wipe the devices too.' })
  needWipe?: boolean;

  @Bool({ description: 'true: the files go to `transfer_login`; false: they are erased.' })
  transferFile?: boolean;

  @Text({ maxBytes: LINE, description: 'Which member gets the files; absent: who calls, or the owner.' })
  transferLogin?: string;

  @Bool({ description: 'true: begin at once, nobody has to confirm it.' })
  autoRemove?: boolean;
}

export class ListUsersDto {
  @Int()
  offset?: number;

  @Int({ description: '0: as many as one page holds.' })
  limit?: number;

  @Text({ maxBytes: 64, description: 'name, userid or created; with a leading - for descending.' })
  orderBy?: string;

  @Text({ maxBytes: LINE, description: 'Part of a name or login.' })
  name?: string;
}

export class InviteDto {
  @Text({ required: true, maxBytes: LINE, aliases: ['login'] })
  email!: string;

  @Text({ maxBytes: 4096 })
  invitation?: string;

  @Text({ maxBytes: 16 })
  lang?: string;
}

export class CompanyUsersDto {
  @IdList({ required: true, aliases: ['users_id', 'user_ids', 'userid'] })
  userId!: number[];

  @Text({ maxBytes: LINE })
  reason?: string;

  @Bool({ description: 'users_disable: wipe the devices too.' })
  remoteWipe?: boolean;
}

export class MembersQuotaDto {
  @IdList({ required: true, aliases: ['user_ids', 'user_id', 'userid'] })
  usersId!: number[];

  @Int({ required: true, min: -1, description: 'Bytes; 0 and -1 = not limited.' })
  quotaSize!: number;

  @Int({ min: -1, description: 'Bytes; absent: quota_size.' })
  hardQuotaSize?: number;

  @Int({ description: "Another company than the caller's own; for system administrators." })
  companyId?: number;
}

export class RequestQuotaDto extends CompanyUserDto {
  @Text({ maxBytes: 4096 })
  comment?: string;

  @Bool({ description: 'Present: an administrator has seen the request.' })
  viewed?: boolean;
}

export class MemberRuleDto extends CompanyUserDto {
  @Bool({ required: true })
  value!: boolean;

  @Int()
  companyId?: number;
}

export class MemberIpDto extends CompanyUserDto {
  @Bool({ required: true, aliases: ['value'] })
  ipRestriction!: boolean;

  @Text({ maxBytes: 32_768, description: 'Addresses and CIDR blocks, separated by commas.' })
  allowedIps?: string;

  @Int()
  companyId?: number;
}

export class MemberExpiryDto extends CompanyUserDto {
  @Ms({ required: true })
  expired!: number;

  @Int()
  companyId?: number;
}

export class ListDevicesDto {
  @Int({ required: true, aliases: ['user_id'] })
  userid!: number;

  @Bool()
  includeNotPermanent?: boolean;
}

export class DeviceDto {
  @Text({ required: true, maxBytes: 256 })
  tokenId!: string;

  @Bool({ description: 'true: the device is wiped, and its token stays until that is done.' })
  remoteWipe?: boolean;
}
