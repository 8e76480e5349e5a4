import { createPublicKey, type KeyObject, verify } from 'node:crypto';

import { type ProofKey } from './discovery/discovery-xml.js';

/** What an office server signs of a request, and its signatures. */
export interface Proof {
  readonly accessToken: string;
  /** As the office server sent it, scheme and query included. */
  readonly url: string;
  /** X-WOPI-TimeStamp: units of 100 ns since the year 1. */
  readonly timestamp: string;
  /** X-WOPI-Proof and X-WOPI-ProofOld, base64. */
  readonly proof: string;
  readonly proofOld: string;
}

const MAX_AGE_MS = 20 * 60_000;
/** Between 0001-01-01 and 1970-01-01, in units of 100 ns. */
const EPOCH_TICKS = 621_355_968_000_000_000n;

/**
 * Whether the request was signed by the owner of the keys (the current one first, then the one before) within the last 20 minutes. While keys
 * change hands, either signature may be good under either key, but never the old signature under the old key.
 */
export function isProven(proof: Proof, keys: readonly ProofKey[], nowMs: number): boolean {
  if (!/^\d{1,19}$/.test(proof.timestamp)) return false;
  const ticks = BigInt(proof.timestamp);
  const ageMs = nowMs - Number((ticks - EPOCH_TICKS) / 10_000n);
  if (Math.abs(ageMs) > MAX_AGE_MS || ticks > 0x7fff_ffff_ffff_ffffn) return false;
  const signed = signedBytes(proof, ticks);
  const [current, old] = keys.map(publicKey);
  const good = (key: KeyObject | null | undefined, signature: string): boolean =>
    !!key && signature !== '' && verify('sha256', signed, key, Buffer.from(signature, 'base64'));
  return good(current, proof.proof) || good(current, proof.proofOld) || good(old, proof.proof);
}

/** Each part after its length in 4 bytes: the token, the URL in upper case, the time in 8 bytes. */
export function signedBytes({ accessToken, url }: Pick<Proof, 'accessToken' | 'url'>, ticks: bigint): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigInt64BE(ticks);
  const parts = [Buffer.from(accessToken), Buffer.from(url.toUpperCase()), time];
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(part.length);
      return [length, part];
    }),
  );
}

/** Null for parts that make no key. */
function publicKey({ modulus, exponent }: ProofKey): KeyObject | null {
  const url = (base64: string): string => Buffer.from(base64, 'base64').toString('base64url');
  try {
    return createPublicKey({ key: { kty: 'RSA', n: url(modulus), e: url(exponent) }, format: 'jwk' });
  } catch {
    return null;
  }
}
