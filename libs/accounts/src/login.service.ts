import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError, sha256 } from '#libs/kernel';

import { CredentialVerifier, type VerifiedCredential } from './credential-verifier.service.js';
import { basicCandidates, emailLogin, isPair, type LoginName, parseLogin, phoneLogin, splitBasic } from './login-name.js';
import { OneTimeSecrets } from './one-time-secrets.js';
import { refusePair } from './pair-rule.js';
import { AccountRepository } from './repositories/account.repository.js';
import { SecondFactorService } from './second-factor/second-factor.service.js';
import { type ClientInfo, type Session, SessionService, type TokenWish } from './session.service.js';

const MAX_PASSWORD_BYTES = 4_096;

/** One way to name the account: a login (`email:a@b`, `msisdn:7920...`, or bare), an address, or a phone number; with its password. */
export interface PasswordProof {
  readonly login?: string | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
  readonly password?: string | undefined;
  /** The code of the second factor, where the account has one. */
  readonly otp?: string | undefined;
}

/** A password, or a one-time key. */
export interface LoginCommand extends PasswordProof, TokenWish {
  readonly key?: string | undefined;
}

/** Proof of identity -> token. */
@Injectable()
export class LoginService {
  constructor(
    private readonly verifier: CredentialVerifier,
    private readonly sessions: SessionService,
    private readonly secrets: OneTimeSecrets,
    private readonly secondFactor: SecondFactorService,
    private readonly accounts: AccountRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Signs in by the key when there is one, else by password; see `byKey` and `byPassword`. */
  login(command: LoginCommand, client: ClientInfo): Promise<Session> {
    return command.key ? this.byKey(command.key, command, client, command.otp) : this.byPassword(command, client);
  }

  /**
   * Signs in by password. INVALID_CREDENTIALS (also for what is no login at all), LAST_ATTEMPT, LOGIN_LOCKED, RATE_LIMITED, ACCOUNT_DISABLED,
   * ACCOUNT_NOT_CONFIRMED, SECOND_FACTOR_REQUIRED, SECOND_FACTOR_WRONG; INVALID_ARGUMENT when login or password is missing.
   */
  async byPassword(command: PasswordProof & TokenWish, client: ClientInfo): Promise<Session> {
    const { accountId, secretHash } = await this.verify(command, client);
    return this.sessions.open(accountId, command, client, secretHash);
  }

  /** The account that login and password prove, without making a token. Throws as `byPassword`; FORBIDDEN for a pair made for one program. */
  async verify(command: PasswordProof, client: ClientInfo): Promise<VerifiedCredential> {
    const { login, email, phone, password, otp } = command;
    if (!password || !(login || email || phone)) throw new DomainError('INVALID_ARGUMENT', 'Login and password are required.');
    if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) throw new DomainError('INVALID_ARGUMENT', 'The password is too long.');
    const name = login ? readOrUnknown(parseLogin, login) : email ? readOrUnknown(emailLogin, email) : readOrUnknown(phoneLogin, phone ?? '');
    return this.ofPerson(await this.verifier.verify([name], { password, code: otp || undefined }, client.ip));
  }

  /**
   * A temporary token for `user:password` of HTTP Basic. FORBIDDEN for a pair made for one program.
   */
  async byBasic(userPass: string, client: ClientInfo, otp?: string): Promise<Session> {
    const split = splitBasic(userPass);
    const names = split === null ? [] : basicCandidates(split.user);
    const proof = { password: split?.password ?? '', code: otp || undefined };
    const { accountId, secretHash } = this.ofPerson(await this.verifier.verify(names, proof, client.ip));
    return this.sessions.open(accountId, { permanent: false }, client, secretHash);
  }

  /**
   * Signs in by a one-time key: one of `generateKey`, or that of a recovery mail. The latter asks for a new password, and confirms the address
   * that received it; where a second factor is on it takes its code too (thrown as by a login). INVALID_CREDENTIALS for an unknown or ended key, FORBIDDEN
   * for a used one.
   */
  async byKey(key: string, wish: TokenWish, client: ClientInfo, otp?: string): Promise<Session> {
    const recovers = await this.secrets.ownerOf(key, 'recover');
    if (recovers !== null) await this.secondFactor.require(recovers, otp || undefined, client.ip);
    return this.unitOfWork.run(async () => {
      // A recovery link is opened by mail programs and browsers that may ask twice; a key is passed from program to program.
      const secret =
        (await this.secrets.redeem(key, ['login_key'], { repeatable: false })) ?? (await this.secrets.redeem(key, ['recover'], { repeatable: true }));
      if (secret === null || secret.accountId === null) throw new DomainError('INVALID_CREDENTIALS', 'The key is wrong or has ended.');
      const account = await this.accounts.find(secret.accountId);
      if (account === null || account.state === 'deleted') throw new DomainError('INVALID_CREDENTIALS', 'The key is wrong or has ended.');
      if (account.state === 'disabled' || (account.expiresMs !== null && account.expiresMs <= this.clock.nowMs())) {
        throw new DomainError('ACCOUNT_DISABLED', 'This account is switched off.');
      }
      if (secret.purpose === 'recover') {
        const { loginId } = secret.payload;
        const logins = await this.accounts.listLogins(account.id);
        const login = logins.find((candidate) => candidate.id === loginId);
        if (login === undefined) throw new DomainError('INVALID_CREDENTIALS', 'The key is wrong or has ended.');
        await this.accounts.confirmLogin(login.id, this.clock.now());
        // Whoever registered had not shown yet that the address is theirs; its owner must not share a password with them.
        if (account.state === 'pending') await this.accounts.dropPassword(account.id);
        await this.accounts.activate(account.id, this.clock.now());
        await this.accounts.requirePasswordChange(account.id);
      } else if (account.state === 'pending') {
        throw new DomainError('ACCOUNT_NOT_CONFIRMED', 'This login is not confirmed yet: use the link in the mail.');
      }
      return this.sessions.open(account.id, wish, client);
    });
  }

  /** A token would outlive the pair that made it. */
  private ofPerson(credential: VerifiedCredential): VerifiedCredential {
    if (!isPair(credential.loginKind)) return credential;
    throw new DomainError('FORBIDDEN', 'This user name is for HTTP Basic only; sign in with the login of the account.');
  }

  /** A key of 64 hex characters that signs the actor in once within ten minutes. FORBIDDEN for a pair made for one program. */
  async generateKey(actor: AccountActor): Promise<string> {
    refusePair(actor);
    return this.secrets.make('login_key', actor.accountId);
  }
}

/** What is no login belongs to nobody: it goes the way of an unknown one, and nobody learns more from it. */
function readOrUnknown(read: (text: string) => LoginName, text: string): LoginName {
  try {
    return read(text);
  } catch {
    return { kind: 'email', value: '', valueKey: `:${sha256(text).toString('hex')}` };
  }
}
