import { credentialOf } from '../http/credentials.js';

/** `user:password` of an Authorization header with HTTP Basic; empty, which nobody's credentials are, for any other header. */
export function basicUserPass(authorization: string | undefined): string {
  const credential = credentialOf({ authorization });
  return credential !== null && 'userPass' in credential ? credential.userPass : '';
}
