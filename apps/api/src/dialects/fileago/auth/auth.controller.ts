import { AccountDirectory, Identities, LoginService } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { Call, type Client, DomainError } from '#libs/kernel';

import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentCall, CurrentClient, JsonBody, UserAgent } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { FileagoController } from '../http/controller.js';
import { keyText } from '../http/key-form.js';
import { AVATAR_PATH } from './avatar.controller.js';
import { SESSION_LIFE_MS, SessionTokens } from './session-tokens.js';

const BODY_BYTES = 64 * 1024;
const TEXT = { type: 'string' };

@FileagoController('auth')
export class AuthController {
  constructor(
    private readonly logins: LoginService,
    private readonly identities: Identities,
    private readonly directory: AccountDirectory,
    private readonly tokens: SessionTokens,
    private readonly config: AppConfig,
  ) {}

  @Route('POST', 'auth', {
    auth: 'public',
    audit: 'sign-in',
    summary: 'Sign in; the token is good for 24 hours',
    body: {
      types: ['application/json', 'application/x-www-form-urlencoded'],
      schema: { type: 'object', required: ['username', 'password'], properties: { username: TEXT, password: TEXT, otp: TEXT } },
    },
    answer: {
      type: 'object',
      properties: {
        uuid: TEXT,
        token: TEXT,
        status: TEXT,
        msg: TEXT,
        is_admin: { type: 'boolean' },
        fullname: TEXT,
        fileaccesskey: TEXT,
        avatar: TEXT,
      },
    },
    refusals: ['INVALID_ARGUMENT', 'INVALID_CREDENTIALS', 'LOGIN_LOCKED', 'ACCOUNT_DISABLED', 'FORBIDDEN', 'RATE_LIMITED', 'SECOND_FACTOR_REQUIRED'],
  })
  async signIn(
    @JsonBody(BODY_BYTES) body: Readonly<Record<string, unknown>>,
    @CurrentClient() { address: ip }: Client,
    @UserAgent() userAgent: string,
    @CurrentCall() call: DialectCall,
  ) {
    const username = textOf(body, 'username');
    call.logins.push(username);
    const otp = body['otp'] === undefined ? undefined : textOf(body, 'otp');
    const wish = { permanent: false, withKey: true, lifeMs: SESSION_LIFE_MS, cannotEnrol: true, otp };
    const session = await this.logins.byPassword(
      // The source document lets the first administrator sign in by this name.
      { login: username === 'admin' ? this.config.admin.email : username, password: textOf(body, 'password'), ...wish },
      { ip, userAgent },
    );
    const { accountId, companyId, tokenId } = session;
    Call.identify({ accountId, companyId, tokenId });
    const { publicId } = (await this.identities.of([accountId])).get(accountId)!;
    const account = await this.directory.account(accountId);
    return {
      uuid: publicId,
      token: this.tokens.sign({ username, uuid: publicId, sub: String(accountId), jti: tokenId }),
      status: 'success',
      msg: 'Login successful.',
      is_admin: account?.role === 'admin',
      fullname: session.name,
      fileaccesskey: keyText(session.urlKey ?? ''),
      avatar: `/${AVATAR_PATH}`,
    };
  }
}

function textOf(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw new DomainError('INVALID_ARGUMENT', `The body must have a text "${name}".`);
  return value;
}
