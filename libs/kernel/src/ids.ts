import { hash, randomBytes } from 'node:crypto';

/** A new UUID v7 (RFC 9562 section 5.7): ordered by creation time, so that indexes grow at their right edge. */
export function newId(nowMs: number = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a lower-case UUID of any version. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/** `byteCount` random bytes as lower-case hex (twice as many characters). */
export function randomHex(byteCount: number): string {
  return randomBytes(byteCount).toString('hex');
}

/** `byteCount` random bytes in the URL-safe base64 alphabet, without padding. */
export function randomUrlSafe(byteCount: number): string {
  return randomBytes(byteCount).toString('base64url');
}

/** SHA-256 of a secret: what is stored instead of the secret. 32 bytes. */
export function sha256(value: string | Buffer): Buffer {
  return hash('sha256', value, 'buffer');
}
