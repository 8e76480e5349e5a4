import type { SignedRequest } from '#libs/accounts';
import { DomainError } from '#libs/kernel';

import { formPairs, PUBLIC_BODY_LIMIT_BYTES, readForm } from './request-params.js';
import type { CloudikeRequest } from './route-metadata.js';

/**
 * A request with what an OAuth 1.0 signature is made of. A form is read for that, and kept for those who read parameters afterwards; any other body is no part of what is
 * signed (RFC 5849 3.4.1.3.1). INVALID_ARGUMENT, TOO_LARGE.
 */
export async function signedRequestOf(request: CloudikeRequest): Promise<SignedRequest> {
  const { cloudike, method, originalUrl, headers } = request;
  cloudike.form ??= await readForm(request, PUBLIC_BODY_LIMIT_BYTES);
  const question = originalUrl.indexOf('?');
  const [path, query] = question < 0 ? [originalUrl, ''] : [originalUrl.slice(0, question), originalUrl.slice(question + 1)];
  return { method, path, params: [...headerPairs(headers.authorization ?? ''), ...formPairs(query), ...formPairs(cloudike.form ?? '')] };
}

/** The parameters of `Authorization: OAuth name="value", ...` (3.5.1) without `realm`; none of any other header. */
function headerPairs(authorization: string): [string, string][] {
  const list = /^\s*oauth(?:\s+(.*))?$/is.exec(authorization)?.[1]?.trim() ?? '';
  const pairs: [string, string][] = [];
  const one = /([^\s=",]+)\s*=\s*"([^"]*)"\s*(?:,\s*|$)/gy;
  for (let end = 0; end < list.length; end = one.lastIndex) {
    const found = one.exec(list);
    if (!found) throw new DomainError('INVALID_ARGUMENT', 'The Authorization header must be OAuth name="value", with commas between them.');
    if (found[1]!.toLowerCase() !== 'realm') pairs.push([decoded(found[1]!), decoded(found[2]!)]);
  }
  return pairs;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new DomainError('INVALID_ARGUMENT', 'The Authorization header is not percent-encoded UTF-8.', {}, { cause: error });
  }
}
