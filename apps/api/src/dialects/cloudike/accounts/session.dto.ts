import { Bool, Text } from '../http/index.js';

export class TokenWishDto {
  @Bool({ description: 'true: a token without end.' })
  permanentAuth?: boolean;

  @Text({ maxBytes: 4096, description: 'Shown in the list of tokens; a permanent token without one gets date and user agent.' })
  deviceDescription?: string;
}

export class LoginDto extends TokenWishDto {
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

export class LoginByPhoneDto extends TokenWishDto {
  @Text({ required: true, maxBytes: 1024 })
  phone!: string;

  @Text({ required: true, maxBytes: 4096 })
  password!: string;
}

export class LoginByKeyDto extends TokenWishDto {
  @Text({ required: true, maxBytes: 1024 })
  key!: string;
}

export class OauthUrlDto extends TokenWishDto {
  @Text({ required: true, maxBytes: 4096, description: 'Absolute http(s) URL of the client.' })
  oauthCallback!: string;

  @Text({ maxBytes: 1024 })
  clientId?: string;
}

export class AuthorizeDto {
  @Text({ required: true, maxBytes: 1024, aliases: ['oauth_token'] })
  requestToken!: string;

  @Text({ maxBytes: 1024, aliases: ['email'] })
  login?: string;

  @Text({ maxBytes: 4096 })
  password?: string;
}

export class OauthConfirmDto {
  @Text({ required: true, maxBytes: 1024 })
  oauthToken!: string;

  @Text({ required: true, maxBytes: 1024 })
  oauthVerifier!: string;
}
