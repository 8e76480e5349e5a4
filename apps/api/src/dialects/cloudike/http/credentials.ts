import type { IncomingHttpHeaders } from 'node:http';

import { type AccountActor, DomainError } from '#libs/kernel';

export interface BasicCredential {
  readonly username: string;
  readonly password: string;
}

/** What the guard needs of the accounts: turns a credential into an actor or throws UNAUTHENTICATED, INVALID_CREDENTIALS, LOGIN_LOCKED ... DI token. */
export abstract class CloudikeCredentials {
  abstract byToken(token: string): Promise<AccountActor>;
  /** `ip` is for the limiter. */
  abstract byBasic(username: string, password: string, ip: string): Promise<AccountActor>;
}

export type Credential = { readonly token: string } | { readonly basic: BasicCredential };

/** The credential of a request in one of the forms of contract 1.2, or null. Throws UNAUTHENTICATED for a Basic header that cannot be read. */
export function credentialOf(headers: IncomingHttpHeaders): Credential | null {
  const token = headers['mountbit-auth'];
  if (typeof token === 'string' && token.trim() !== '') return { token: token.trim() };
  const authorization = headers.authorization?.trim();
  if (authorization === undefined || authorization === '') return null;
  const basic = /^basic\s+(.+)$/i.exec(authorization)?.[1];
  return basic === undefined ? { token: authorization } : { basic: parseBasic(basic) };
}

const PREFIXED_LOGIN = /^((?:email:[^:@\s]+@[^:\s]+)|(?:(?:msisdn|userid):\+?\d+)|(?:(?:basic|ldap|contacts_sync):[^:]+)):(.*)$/s;

/**
 * User name and password of `Basic <base64>`. A login of the form `kind:value` holds a colon itself, so it is split off whole when it looks like
 * one; any other text is split at its first colon.
 */
export function parseBasic(base64: string): BasicCredential {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  const prefixed = PREFIXED_LOGIN.exec(text);
  if (prefixed) return { username: prefixed[1]!, password: prefixed[2]! };
  const colon = text.indexOf(':');
  if (colon < 1) throw new DomainError('UNAUTHENTICATED', 'The Authorization header is not valid: Basic needs base64 of "login:password".');
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
