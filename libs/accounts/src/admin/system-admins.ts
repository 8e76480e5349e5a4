import { Injectable } from '@nestjs/common';

import { type AccountActor, Clock, DomainError } from '#libs/kernel';

import { AdminRights } from '../admin-rights.js';
import { type AccountRecord, AccountRepository } from '../repositories/account.repository.js';
import { checkedName } from '../texts.js';
import { AdminRepository } from './repositories/admin.repository.js';

/**
 * Changes to accounts by administrators of the system, one at a time in the whole installation: whoever loses the role in one of them has no
 * part in the next, and somebody always keeps it.
 */
@Injectable()
export class SystemAdmins {
  constructor(
    private readonly rights: AdminRights,
    private readonly accounts: AccountRepository,
    private readonly admins: AdminRepository,
    private readonly clock: Clock,
  ) {}

  /**
   * The account that an administrator of the system is about to change, held with the right to do so until the transaction ends. FORBIDDEN for
   * everybody else; ACCOUNT_NOT_FOUND for an unknown account, and for a deleted one unless `deletedToo`.
   */
  async hold(actor: AccountActor, accountId: number, options: { readonly deletedToo?: boolean } = {}): Promise<AccountRecord> {
    await this.admins.lockAdmins();
    await this.rights.requireSystemAdmin(actor);
    const account = (await this.accounts.lock(accountId)) ? await this.accounts.find(accountId) : null;
    if (account === null || (account.state === 'deleted' && !options.deletedToo)) throw accountNotFound();
    return account;
  }

  /** Sets the region of an account that is held; empty = none. INVALID_ARGUMENT. */
  setRegion(accountId: number, region: string): Promise<void> {
    return this.admins.setRegion(accountId, checkedName(region, 'A region'));
  }

  /** Until the transaction ends nobody else takes an administrator of the system away: for use cases that have their own right to do so. */
  holdAll(): Promise<void> {
    return this.admins.lockAdmins();
  }

  /** FORBIDDEN when nobody else could administrate the system without this account. In the transaction of `hold`, or after `holdAll`. */
  async keepOne(account: Pick<AccountRecord, 'id' | 'role' | 'state'>): Promise<void> {
    if (account.role !== 'admin' || account.state !== 'active' || (await this.admins.hasOtherAdmin(account.id, this.clock.now()))) return;
    throw new DomainError('FORBIDDEN', 'This is the last administrator of the system.');
  }
}

export function accountNotFound(message = 'There is no such user.'): DomainError {
  return new DomainError('ACCOUNT_NOT_FOUND', message);
}
