import { Injectable } from '@nestjs/common';

import { sha256 } from '#libs/kernel';

import { NonceRepository } from './oauth1/repositories/nonce.repository.js';

/** Tokens made elsewhere that are good here once. */
@Injectable()
export class UsedTokens {
  constructor(private readonly nonces: NonceRepository) {}

  /**
   * Uses a token up, in the surrounding transaction: false when it was used before, or is being used at this moment. `signed` is all of it that its signature
   * covers, since the rest can be written in several ways; `endsMs`: from when on it is refused for its age.
   */
  take(signed: string, endsMs: number): Promise<boolean> {
    return this.nonces.take(sha256(`token\0${signed}`), new Date(endsMs));
  }
}
