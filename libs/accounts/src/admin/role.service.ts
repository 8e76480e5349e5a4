import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, type AccountRole, DomainError } from '#libs/kernel';

import { AdminRights } from '../admin-rights.js';
import { Authenticator } from '../authenticator.service.js';
import { type AccountProfile, ProfileService } from '../profile.service.js';
import { TokenRepository } from '../repositories/token.repository.js';
import { AdminRepository } from './repositories/admin.repository.js';
import { accountNotFound, SystemAdmins } from './system-admins.js';

const MAX_MODERATORS = 2_000;

/** Roles of accounts, given and taken by administrators of the system: FORBIDDEN for everybody else. */
@Injectable()
export class RoleService {
  constructor(
    private readonly admins: SystemAdmins,
    private readonly rights: AdminRights,
    private readonly rows: AdminRepository,
    private readonly tokens: TokenRepository,
    private readonly profiles: ProfileService,
    private readonly authenticator: Authenticator,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Gives a role. Acting as others ends with the role of administrator, and nobody acts as one. ACCOUNT_NOT_FOUND; FORBIDDEN to take it from the last. */
  assign(actor: AccountActor, accountId: number, role: AccountRole): Promise<AccountProfile> {
    return this.change(actor, accountId, () => role);
  }

  /** Makes a user a moderator. ACCOUNT_NOT_FOUND; FORBIDDEN for an administrator, who would lose his role. */
  addModerator(actor: AccountActor, accountId: number): Promise<AccountProfile> {
    return this.change(actor, accountId, (current) => {
      if (current === 'admin') throw new DomainError('FORBIDDEN', 'An administrator is more than a moderator; change the role with assign_role.');
      return 'moderator';
    });
  }

  /** Makes a moderator a user. ACCOUNT_NOT_FOUND, also for who is no moderator. */
  removeModerator(actor: AccountActor, accountId: number): Promise<AccountProfile> {
    return this.change(actor, accountId, (current) => {
      if (current !== 'moderator') throw accountNotFound();
      return 'user';
    });
  }

  /** The moderators, oldest account first; 2,000 at most. */
  async moderators(actor: AccountActor): Promise<AccountProfile[]> {
    await this.rights.requireSystemAdmin(actor);
    return this.profiles.ofAccounts(await this.rows.listOfRole('moderator', MAX_MODERATORS));
  }

  private async change(actor: AccountActor, accountId: number, next: (current: AccountRole) => AccountRole): Promise<AccountProfile> {
    await this.unitOfWork.run(async () => {
      const account = await this.admins.hold(actor, accountId);
      const role = next(account.role);
      if (role === account.role) return;
      if (account.role === 'admin') await this.admins.keepOne(account);
      await this.rows.setRole(accountId, role);
      if (account.role === 'admin' || role === 'admin') await this.tokens.endActing(accountId);
    });
    this.authenticator.forget(accountId);
    return this.profiles.ofAccount(accountId);
  }
}
