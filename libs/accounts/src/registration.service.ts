import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { UnitOfWork } from '#libs/database';
import { Clock, DomainError, newId } from '#libs/kernel';
import { Limiter } from '#libs/limiter';
import { confirmMail, inviteMail, Mailer } from '#libs/mail';

import { FormerPasswords } from './former-passwords.js';
import { emailLogin, formatLogin, type LoginName, parseLogin, readOrNull } from './login-name.js';
import { OneTimeSecrets, SECRET_LIFE_MS } from './one-time-secrets.js';
import { checkNewPassword, PasswordHasher } from './password-hasher.js';
import { AccountRepository, type NewAccount } from './repositories/account.repository.js';
import type { SecretRecord } from './repositories/secret.repository.js';
import { SecondFactorService } from './second-factor/second-factor.service.js';
import { type ClientInfo, type Session, SessionService } from './session.service.js';
import { checkedLanguage, checkedName } from './texts.js';

const HOUR_MS = 60 * 60 * 1_000;
/** Mails that anybody can have sent to one address within an hour. */
export const MAILS_PER_HOUR = 5;

export type AccountFlags = Pick<
  NewAccount,
  | 'userAgreement'
  | 'marketingAgreement'
  | 'canPrint'
  | 'canDownload'
  | 'canUpload'
  | 'pcCanDownload'
  | 'useWatermarks'
  | 'mobileRestriction'
  | 'expiresMs'
>;

/** What a person fills in. */
export interface RegistrationForm extends AccountFlags {
  readonly login: LoginName;
  readonly name: string;
  readonly password: string;
  readonly lang?: string | undefined;
}

/** A form that was checked, its password already hashed: what may happen inside a transaction. */
export interface CheckedRegistration extends AccountFlags {
  readonly login: LoginName;
  readonly name: string;
  readonly lang: string;
  readonly passwordHash: string;
}

/** How accounts come into being, and how their addresses are confirmed. */
@Injectable()
export class RegistrationService {
  private readonly invitedListeners: ((accountId: number) => Promise<void>)[] = [];

  constructor(
    private readonly config: AppConfig,
    private readonly accounts: AccountRepository,
    private readonly sessions: SessionService,
    private readonly secrets: OneTimeSecrets,
    private readonly secondFactor: SecondFactorService,
    private readonly hasher: PasswordHasher,
    private readonly former: FormerPasswords,
    private readonly mailer: Mailer,
    private readonly limiter: Limiter,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** True when a new person must prove the address first (STOWAGE_ACCOUNT_CONFIRMATION=mail). */
  get confirmsByMail(): boolean {
    return this.config.accounts.confirmation === 'mail';
  }

  /** Adds what has to happen when an invited person registers, in the transaction of that. Higher libs add theirs when their module starts. */
  onInvitedArrived(listener: (accountId: number) => Promise<void>): void {
    this.invitedListeners.push(listener);
  }

  /**
   * Checks a form and hashes its password; to be done before the transaction. `inviteHash`: of the invitation that is accepted with it, whose account may have
   * had passwords. INVALID_ARGUMENT.
   */
  async check(form: RegistrationForm, inviteHash?: string): Promise<CheckedRegistration> {
    checkNewPassword(form.password);
    const invited = inviteHash ? await this.secrets.ownerOf(inviteHash, 'invite') : null;
    if (invited !== null) await this.former.requireNew(invited, form.password, { current: true });
    const name = checkedName(form.name);
    if (name === '') throw new DomainError('INVALID_ARGUMENT', 'A name is required.');
    const lang = form.lang ? checkedLanguage(form.lang) : 'en';
    const { password, ...rest } = form;
    return { ...rest, name, lang, passwordHash: await this.hasher.hash(password) };
  }

  /**
   * Makes the account, in the surrounding transaction. Not `confirmed`: it waits for its owner, who gets a mail. LOGIN_TAKEN; FORBIDDEN when
   * a phone number would have to be confirmed, because nothing here sends short messages.
   */
  create(
    form: CheckedRegistration,
    options: { readonly confirmed: boolean; readonly companyId?: number | null; readonly isCompanyAdmin?: boolean },
  ): Promise<number> {
    return this.unitOfWork.run(async () => {
      if (!options.confirmed && form.login.kind !== 'email') {
        throw new DomainError('FORBIDDEN', 'A phone number cannot be confirmed here; register with an e-mail address.');
      }
      const now = this.clock.now();
      const { companyId = null, isCompanyAdmin = false, confirmed } = options;
      const id = await this.accounts.insert({ ...form, companyId, isCompanyAdmin, state: confirmed ? 'active' : 'pending' }, now);
      const loginId = newId(now.getTime());
      await this.accounts.insertLogin(loginId, id, form.login, now, { confirmed });
      if (!confirmed) await this.sendConfirmation(id, loginId, form.login.value, form.lang);
      return id;
    });
  }

  /**
   * Makes the account of somebody whom a provider or directory has proven, without a password, in the surrounding transaction. LOGIN_TAKEN.
   */
  createProven(person: { readonly login: LoginName; readonly name: string }, companyId: number | null): Promise<number> {
    return this.unitOfWork.run(async () => {
      const now = this.clock.now();
      const id = await this.accounts.insert({ name: person.name, lang: 'en', passwordHash: null, state: 'active', companyId }, now);
      await this.accounts.insertLogin(newId(now.getTime()), id, person.login, now, { confirmed: true });
      return id;
    });
  }

  /** Makes an account a member of a company, in the surrounding transaction. */
  async joinCompany(accountId: number, companyId: number, options: { readonly isCompanyAdmin: boolean }): Promise<void> {
    await this.accounts.setCompany(accountId, companyId, options.isCompanyAdmin);
  }

  /** Leaves a mail with a confirmation link in the surrounding transaction. */
  async sendConfirmation(accountId: number, loginId: string, address: string, lang: string): Promise<void> {
    const hash = await this.secrets.make('confirm', accountId, { loginId });
    const link = `${this.config.http.publicUrl}/api/1/accounts/approve/?hash=${hash}`;
    await this.mailer.send({ to: address, ...confirmMail(lang, link, SECRET_LIFE_MS.confirm / HOUR_MS) });
  }

  /**
   * Confirms an address by the token of its mail and signs the person in. The link is good once, for 72 hours; a client that repeats the call
   * within a minute gets another session. ACCOUNT_NOT_FOUND for any other token, ACCOUNT_DISABLED; where a second factor is on it takes its code too,
   * thrown as by a login.
   */
  async approve(hash: string, client: ClientInfo, otp?: string): Promise<Session> {
    const ownerId = await this.secrets.ownerOf(hash, 'confirm');
    if (ownerId !== null) await this.secondFactor.require(ownerId, otp || undefined, client.ip);
    return this.unitOfWork.run(async () => {
      const secret = await this.redeemOrNull(hash, 'confirm');
      if (secret === null || secret.accountId === null) throw unknownToken();
      const now = this.clock.now();
      await this.accounts.lock(secret.accountId);
      const [account, logins] = [await this.accounts.find(secret.accountId), await this.accounts.listLogins(secret.accountId)];
      const login = logins.find((candidate) => candidate.id === secret.payload['loginId']);
      if (account === null || login === undefined || account.state === 'deleted') throw unknownToken();
      if (account.state === 'disabled') throw new DomainError('ACCOUNT_DISABLED', 'This account is switched off.');
      await this.accounts.confirmLogin(login.id, now);
      await this.accounts.activate(account.id, now);
      return this.sessions.open(account.id, { permanent: false }, client);
    });
  }

  /** Sends the confirmation mail again, five times an hour at most (RATE_LIMITED). ACCOUNT_NOT_FOUND, ALREADY_CONFIRMED. */
  async resend(loginText: string): Promise<void> {
    const name = readOrNull(loginText);
    const login = name && (await this.accounts.findLogin(name));
    if (login === null || login.state === 'deleted') throw new DomainError('ACCOUNT_NOT_FOUND', 'Nobody is registered with this login.');
    if (login.confirmedMs !== null) throw new DomainError('ALREADY_CONFIRMED', 'This login is confirmed already.');
    if (login.kind !== 'email') throw new DomainError('INVALID_ARGUMENT', 'Only an e-mail address can be confirmed by mail.');
    await this.takeMailSlot(formatLogin({ kind: login.kind, value: login.valueKey }));
    await this.unitOfWork.run(async () => {
      const account = await this.accounts.find(login.accountId);
      await this.sendConfirmation(login.accountId, login.id, login.value, account?.lang ?? 'en');
    });
  }

  /** Limits the mails that strangers can have sent to one address. RATE_LIMITED. Not inside of a transaction. */
  async takeMailSlot(address: string): Promise<void> {
    const slot = await this.limiter.take(`mail:${address}`, MAILS_PER_HOUR, HOUR_MS);
    if (!slot.granted) {
      throw new DomainError('RATE_LIMITED', 'Several mails were sent to this address already; look there, or wait an hour.', {
        retryAfterMs: slot.retryAfterMs,
      });
    }
  }

  /** Makes an account that waits for the owner of `email` and invites them by mail. LOGIN_TAKEN. */
  invite(
    email: string,
    options: { readonly inviter: string; readonly invitation?: string; readonly lang?: string; readonly companyId?: number | null },
  ): Promise<{ readonly accountId: number }> {
    const login = emailLogin(email);
    const lang = options.lang ? checkedLanguage(options.lang) : 'en';
    return this.unitOfWork.run(async () => {
      const now = this.clock.now();
      const accountId = await this.accounts.insert(
        { name: '', lang, passwordHash: null, state: 'pending', companyId: options.companyId ?? null },
        now,
      );
      await this.accounts.insertLogin(newId(now.getTime()), accountId, login, now, { confirmed: false });
      await this.sendInvitation(accountId, login, lang, options);
      return { accountId };
    });
  }

  /** Sends another invitation to somebody who was invited and has not come yet, in the surrounding transaction; the earlier ones are good as before. */
  async sendInvitation(
    accountId: number,
    login: LoginName,
    lang: string,
    said: { readonly inviter: string; readonly invitation?: string },
  ): Promise<void> {
    const hash = await this.secrets.make('invite', accountId, { login: formatLogin(login) });
    const link = `${this.config.http.publicUrl}/api/1/accounts/getinvited/?hash=${hash}`;
    const mail = inviteMail(lang, link, SECRET_LIFE_MS.invite / HOUR_MS, checkedName(said.inviter), said.invitation ?? '');
    await this.mailer.send({ to: login.value, ...mail });
  }

  /** The login that an invitation was sent to. ACCOUNT_NOT_FOUND when it is unknown, was used, or has ended. */
  async invitedLogin(hash: string): Promise<string> {
    const secret = await this.secrets.find(hash, 'invite');
    if (secret === null) throw unknownToken();
    return String(secret.payload['login']);
  }

  /**
   * Turns the waiting account of an invitation into that of the person who fills in `form`; the address needs no further proof. In the surrounding
   * transaction. ACCOUNT_NOT_FOUND for an unknown invitation, INVALID_ARGUMENT when it was sent to another address.
   */
  async acceptInvitation(hash: string, form: CheckedRegistration): Promise<number> {
    const secret = await this.redeemOrNull(hash, 'invite', false);
    if (secret === null || secret.accountId === null) throw unknownToken();
    if (secret.payload['login'] !== formatLogin(form.login) && parseLogin(String(secret.payload['login'])).valueKey !== form.login.valueKey) {
      throw new DomainError('INVALID_ARGUMENT', 'The invitation was sent to another address.');
    }
    const now = this.clock.now();
    const { accountId } = secret;
    if ((await this.accounts.find(accountId))?.state !== 'pending') throw unknownToken();
    for (const login of await this.accounts.listLogins(accountId)) await this.accounts.confirmLogin(login.id, now);
    await this.accounts.updateProfile(accountId, { name: form.name, lang: form.lang });
    await this.accounts.setPassword(accountId, form.passwordHash, now);
    await this.accounts.activate(accountId, now);
    for (const listener of this.invitedListeners) await listener(accountId);
    return accountId;
  }

  private async redeemOrNull(hash: string, purpose: 'confirm' | 'invite', repeatable = true): Promise<SecretRecord | null> {
    try {
      return await this.secrets.redeem(hash, [purpose], { repeatable });
    } catch (error) {
      // A used link answers as an unknown one.
      if (error instanceof DomainError && error.code === 'FORBIDDEN') return null;
      throw error;
    }
  }
}

function unknownToken(): DomainError {
  return new DomainError('ACCOUNT_NOT_FOUND', 'This link is unknown, was used already, or has ended.');
}
