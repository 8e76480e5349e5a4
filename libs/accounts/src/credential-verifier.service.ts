import { Injectable } from '@nestjs/common';

import { Call, Clock, DomainError } from '#libs/kernel';

import { formatLogin, type LoginName } from './login-name.js';
import { type Comparison, LoginTries } from './login-tries.js';
import { PasswordHasher } from './password-hasher.js';
import { AccountRepository, type CredentialRecord } from './repositories/account.repository.js';
import { LoginGuardRepository } from './repositories/login-guard.repository.js';
import { secondFactorRefusal, SecondFactorCodes } from './second-factor/second-factor-codes.js';

/** A password that was found right, and a code where one is due. `secretHash` is what it was compared with. */
export interface VerifiedCredential extends CredentialRecord {
  readonly secretHash: string;
}

/** What a person sends to prove that a login is theirs. `code` is of the second factor, when they have one. */
export interface SentProof {
  readonly password: string;
  readonly code?: string | undefined;
}

/** Compares passwords, and the code of a second factor with them, within the limits of `LoginTries`. An unknown login takes the same way, statement by statement, as a wrong password. */
@Injectable()
export class CredentialVerifier {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly guards: LoginGuardRepository,
    private readonly tries: LoginTries,
    private readonly codes: SecondFactorCodes,
    private readonly hasher: PasswordHasher,
    private readonly clock: Clock,
  ) {}

  /**
   * The credential that the first existing one of `logins` names. Throws INVALID_CREDENTIALS, LAST_ATTEMPT, LOGIN_LOCKED, RATE_LIMITED; and,
   * only when the password is right, SECOND_FACTOR_REQUIRED, SECOND_FACTOR_WRONG, ACCOUNT_DISABLED or ACCOUNT_NOT_CONFIRMED. Call it outside of a transaction.
   */
  async verify(logins: readonly LoginName[], proof: SentProof, ip: string): Promise<VerifiedCredential> {
    const first = logins[0];
    if (first === undefined) throw new DomainError('INVALID_CREDENTIALS', 'Login or password is wrong.');
    const loginKey = formatLogin({ kind: first.kind, value: first.valueKey });
    const credential = await this.tries.inTurn(loginKey, () => this.compare(loginKey, logins, proof, ip));
    if (credential.state === 'disabled' || (credential.expiresMs !== null && credential.expiresMs <= this.clock.nowMs())) {
      throw new DomainError('ACCOUNT_DISABLED', 'This account is switched off.');
    }
    if (credential.state === 'pending' || !credential.loginConfirmed) {
      throw new DomainError('ACCOUNT_NOT_CONFIRMED', 'This login is not confirmed yet: use the link in the mail.');
    }
    if (credential.passwordEndsMs !== null && credential.passwordEndsMs <= this.clock.nowMs()) {
      throw new DomainError('FORBIDDEN', 'This password is older than your company allows: ask for a new one by accounts/recover_lost_password.', {
        reason: 'password_lifetime',
      });
    }
    return credential;
  }

  private async compare(loginKey: string, logins: readonly LoginName[], proof: SentProof, ip: string): Promise<VerifiedCredential> {
    const [guard, found] = await Promise.all([this.guards.find(loginKey), this.accounts.findCredential(logins)]);
    const credential = found?.state === 'deleted' ? null : found;
    Call.note('account', credential?.accountId);
    // What was tried before an administrator ended the lock is forgotten with it, from every address.
    const holder = credential === null ? loginKey : `${credential.accountId}${credential.unlocks === 0 ? '' : `#${credential.unlocks}`}`;
    const { password, code } = proof;
    const secret = code === undefined ? password : `${password}\0${code}`;
    return this.tries.make({ key: loginKey, holder, ip, secret, guard }, async (): Promise<Comparison<VerifiedCredential>> => {
      const matches = await this.hasher.verify(credential?.secretHash ?? null, password);
      if (!matches || credential === null || credential.secretHash === null) return { end: 'wrong' };
      const value = { ...credential, secretHash: credential.secretHash };
      if (!credential.hasSecondFactor) return { end: 'right', value };
      if (code === undefined) return { end: 'undecided', refusal: secondFactorRefusal(undefined) };
      return (await this.codes.accept(credential.accountId, code)) ? { end: 'right', value } : { end: 'wrong', refusal: secondFactorRefusal(code) };
    });
  }
}
