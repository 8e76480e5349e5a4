import { Bool, Int, List, Text } from '../http/index.js';
import { PersonDto, TokenWishDto } from '../accounts/session.dto.js';

const LINE = 1_024;

export class CodeDto {
  @Text({
    required: true,
    maxBytes: 64,
    description: 'Code of the authenticator program; a recovery code where one is asked for of a factor that is on.',
  })
  otp!: string;
}

export class SecondFactorUserDto {
  @Int({ required: true, aliases: ['userid'] })
  userId!: number;
}

export class LoginByLdapDto extends PersonDto {
  @Text({ required: true, maxBytes: LINE, description: 'As the directory knows it; `name@domain` names the company too.' })
  name!: string;

  @Text({ required: true, maxBytes: 4_096 })
  password!: string;

  @Int({ description: 'Whose directory; ours.' })
  companyId?: number;

  @Text({ maxBytes: 256, description: 'The same, by the domain of the company; ours.' })
  domain?: string;
}

export class GoogleUrlDto extends TokenWishDto {
  @Text({
    maxBytes: 4_096,
    description: 'Where to go with oauth_token and oauth_verifier; absent: google_confirm answers the login object itself. Ours.',
  })
  oauthCallback?: string;
}

export class StartDto {
  @Text({ required: true, maxBytes: LINE, aliases: ['oauth_token'] })
  requestToken!: string;
}

/** What a provider sends the browser back with (RFC 6749 4.1.2, RFC 9207). */
export class ProviderAnswerDto {
  @Text({ required: true, maxBytes: LINE })
  state!: string;

  @Text({ maxBytes: 8_192 })
  code?: string;

  @Text({ maxBytes: LINE })
  iss?: string;

  @Text({ maxBytes: LINE })
  error?: string;

  @Text({ maxBytes: 8_192 })
  errorDescription?: string;
}

export class GoogleConfirmDto extends PersonDto {
  @Text({
    maxBytes: 16_384,
    description: 'ID token that Google made for the client id of this installation; good once. Else `state` and `code` of a browser.',
  })
  token?: string;

  @Text({ maxBytes: LINE })
  state?: string;

  @Text({ maxBytes: 8_192 })
  code?: string;

  @Text({ maxBytes: LINE })
  iss?: string;

  @Text({ maxBytes: LINE })
  error?: string;

  @Text({ maxBytes: 8_192 })
  errorDescription?: string;
}

export class IdentityProviderDto {
  @Text({ maxBytes: LINE, description: 'https URL as the provider names itself.' })
  issuer?: string;

  @Text({ maxBytes: LINE })
  clientId?: string;

  @Text({ maxBytes: LINE, description: 'Empty = as it was.' })
  clientSecret?: string;

  @List({ maxItems: 1_000, description: 'Domains of the addresses that may be linked to members.' })
  domains?: string[];

  @Bool({ description: 'true: people with such an address become members when they come first.' })
  autoCreate?: boolean;
}
