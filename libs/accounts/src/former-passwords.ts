import { Injectable } from '@nestjs/common';

import { DomainError } from '#libs/kernel';

import { PasswordHasher } from './password-hasher.js';
import { AccountRepository } from './repositories/account.repository.js';

/** The rule of companies whose people may not have a password again. */
@Injectable()
export class FormerPasswords {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly hasher: PasswordHasher,
  ) {}

  /**
   * Refuses a password that the account had before, where its company does not allow that: INVALID_ARGUMENT (`reason` is `password_reuse_allow`). `current`: also
   * the one that it has now. Each comparison is a hash, so not inside of a transaction.
   */
  async requireNew(accountId: number, password: string, { current = false } = {}): Promise<void> {
    for (const former of await this.accounts.formerPasswords(accountId, current)) {
      if (await this.hasher.verify(former, password)) {
        throw new DomainError('INVALID_ARGUMENT', 'Your company does not allow a password that you had before.', { reason: 'password_reuse_allow' });
      }
    }
  }
}
