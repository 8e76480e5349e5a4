import { createHmac } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';

import { AppConfig } from '#libs/config';

/** What a token says. It decides nothing: whom it lets in is looked up each time by `jti`, the id of the session. */
export interface SessionClaims {
  readonly username: string;
  readonly uuid: string;
  readonly sub: string;
  readonly jti: string;
}

export const SESSION_LIFE_MS = 24 * 60 * 60 * 1000;

/** A key of its own, so that no other use of the same secret can produce a signature that counts here. */
export function sessionKey({ secretKey }: Pick<AppConfig, 'secretKey'>): Buffer {
  return createHmac('sha256', secretKey).update('bearer sessions 1').digest();
}

/** Signs session tokens: JWT, HS256, good for a day. */
@Injectable()
export class SessionTokens {
  private readonly key: Buffer;

  constructor(config: AppConfig) {
    this.key = sessionKey(config);
  }

  sign({ sub, jti, ...claims }: SessionClaims): string {
    return jwt.sign(claims, this.key, { algorithm: 'HS256', subject: sub, jwtid: jti, expiresIn: SESSION_LIFE_MS / 1000 });
  }
}
