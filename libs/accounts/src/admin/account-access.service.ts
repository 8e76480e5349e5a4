import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, randomUrlSafe } from '#libs/kernel';
import { Mailer } from '#libs/mail';

import { AdminRights } from '../admin-rights.js';
import { Authenticator } from '../authenticator.service.js';
import { FormerPasswords } from '../former-passwords.js';
import { readOrNull } from '../login-name.js';
import { OneTimeSecrets } from '../one-time-secrets.js';
import { checkNewPassword, PasswordHasher } from '../password-hasher.js';
import { type AccountProfile, ProfileService } from '../profile.service.js';
import { AccountRepository } from '../repositories/account.repository.js';
import { LoginLocks } from './login-locks.js';
import { newPasswordMail } from './password-mail.js';
import { AdminRepository, type BlockedLogin } from './repositories/admin.repository.js';
import { accountNotFound, SystemAdmins } from './system-admins.js';

const MAX_BLOCKED = 2_000;
const PASSWORD_BYTES = 15;

/** Ways into accounts that administrators open and close for others. */
@Injectable()
export class AccountAccess {
  constructor(
    private readonly rights: AdminRights,
    private readonly admins: SystemAdmins,
    private readonly rows: AdminRepository,
    private readonly accounts: AccountRepository,
    private readonly locks: LoginLocks,
    private readonly secrets: OneTimeSecrets,
    private readonly profiles: ProfileService,
    private readonly hasher: PasswordHasher,
    private readonly former: FormerPasswords,
    private readonly mailer: Mailer,
    private readonly authenticator: Authenticator,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Ends the lock of an account after too many wrong passwords, named by its id or one of its logins, at once and from every address.
   * FORBIDDEN for who is no administrator of the system, ACCOUNT_NOT_FOUND, INVALID_ARGUMENT when nothing is named.
   */
  async unlock(actor: AccountActor, named: { readonly userId?: number | undefined; readonly login?: string | undefined }): Promise<AccountProfile> {
    await this.rights.requireSystemAdmin(actor);
    const accountId = named.userId ?? (await this.ownerOf(named.login ?? ''));
    await this.unitOfWork.run(async () => {
      await this.admins.hold(actor, accountId);
      await this.locks.end(accountId);
    });
    return this.profiles.ofAccount(accountId);
  }

  /**
   * Sets a password for somebody and ends all that the old one let in; without one it is made up and mailed. Unless it is the administrator's own, it must be
   * changed at the next chance. Administrators of a company may do so for its members, save administrators of the system and the company's owner.
   * FORBIDDEN, ACCOUNT_NOT_FOUND, INVALID_ARGUMENT (also when there is nowhere to mail it, and for a password that the account has or had where its company
   * allows none again).
   */
  async setPassword(actor: AccountActor, accountId: number, newPassword?: string): Promise<AccountProfile> {
    await this.rights.requireAdminOf(actor, accountId);
    const password = newPassword || randomUrlSafe(PASSWORD_BYTES);
    checkNewPassword(password);
    if (newPassword) await this.former.requireNew(accountId, newPassword, { current: true });
    const passwordHash = await this.hasher.hash(password);
    const isOwn = actor.accountId === accountId;
    await this.unitOfWork.run(async () => {
      if (!(await this.accounts.lock(accountId))) throw accountNotFound();
      await this.rights.requireAdminOf(actor, accountId);
      await this.rights.requireHigher(actor, accountId);
      await this.profiles.replacePassword(accountId, passwordHash, isOwn ? actor.tokenId : null, !isOwn);
      await this.locks.end(accountId);
      if (!newPassword) await this.mailPassword(accountId, password);
    });
    this.authenticator.forget(accountId);
    return this.profiles.ofAccount(accountId);
  }

  /**
   * A key of 64 hex characters that signs `accountId` in once within ten minutes. FORBIDDEN for who is no administrator of the system, and for the
   * account of another one; ACCOUNT_NOT_FOUND, ACCOUNT_DISABLED, ACCOUNT_NOT_CONFIRMED.
   */
  generateKey(actor: AccountActor, accountId: number): Promise<string> {
    return this.unitOfWork.run(async () => {
      const account = await this.admins.hold(actor, accountId);
      if (account.role === 'admin' && accountId !== actor.accountId) throw new DomainError('FORBIDDEN', 'Nobody signs in as another administrator.');
      if (account.state === 'pending') throw new DomainError('ACCOUNT_NOT_CONFIRMED', 'This account is not confirmed yet.');
      if (account.state !== 'active') throw new DomainError('ACCOUNT_DISABLED', 'This account is switched off.');
      return this.secrets.make('login_key', accountId);
    });
  }

  /** Logins that are locked now, those of nobody too; 2,000 at most. FORBIDDEN for who is no administrator of the system. */
  async blockedLogins(actor: AccountActor): Promise<BlockedLogin[]> {
    await this.rights.requireSystemAdmin(actor);
    return this.rows.blockedLogins(this.clock.now(), MAX_BLOCKED);
  }

  private async ownerOf(loginText: string): Promise<number> {
    if (loginText.trim() === '') throw new DomainError('INVALID_ARGUMENT', 'One of user_id and login is required.');
    const name = readOrNull(loginText);
    const login = name && (await this.accounts.findLogin(name));
    if (login === null) throw accountNotFound();
    return login.accountId;
  }

  /** An address that nobody has shown to be his gets no password, unless the account waits for that very proof. */
  private async mailPassword(accountId: number, password: string): Promise<void> {
    const { account, logins } = await this.profiles.ofAccount(accountId);
    const target = logins.find((login) => login.kind === 'email' && (login.confirmedMs !== null || account.state === 'pending'));
    if (target === undefined) throw new DomainError('INVALID_ARGUMENT', 'This account has no address to mail a password to; give new_password.');
    await this.mailer.send({ to: target.value, ...newPasswordMail(account.lang, password) });
  }
}
