import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';

const SIGNATURE = /^0x[0-9a-f]{130}$/i;
const ADDRESS = /^0x[0-9a-f]{40}$/i;
const ADDRESS_BYTES = 20;

/** The address in lower case; null for what is none, also when its letters are of both cases and are not those of its checksum (EIP-55). */
export function walletAddress(text: unknown): string | null {
  if (typeof text !== 'string' || !ADDRESS.test(text)) return null;
  const address = `0x${text.slice(2).toLowerCase()}`;
  const digits = text.slice(2);
  const isOfOneCase = digits === digits.toLowerCase() || digits === digits.toUpperCase();
  return isOfOneCase || shownAddress(address) === `0x${digits}` ? address : null;
}

/** A lower-case address as people are shown it: with the checksum of EIP-55 in the case of its letters. */
export function shownAddress(address: string): string {
  const digits = address.slice(2);
  const hash = Buffer.from(keccak_256(Buffer.from(digits))).toString('hex');
  return `0x${[...digits].map((digit, at) => (Number.parseInt(hash[at]!, 16) >= 8 ? digit.toUpperCase() : digit)).join('')}`;
}

/** The address, in lower case, of the wallet that made a `personal_sign` signature (EIP-191) of a text; null for what is no signature. */
export function signerOf(message: string, signature: string): string | null {
  if (!SIGNATURE.test(signature)) return null;
  const bytes = Buffer.from(signature.slice(2), 'hex');
  const v = bytes[64]!;
  const recovery = v >= 27 ? v - 27 : v;
  if (recovery > 1) return null;
  try {
    const point = secp256k1.Signature.fromBytes(bytes.subarray(0, 64), 'compact').addRecoveryBit(recovery).recoverPublicKey(personalHash(message));
    const key = keccak_256(point.toBytes(false).subarray(1));
    return `0x${Buffer.from(key.subarray(key.length - ADDRESS_BYTES)).toString('hex')}`;
  } catch {
    // no point of the curve
    return null;
  }
}

/** What a wallet signs when it is asked for a signature of a text. 32 bytes. */
export function personalHash(message: string): Uint8Array {
  const text = Buffer.from(message, 'utf8');
  return keccak_256(Buffer.concat([Buffer.from(`\x19Ethereum Signed Message:\n${text.length}`), text]));
}
