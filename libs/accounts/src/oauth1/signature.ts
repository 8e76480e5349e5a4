import { createHmac } from 'node:crypto';

/** A request as its sender signed it (RFC 5849 3.4.1). */
export interface SignedRequest {
  readonly method: string;
  /** The path as it was written, percent-encoded, without the query. */
  readonly path: string;
  /** The parameters of header (without `realm`), query and form, decoded, as often as they came. */
  readonly params: readonly (readonly [name: string, value: string])[];
}

/** RFC 5849 3.6: everything but letters, digits, `-`, `.`, `_` and `~`. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What is signed (3.4.1.1). `origin`: the address under which clients know this house, with the path in front of its own ones. */
export function baseString(origin: string, { method, path, params }: SignedRequest): string {
  const { protocol, host, pathname } = new URL(origin);
  const uri = `${protocol}//${host}${pathname.replace(/\/+$/, '')}${path}`;
  const pairs = params
    .filter(([name]) => name !== 'oauth_signature')
    .map(([name, value]) => [percentEncoded(name), percentEncoded(value)] as const)
    // encoded text is ASCII, whose order is that of its bytes
    .sort(([a, x], [b, y]) => compared(a, b) || compared(x, y));
  const normalized = pairs.map(([name, value]) => `${name}=${value}`).join('&');
  return [method.toUpperCase(), uri, normalized].map(percentEncoded).join('&');
}

/** HMAC-SHA1 of a base string (3.4.2), 20 bytes. */
export function hmacSha1(base: string, consumerSecret: string, tokenSecret: string): Buffer {
  return createHmac('sha1', `${percentEncoded(consumerSecret)}&${percentEncoded(tokenSecret)}`)
    .update(base)
    .digest();
}

function compared(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
