import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

import jwt from 'jsonwebtoken';

import { DomainError } from '#libs/kernel';

/** What a provider signs with; keys that verify nothing else (`use`) are left out. */
export interface ProviderKey extends JsonWebKey {
  readonly kid?: string;
}

/** An ID token whose signature, maker, addressee and time are right. */
export interface ProvenToken {
  readonly claims: Readonly<Record<string, unknown>> & { readonly sub: string };
  /** All that the signature covers. */
  readonly signed: string;
  /** From when on it is too old, with what clocks may differ. */
  readonly endsMs: number;
}

const ALGORITHMS: jwt.Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'];
/** What clocks may differ. */
const LEEWAY_SECONDS = 60;
/** Longer-lived ones are not made for signing in. */
const MAX_AGE_SECONDS = 24 * 3_600;

/** The key that a token says it is signed with; undefined when it says nothing of the kind. FORBIDDEN for what is no token. */
export function keyIdOf(token: string): string | undefined {
  const header = jwt.decode(token, { complete: true })?.header;
  if (!header) throw refused();
  return header.kid;
}

/** The keys of a JWKS document (RFC 7517) that verify signatures. */
export function signingKeys(document: unknown): ProviderKey[] {
  const { keys } = (document ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) return [];
  return (keys as (ProviderKey | null)[]).filter((key): key is ProviderKey => key !== null && (key.use ?? 'sig') === 'sig' && key.kty !== 'oct');
}

/**
 * Checks an ID token (OpenID Connect Core 3.1.3.7) that did not come from the provider itself but from whoever signs in: `issuers` is how the provider names
 * itself, `clientId` whom it must be made for alone. FORBIDDEN for everything that does not fit.
 */
export function provenToken(token: string, key: ProviderKey, issuers: readonly string[], clientId: string, nowMs: number): ProvenToken {
  const claims = verified(token, publicKey(key), issuers, clientId, nowMs);
  const { sub, exp, iat, azp } = claims;
  // several addressees could each show it here
  const isOurs = claims.aud === clientId || azp === clientId;
  if (typeof sub !== 'string' || sub === '' || typeof exp !== 'number' || typeof iat !== 'number' || !isOurs) throw refused();
  const endsMs = (Math.min(exp, iat + MAX_AGE_SECONDS) + LEEWAY_SECONDS) * 1_000;
  if (endsMs <= nowMs || (iat - LEEWAY_SECONDS) * 1_000 > nowMs) throw refused();
  return { claims: { ...claims, sub }, signed: token.slice(0, token.lastIndexOf('.')), endsMs };
}

function verified(token: string, key: KeyObject, issuers: readonly string[], clientId: string, nowMs: number): jwt.JwtPayload {
  try {
    const claims = jwt.verify(token, key, {
      algorithms: ALGORITHMS,
      issuer: [...issuers] as [string, ...string[]],
      audience: clientId,
      clockTimestamp: Math.floor(nowMs / 1_000),
      clockTolerance: LEEWAY_SECONDS,
    });
    if (typeof claims !== 'string') return claims;
  } catch (error) {
    throw refused(error);
  }
  throw refused();
}

function publicKey(key: ProviderKey): KeyObject {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch (error) {
    throw refused(error);
  }
}

/** The one answer for tokens that do not fit. */
export function refused(cause?: unknown): DomainError {
  return new DomainError('FORBIDDEN', 'This token does not sign in here: it is wrong, has ended, or was made for another program.', {}, { cause });
}
