import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, newId, randomUrlSafe } from '#libs/kernel';

import { AccountDirectory } from './account-directory.service.js';
import { AdminRights } from './admin-rights.js';
import { Authenticator } from './authenticator.service.js';
import { basicLogin, emailLogin, formatLogin, isPair, type LoginName, phoneLogin, readOrNull } from './login-name.js';
import { refusePair } from './pair-rule.js';
import { checkNewPassword, PasswordHasher } from './password-hasher.js';
import { RegistrationService } from './registration.service.js';
import { AbandonedRepository } from './repositories/abandoned.repository.js';
import { AccountRepository } from './repositories/account.repository.js';
import { LoginGuardRepository } from './repositories/login-guard.repository.js';

/** What a pair of user name and password is for. */
type PairKind = 'basic' | 'contacts_sync';

export interface LookedUpLogin {
  /** Of the account's company; empty when it has none. */
  readonly companyDomain: string;
}

/** The logins of an account: added and removed by their owner. */
@Injectable()
export class AccountLoginsService {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly abandoned: AbandonedRepository,
    private readonly guards: LoginGuardRepository,
    private readonly registration: RegistrationService,
    private readonly rights: AdminRights,
    private readonly authenticator: Authenticator,
    private readonly directory: AccountDirectory,
    private readonly hasher: PasswordHasher,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** What anybody may learn about a login; null when nobody has it, and for what is no login. */
  async lookUp(loginText: string): Promise<LookedUpLogin | null> {
    const name = readOrNull(loginText);
    const login = name && (await this.accounts.findLogin(name));
    if (login === null || login.state === 'deleted') return null;
    return { companyDomain: (await this.accounts.find(login.accountId))?.companyDomain ?? '' };
  }

  /**
   * The account of an address, which is the actor's own, or one that he administrates. ACCOUNT_NOT_FOUND for everybody else's as for nobody's; FORBIDDEN
   * for that of a colleague.
   */
  async administrated(actor: AccountActor, email: string): Promise<number> {
    const name = readOrNull(`email:${email.replace(/^email:/, '')}`);
    const login = name && (await this.accounts.findLogin(name));
    if (login === null) throw new DomainError('ACCOUNT_NOT_FOUND', 'There is no such user.');
    if (login.accountId !== actor.accountId) await this.rights.requireAdminOf(actor, login.accountId);
    return login.accountId;
  }

  /**
   * Removes one of the actor's logins, ends the links sent to it, and answers it as stored. LOGIN_NOT_FOUND; LAST_LOGIN when nobody could sign in
   * afterwards; FORBIDDEN for a pair made for one program.
   */
  async remove(actor: AccountActor, loginText: string): Promise<string> {
    refusePair(actor);
    const name = readOrNull(loginText);
    if (name === null) throw loginNotFound();
    const removed = await this.unitOfWork.run(async () => {
      await this.accounts.lock(actor.accountId);
      const logins = await this.accounts.listLogins(actor.accountId);
      const login = logins.find((candidate) => candidate.kind === name.kind && candidate.valueKey === name.valueKey);
      if (login === undefined) throw loginNotFound();
      const leads = (candidate: typeof login) => !isPair(candidate.kind) && candidate.confirmedMs !== null;
      if (leads(login) && logins.filter(leads).length === 1) throw new DomainError('LAST_LOGIN', 'The last login cannot be removed.');
      await this.accounts.removeLogin(login.id);
      await this.abandoned.endLinks(actor.accountId, login.id);
      await this.guards.reset([formatLogin({ kind: login.kind, value: login.valueKey })]);
      return formatLogin(login);
    });
    this.authenticator.forget(actor.accountId);
    this.directory.forget(actor.accountId);
    return removed;
  }

  /** Adds an address; it can be used once its mail is answered (at once with confirmation off). LOGIN_TAKEN. */
  async addEmail(actor: AccountActor, email: string): Promise<string> {
    refusePair(actor);
    const login = emailLogin(email);
    const confirmed = !this.registration.confirmsByMail;
    if (!confirmed) await this.registration.takeMailSlot(formatLogin({ kind: login.kind, value: login.valueKey }));
    await this.add(actor, login, confirmed);
    return formatLogin(login);
  }

  /** Adds a phone number. FORBIDDEN where logins have to be confirmed: nothing here sends short messages. LOGIN_TAKEN. */
  async addPhone(actor: AccountActor, phone: string): Promise<string> {
    refusePair(actor);
    const login = phoneLogin(phone);
    if (this.registration.confirmsByMail) throw new DomainError('FORBIDDEN', 'A phone number cannot be confirmed here.');
    await this.add(actor, login, true);
    return formatLogin(login);
  }

  /**
   * Makes the actor's pair for HTTP Basic (WebDAV programs) or for the synchronisation of contacts, in place of an earlier one of that kind. Absent or
   * empty parts are made up. This answer is the only one that ever holds the password. LOGIN_TAKEN; FORBIDDEN when asked for by a pair.
   */
  async createPair(
    actor: AccountActor,
    wish: { readonly login?: string | undefined; readonly password?: string | undefined },
    kind: PairKind = 'basic',
  ): Promise<{ login: string; password: string }> {
    refusePair(actor);
    const login = { ...basicLogin(wish.login || `u${randomUrlSafe(6).toLowerCase().slice(1)}`), kind };
    const password = wish.password || randomUrlSafe(15);
    checkNewPassword(password);
    const secretHash = await this.hasher.hash(password);
    await this.unitOfWork.run(async () => {
      await this.accounts.lock(actor.accountId);
      const earlier = (await this.accounts.listLogins(actor.accountId)).find((candidate) => candidate.kind === kind);
      if (earlier !== undefined) await this.accounts.removeLogin(earlier.id);
      const now = this.clock.now();
      await this.accounts.insertLogin(newId(now.getTime()), actor.accountId, login, now, { confirmed: true, secretHash });
      await this.guards.reset([formatLogin({ kind: login.kind, value: login.valueKey })]);
    });
    this.authenticator.forget(actor.accountId);
    return { login: login.value, password };
  }

  /** The user name of the actor's pair. Its password is not known to anybody but its owner. LOGIN_NOT_FOUND. */
  async pairLogin(actor: AccountActor, kind: PairKind = 'basic'): Promise<string> {
    const pair = (await this.accounts.listLogins(actor.accountId)).find((login) => login.kind === kind);
    if (pair === undefined) throw loginNotFound();
    return pair.value;
  }

  private async add(actor: AccountActor, login: LoginName, confirmed: boolean): Promise<void> {
    await this.unitOfWork.run(async () => {
      const now = this.clock.now();
      const loginId = newId(now.getTime());
      await this.accounts.insertLogin(loginId, actor.accountId, login, now, { confirmed });
      if (confirmed) return;
      const account = await this.accounts.find(actor.accountId);
      await this.registration.sendConfirmation(actor.accountId, loginId, login.value, account?.lang ?? 'en');
    });
  }
}

function loginNotFound(): DomainError {
  return new DomainError('LOGIN_NOT_FOUND', 'There is no such login.');
}
