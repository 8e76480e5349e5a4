import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock } from '#libs/kernel';

import { AccountDirectory } from '../account-directory.service.js';
import { Authenticator } from '../authenticator.service.js';
import { type AccountProfile, ProfileService } from '../profile.service.js';
import { SecretRepository } from '../repositories/secret.repository.js';
import { TokenRepository } from '../repositories/token.repository.js';
import { LoginLocks } from './login-locks.js';
import { AdminRepository } from './repositories/admin.repository.js';
import { accountNotFound, SystemAdmins } from './system-admins.js';

/**
 * The states of an account that administrators of the system change: pending or active -> disabled -> as before; deleted -> as before.
 * FORBIDDEN for everybody else, ACCOUNT_NOT_FOUND for an unknown account, in every method.
 */
@Injectable()
export class AccountStates {
  constructor(
    private readonly admins: SystemAdmins,
    private readonly rows: AdminRepository,
    private readonly locks: LoginLocks,
    private readonly tokens: TokenRepository,
    private readonly secrets: SecretRepository,
    private readonly profiles: ProfileService,
    private readonly authenticator: Authenticator,
    private readonly directory: AccountDirectory,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Refuses the account from now on and ends its tokens. FORBIDDEN also for the last administrator of the system. */
  async disable(actor: AccountActor, accountId: number, reason: string): Promise<AccountProfile> {
    await this.unitOfWork.run(async () => {
      await this.admins.keepOne(await this.admins.hold(actor, accountId));
      await this.rows.block(accountId, reason, this.clock.now());
      await this.endAccess(accountId);
    });
    return this.changed(accountId);
  }

  /** Lets the account in again; one that was never confirmed waits for its mail as before. */
  async enable(actor: AccountActor, accountId: number): Promise<AccountProfile> {
    await this.unitOfWork.run(async () => {
      await this.admins.hold(actor, accountId);
      await this.rows.unblock(accountId);
    });
    return this.changed(accountId);
  }

  /** Brings a deleted account back as it was. ACCOUNT_NOT_FOUND also for one that is not deleted, or whose data are being erased. */
  async restore(actor: AccountActor, accountId: number): Promise<AccountProfile> {
    await this.unitOfWork.run(async () => {
      await this.admins.hold(actor, accountId, { deletedToo: true });
      if (!(await this.rows.restore(accountId))) throw accountNotFound('This user is not deleted, or his data are being erased already.');
      // Right passwords counted as wrong ones meanwhile.
      await this.locks.end(accountId);
    });
    return this.changed(accountId);
  }

  private async endAccess(accountId: number): Promise<void> {
    await this.tokens.endAccess(accountId);
    await this.secrets.removeAll(accountId, ['recover', 'login_key', 'oauth_verifier']);
  }

  private changed(accountId: number): Promise<AccountProfile> {
    this.authenticator.forget(accountId);
    this.directory.forget(accountId);
    return this.profiles.ofAccount(accountId);
  }
}
