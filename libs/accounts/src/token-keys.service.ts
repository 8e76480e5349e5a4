import { Injectable } from '@nestjs/common';

import { type AccountActor, type Client, DomainError, randomHex, sha256 } from '#libs/kernel';

import { Authenticator } from './authenticator.service.js';
import { TokenKeyRepository } from './repositories/token-key.repository.js';

const KEY = /^[0-9a-f]{64}$/;

/** Second secrets of tokens, for URLs that carry their credential: whoever gets to see such a URL can fetch what the account may fetch, and nothing else. */
@Injectable()
export class TokenKeys {
  constructor(
    private readonly keys: TokenKeyRepository,
    private readonly authenticator: Authenticator,
  ) {}

  /** A new key of 64 hex characters for a token, shown once. It ends with the token. */
  async make(tokenId: string): Promise<string> {
    const key = randomHex(32);
    await this.keys.put(tokenId, sha256(key));
    return key;
  }

  /** The account behind a key, as long as its token lets in. UNAUTHENTICATED; FORBIDDEN as Authenticator.byUrl. */
  async actorOf(key: string, client?: Client): Promise<AccountActor> {
    const holder = KEY.test(key) ? await this.keys.holder(sha256(key)) : null;
    if (!holder) throw new DomainError('UNAUTHENTICATED', 'The access key is wrong or has ended.');
    return this.authenticator.byUrl(holder.accountId, holder.tokenId, client);
  }
}
