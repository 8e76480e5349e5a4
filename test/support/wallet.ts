import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';

import { personalHash, shownAddress } from '#libs/wallets';

/** A wallet as people have them: a secret key, the address that follows from it, and signatures of texts. */
export class Wallet {
  private readonly secret = secp256k1.utils.randomSecretKey();
  /** With the checksum in the case of its letters. */
  readonly address: string;

  constructor() {
    const key = secp256k1.getPublicKey(this.secret, false).subarray(1);
    this.address = shownAddress(`0x${Buffer.from(keccak_256(key)).subarray(-20).toString('hex')}`);
  }

  /** What `personal_sign` answers. */
  sign(message: string): string {
    const bytes = secp256k1.sign(personalHash(message), this.secret, { prehash: false, format: 'recovered' });
    // recovery bit first here, last (and from 27) in wallets
    return `0x${Buffer.from(bytes.subarray(1)).toString('hex')}${(27 + bytes[0]!).toString(16)}`;
  }
}
