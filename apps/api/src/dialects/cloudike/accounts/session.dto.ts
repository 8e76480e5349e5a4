import { Bool, Int, Text } from '../http/index.js';

export class TokenWishDto {
  @Bool({ description: 'true: a token without end.' })
  permanentAuth?: boolean;

  @Text({ maxBytes: 4096, description: 'Shown in the list of tokens; a permanent token without one gets date and user agent.' })
  deviceDescription?: string;
}

/** Wish and second factor of a person who signs in. */
export class PersonDto extends TokenWishDto {
  @Text({ maxBytes: 64, description: 'Code of the second factor, or a recovery code, where one is on.' })
  otp?: string;
}

export class OtpDto {
  @Text({ maxBytes: 64, description: 'Code of the second factor, or a recovery code, where one is on.' })
  otp?: string;
}

export class LoginDto extends PersonDto {
  @Text({ maxBytes: 1024, description: '`email:<address>`, `msisdn:<digits>`, or a bare address or phone number.' })
  login?: string;

  @Text({ maxBytes: 1024 })
  email?: string;

  @Text({ maxBytes: 1024 })
  phone?: string;

  @Text({ maxBytes: 1024, description: 'One-time key; replaces login and password.' })
  key?: string;

  @Text({ maxBytes: 4096 })
  password?: string;
}

export class LoginByPhoneDto extends PersonDto {
  @Text({ required: true, maxBytes: 1024 })
  phone!: string;

  @Text({ required: true, maxBytes: 4096 })
  password!: string;
}

export class LoginByKeyDto extends PersonDto {
  @Text({ required: true, maxBytes: 1024 })
  key!: string;
}

export class OauthUrlDto extends TokenWishDto {
  @Int({ description: 'Sign in at the identity provider of this company.' })
  companyId?: number;

  @Text({ maxBytes: 256, description: 'The same, by the domain of the company.' })
  domain?: string;

  @Text({ required: true, maxBytes: 4096, description: 'Absolute http(s) URL of the client.' })
  oauthCallback!: string;

  @Text({ maxBytes: 1024 })
  clientId?: string;
}

export class AuthorizeDto extends OtpDto {
  @Text({ required: true, maxBytes: 1024, aliases: ['oauth_token'] })
  requestToken!: string;

  @Text({ maxBytes: 1024, aliases: ['email'] })
  login?: string;

  @Text({ maxBytes: 4096 })
  password?: string;
}

export class OauthConfirmDto extends OtpDto {
  @Text({ required: true, maxBytes: 1024 })
  oauthToken!: string;

  @Text({ required: true, maxBytes: 1024 })
  oauthVerifier!: string;
}
