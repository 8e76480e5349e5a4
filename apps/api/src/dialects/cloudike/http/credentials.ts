import type { IncomingHttpHeaders } from 'node:http';

import type { Entry, SignedRequest } from '#libs/accounts';
import { type AccountActor, type Client, DomainError } from '#libs/kernel';

/** What the guard needs of the accounts: turns a credential into an actor or throws UNAUTHENTICATED, INVALID_CREDENTIALS, FORBIDDEN ... DI token. */
export abstract class CloudikeCredentials {
  abstract byToken(token: string, client: Client, entry?: Entry): Promise<AccountActor>;
  /** The account of a token whose device is to be wiped; null for any other. */
  abstract byWipedToken(token: string): Promise<AccountActor | null>;
  /** The id of the token that an OAuth 1.0 request is signed with. Uses the request up. */
  abstract signedBy(request: SignedRequest): Promise<string>;
  abstract byTokenId(tokenId: string, client: Client, entry?: Entry): Promise<AccountActor>;
  abstract byWipedTokenId(tokenId: string): Promise<AccountActor | null>;
  /** `userPass` is the decoded text of the header. */
  abstract byBasic(userPass: string, client: Client, entry?: Entry): Promise<AccountActor>;
}

/** `signed`: the Authorization header of a request signed by OAuth 1.0. */
export type Credential = { readonly token: string } | { readonly userPass: string } | { readonly signed: string };

/** The credential of a request in one of the forms of contract 1.2, or null. Throws UNAUTHENTICATED for a Basic header that holds no login and password. */
export function credentialOf(headers: IncomingHttpHeaders): Credential | null {
  const token = headers['mountbit-auth'];
  if (typeof token === 'string' && token.trim() !== '') return { token: token.trim() };
  const authorization = headers.authorization?.trim();
  if (authorization === undefined || authorization === '') return null;
  if (/^oauth(?:\s|$)/i.test(authorization)) return { signed: authorization };
  const basic = /^basic(?:\s+(.*))?$/is.exec(authorization);
  if (!basic) return { token: authorization };
  const userPass = Buffer.from(basic[1] ?? '', 'base64').toString('utf8');
  if (userPass.indexOf(':') < 1)
    throw new DomainError('UNAUTHENTICATED', 'The Authorization header is not valid: Basic needs base64 of "login:password".');
  return { userPass };
}
