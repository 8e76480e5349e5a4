import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';

import { AccountDirectory } from './account-directory.service.js';
import { Authenticator } from './authenticator.service.js';
import { FormerPasswords } from './former-passwords.js';
import { formatLogin } from './login-name.js';
import { refusePair } from './pair-rule.js';
import { checkNewPassword, PasswordHasher } from './password-hasher.js';
import { type AccountRecord, AccountRepository, type LoginRecord, type ProfileChange } from './repositories/account.repository.js';
import { LoginGuardRepository } from './repositories/login-guard.repository.js';
import { SecretRepository } from './repositories/secret.repository.js';
import { TokenRepository } from './repositories/token.repository.js';
import { checkedJson, checkedLanguage, checkedName, checkedTimezone } from './texts.js';

/** An account with its logins, oldest first. */
export interface AccountProfile {
  readonly account: AccountRecord;
  readonly logins: readonly LoginRecord[];
}

export interface ProfileCommand {
  readonly name?: string | undefined;
  /** Empty = not given. */
  readonly password?: string | undefined;
  readonly lang?: string | undefined;
  readonly timezone?: string | undefined;
  /** A JSON object, or its text. */
  readonly extraInfo?: unknown;
}

/** What people see and change of their account. */
@Injectable()
export class ProfileService {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly tokens: TokenRepository,
    private readonly guards: LoginGuardRepository,
    private readonly secrets: SecretRepository,
    private readonly authenticator: Authenticator,
    private readonly directory: AccountDirectory,
    private readonly hasher: PasswordHasher,
    private readonly former: FormerPasswords,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * The account `userId` when the actor is a system admin or an admin of that account's company, and the actor's own in every other case (also when
   * there is no such account), as the source has it.
   */
  async get(actor: AccountActor, userId?: number): Promise<AccountProfile> {
    const own = await this.accounts.find(actor.accountId);
    if (own === null) throw new DomainError('ACCOUNT_NOT_FOUND', 'There is no such account.');
    const other = userId === undefined || userId === own.id ? null : await this.accounts.find(userId);
    const mayRead = other !== null && (actor.role === 'admin' || (own.isCompanyAdmin && own.companyId !== null && own.companyId === other.companyId));
    const account = mayRead ? other : own;
    return { account, logins: await this.accounts.listLogins(account.id) };
  }

  /** The account behind an id, for use cases that have decided already. ACCOUNT_NOT_FOUND. */
  async ofAccount(id: number): Promise<AccountProfile> {
    const account = await this.accounts.find(id);
    if (account === null) throw new DomainError('ACCOUNT_NOT_FOUND', 'There is no such account.');
    return { account, logins: await this.accounts.listLogins(id) };
  }

  /** The accounts behind ids, in their order and in two statements, for use cases that have decided already; unknown ids are absent. */
  async ofAccounts(ids: readonly number[]): Promise<AccountProfile[]> {
    if (ids.length === 0) return [];
    const [accounts, logins] = [await this.accounts.findMany(ids), await this.accounts.listLoginsOf(ids)];
    const byAccount = new Map<number, LoginRecord[]>(accounts.map((account) => [account.id, []]));
    for (const login of logins) byAccount.get(login.accountId)?.push(login);
    return accounts.map((account) => ({ account, logins: byAccount.get(account.id)! }));
  }

  /**
   * Changes what is given; at least one field must be. A new password ends every other token of the account, its pairs for HTTP Basic, and its recovery
   * links. `passwordUnchanged` tells that the given password is the one it has already. INVALID_ARGUMENT; FORBIDDEN for a pair made for one program.
   */
  async change(actor: AccountActor, command: ProfileCommand): Promise<{ readonly passwordUnchanged: boolean }> {
    const change = readChange(command);
    const password = command.password || undefined;
    if (password === undefined && Object.keys(change).length === 0) {
      throw new DomainError('INVALID_ARGUMENT', 'At least one of name, password, lang, timezone and extra_info is required.');
    }
    if (password !== undefined) refusePair(actor);
    const passwordHash = password === undefined ? null : await this.newHash(actor.accountId, password);
    await this.unitOfWork.run(async () => {
      if (Object.keys(change).length > 0) await this.accounts.updateProfile(actor.accountId, change);
      if (passwordHash !== null) await this.replacePassword(actor.accountId, passwordHash, actor.tokenId);
    });
    this.directory.forget(actor.accountId);
    if (passwordHash !== null) this.authenticator.forget(actor.accountId);
    return { passwordUnchanged: password !== undefined && passwordHash === null };
  }

  /** The hash to store, or null when the account has this password already. */
  private async newHash(accountId: number, password: string): Promise<string | null> {
    checkNewPassword(password);
    const current = await this.accounts.passwordHash(accountId);
    if (current !== null && (await this.hasher.verify(current, password))) return null;
    await this.former.requireNew(accountId, password);
    return this.hasher.hash(password);
  }

  /**
   * Puts another password in the place of the account's, in the surrounding transaction, and ends what the old one let in: every token but
   * `keptTokenId`, pairs, one-time keys and the lock. `mustChange` asks the person for another one at the next chance.
   */
  async replacePassword(accountId: number, passwordHash: string, keptTokenId: string | null, mustChange = false): Promise<void> {
    await this.accounts.setPassword(accountId, passwordHash, this.clock.now(), mustChange);
    await this.tokens.removeAll(accountId, keptTokenId);
    await this.accounts.removePairs(accountId);
    await this.secrets.removeAll(accountId, ['recover', 'login_key', 'oauth_verifier']);
    const logins = await this.accounts.listLogins(accountId);
    await this.guards.reset(logins.map((login) => formatLogin({ kind: login.kind, value: login.valueKey })));
  }
}

/** Absent and, except for the name, empty fields do not change anything: clients send a whole profile back. */
function readChange(command: ProfileCommand): ProfileChange {
  const { name, lang, timezone, extraInfo } = command;
  return {
    ...(name === undefined ? {} : { name: checkedName(name) }),
    ...(lang ? { lang: checkedLanguage(lang) } : {}),
    ...(timezone ? { timezone: checkedTimezone(timezone) } : {}),
    ...(extraInfo === undefined || extraInfo === '' ? {} : { extraInfo: readExtraInfo(extraInfo) }),
  };
}

function readExtraInfo(value: unknown): Record<string, unknown> {
  let parsed = value;
  try {
    if (typeof value === 'string') parsed = JSON.parse(value);
  } catch {
    parsed = undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new DomainError('INVALID_ARGUMENT', 'extra_info must be a JSON object.');
  checkedJson(parsed);
  return parsed as Record<string, unknown>;
}
