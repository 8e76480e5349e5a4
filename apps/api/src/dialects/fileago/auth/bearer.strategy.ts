import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';

import { Authenticator } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { type AccountActor, DomainError } from '#libs/kernel';

import type { DialectRequest } from '../../../http/dialect/dialect.js';
import { clientOf } from '../../../http/request-client.js';
import { type SessionClaims, sessionKey } from './session-tokens.js';

export const BEARER = 'fileago-bearer';

/** `Authorization: Bearer <jwt>` -> the account, as long as the session behind the token lives. */
@Injectable()
export class BearerStrategy extends PassportStrategy(Strategy, BEARER) {
  constructor(
    config: AppConfig,
    private readonly authenticator: Authenticator,
  ) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKey: sessionKey(config),
      algorithms: ['HS256'],
      passReqToCallback: true,
    });
  }

  async validate(request: DialectRequest, { sub, jti }: Partial<SessionClaims>): Promise<AccountActor> {
    const accountId = Number(sub);
    if (typeof jti !== 'string' || !Number.isSafeInteger(accountId)) throw new DomainError('UNAUTHENTICATED', 'The token is not valid.');
    return this.authenticator.byUrl(accountId, jti, clientOf(request));
  }
}
