import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, type Client, Clock, randomHex } from '#libs/kernel';

import { Authenticator } from './authenticator.service.js';
import { TokenRepository } from './repositories/token.repository.js';
import { shownText } from './texts.js';

/**
 * Tokens behind credentials of programs: permanent, in the lists of their account, and ended with all others by whatever ends tokens. Their secret is no
 * 32 hex characters, so none of them is an auth token for those who send one.
 */
@Injectable()
export class ProgramTokens {
  constructor(
    private readonly tokens: TokenRepository,
    private readonly authenticator: Authenticator,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** The id of a new token. Joins the surrounding transaction. */
  async make(accountId: number, secretSha256: Buffer, description: string): Promise<string> {
    const id = randomHex(12);
    await this.tokens.insert({
      id,
      accountId,
      secretSha256,
      permanent: true,
      deviceDescription: shownText(description),
      userAgent: '',
      ip: '',
      createdAt: this.clock.now(),
      expiresAt: null,
    });
    return id;
  }

  /** Ends a token: in this process when the transaction is committed, elsewhere within a second. */
  async end(accountId: number, tokenId: string): Promise<void> {
    await this.tokens.remove(accountId, tokenId);
    await this.unitOfWork.afterCommit(() => this.authenticator.forget(accountId));
  }

  /** Who acts by the token, whose credential has just been proven: good for files, not for managing credentials. UNAUTHENTICATED, FORBIDDEN. */
  async actorOf(tokenId: string, client: Client): Promise<AccountActor> {
    return { ...(await this.authenticator.byTokenId(tokenId, client)), byPair: true };
  }
}
