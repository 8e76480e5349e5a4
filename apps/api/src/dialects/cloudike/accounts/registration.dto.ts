import { Bool, Int, Ms, Text } from '../http/index.js';

export class CreateAccountDto {
  @Text({ required: true, maxBytes: 1024, aliases: ['login'] })
  email!: string;

  @Text({ required: true, maxBytes: 256 })
  password!: string;

  @Text({ required: true, maxBytes: 256 })
  name!: string;

  @Text({ maxBytes: 16 })
  lang?: string;

  @Text({ maxBytes: 1024, description: 'Of an invitation mail: the address needs no confirmation.' })
  inviteHash?: string;

  @Text({ maxBytes: 256, description: 'Founds a company that the new account owns.' })
  companyName?: string;

  @Text({ maxBytes: 256 })
  companyPlan?: string;

  @Text({ maxBytes: 256 })
  companyDomain?: string;

  @Bool()
  userAgreement?: boolean;

  @Bool()
  marketingAgreement?: boolean;

  @Bool({ description: 'An administrator makes a confirmed member; the answer holds a token of the new account.' })
  createdManually?: boolean;

  @Int()
  companyId?: number;

  @Ms({ description: 'When the member can no longer sign in.' })
  expired?: number;

  @Bool()
  canDownload?: boolean;

  @Bool()
  canPrint?: boolean;

  @Bool()
  pcCanDownload?: boolean;

  @Bool()
  useWatermarks?: boolean;

  @Bool()
  userMobileRestriction?: boolean;

  @Text({ maxBytes: 64, description: '`admin` makes the member an administrator of the company.' })
  permission?: string;
}

export class CreateByPhoneDto {
  @Text({ required: true, maxBytes: 64 })
  phone!: string;

  @Text({ required: true, maxBytes: 256 })
  password!: string;

  @Text({ maxBytes: 256 })
  name?: string;

  @Text({ maxBytes: 16 })
  lang?: string;
}

export class HashDto {
  @Text({ required: true, maxBytes: 1024 })
  hash!: string;
}

export class ApproveDto extends HashDto {
  @Text({ maxBytes: 64, description: 'Code of the second factor, or a recovery code, where one is on.' })
  otp?: string;
}

export class LoginNameDto {
  @Text({ required: true, maxBytes: 1024, aliases: ['email'] })
  login!: string;
}
