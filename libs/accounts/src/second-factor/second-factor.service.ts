import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';

import { AdminRights } from '../admin-rights.js';
import { Authenticator } from '../authenticator.service.js';
import { type Comparison, LoginTries } from '../login-tries.js';
import { refusePair } from '../pair-rule.js';
import { AccountRepository } from '../repositories/account.repository.js';
import { mainLogin } from '../session.service.js';
import { SecondFactorRepository } from './repositories/second-factor.repository.js';
import { type ProposedSecret, secondFactorRefusal, SecondFactorCodes } from './second-factor-codes.js';

export interface SecondFactorState {
  /** The sign-in asks for a code. */
  readonly enabled: boolean;
  /** Proposed, and not confirmed by a code yet. */
  readonly pending: boolean;
  readonly recoveryCodesLeft: number;
  /** The company demands one. */
  readonly required: boolean;
}

/** The guard that counts wrong codes of an account where no login is typed. */
export function secondFactorKey(accountId: number): string {
  return `second-factor:${accountId}`;
}

/** The second factor of accounts: turned on and off by their owners, asked for when they sign in. FORBIDDEN for pairs made for one program and for who acts as somebody else. */
@Injectable()
export class SecondFactorService {
  constructor(
    private readonly factors: SecondFactorRepository,
    private readonly codes: SecondFactorCodes,
    private readonly tries: LoginTries,
    private readonly accounts: AccountRepository,
    private readonly rights: AdminRights,
    private readonly authenticator: Authenticator,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  async state(actor: AccountActor): Promise<SecondFactorState> {
    const factor = await this.factors.find(actor.accountId);
    const required = (actor.policy?.company?.secondFactor ?? null) !== null;
    return { enabled: factor?.confirmed ?? false, pending: factor?.confirmed === false, recoveryCodesLeft: factor?.recoveryCodes ?? 0, required };
  }

  /** A new secret for an authenticator program; nothing is asked for until `confirm`. ALREADY_CONFIRMED when the second factor is on. */
  async enrol(actor: AccountActor): Promise<ProposedSecret> {
    refuseOthers(actor);
    const label = mainLogin(actor.accountId, await this.accounts.listLogins(actor.accountId)).replace(/^[a-z_]+:/, '');
    const { sealed, ...shown } = this.codes.newSecret(label);
    await this.unitOfWork.run(async () => {
      if (!(await this.factors.propose(actor.accountId, sealed, this.clock.now()))) throw isOn();
    });
    return shown;
  }

  /**
   * Turns the second factor on by a code of the proposed secret; answers the recovery codes, which are never shown again. ALREADY_CONFIRMED,
   * SECOND_FACTOR_WRONG, INVALID_ARGUMENT when nothing was proposed.
   */
  async confirm(actor: AccountActor, code: string): Promise<readonly string[]> {
    refuseOthers(actor);
    const { codes, hashes } = this.codes.newRecoveryCodes();
    await this.unitOfWork.run(async () => {
      const factor = await this.factors.find(actor.accountId);
      if (factor === null) throw new DomainError('INVALID_ARGUMENT', 'There is no secret to confirm; ask for one first.');
      if (factor.confirmed) throw isOn();
      const step = this.codes.stepOf(factor.sealedSecret, code);
      if (step === null) throw secondFactorRefusal(code);
      if (!(await this.factors.confirm(actor.accountId, factor.sealedSecret, step, this.clock.now()))) throw isOn();
      await this.factors.replaceRecoveryCodes(actor.accountId, hashes);
    });
    // passwords over HTTP Basic are no longer enough, and what a company demands is done
    this.authenticator.forget(actor.accountId);
    return codes;
  }

  /** New recovery codes in place of all earlier ones, for a code. Throws as `require`. */
  async renewRecoveryCodes(actor: AccountActor, code: string, ip: string): Promise<readonly string[]> {
    refuseOthers(actor);
    await this.require(actor.accountId, code, ip);
    const { codes, hashes } = this.codes.newRecoveryCodes();
    await this.unitOfWork.run(async () => {
      await this.accounts.lock(actor.accountId);
      if (!(await this.factors.find(actor.accountId))?.confirmed) throw isOff();
      await this.factors.replaceRecoveryCodes(actor.accountId, hashes);
    });
    return codes;
  }

  /** Turns the second factor off, for a code. INVALID_ARGUMENT when it is off; throws as `require`. */
  async disable(actor: AccountActor, code: string, ip: string): Promise<void> {
    refuseOthers(actor);
    if (!(await this.factors.find(actor.accountId))?.confirmed) throw isOff();
    await this.require(actor.accountId, code, ip);
    await this.unitOfWork.run(() => this.factors.remove(actor.accountId));
    this.authenticator.forget(actor.accountId);
  }

  /**
   * Takes the second factor of somebody who lost everything away, as their administrator. FORBIDDEN for oneself, for who administrates nothing, and for
   * who is higher; ACCOUNT_NOT_FOUND; INVALID_ARGUMENT when there is none.
   */
  async reset(actor: AccountActor, accountId: number): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.rights.requireAdminOf(actor, accountId);
      if (actor.accountId === accountId) throw new DomainError('FORBIDDEN', 'The own second factor is turned off by a code of it.');
      await this.rights.requireHigher(actor, accountId);
      if (!(await this.factors.remove(accountId))) throw isOff();
    });
    this.authenticator.forget(accountId);
  }

  /** Whether signing in to the account takes a code. */
  async isOn(accountId: number): Promise<boolean> {
    return (await this.factors.find(accountId))?.confirmed ?? false;
  }

  /**
   * Asks for a code where the account has the second factor on and no password was compared. SECOND_FACTOR_REQUIRED, SECOND_FACTOR_WRONG, LAST_ATTEMPT,
   * LOGIN_LOCKED, RATE_LIMITED. Not inside of a transaction: a wrong code must stay counted.
   */
  async require(accountId: number, code: string | undefined, ip: string): Promise<void> {
    if (!(await this.isOn(accountId))) return;
    if (!code) throw secondFactorRefusal(undefined);
    const key = secondFactorKey(accountId);
    await this.tries.attempt({ key, holder: key, ip, secret: code }, async (): Promise<Comparison<true>> =>
      (await this.codes.accept(accountId, code)) ? { end: 'right', value: true } : { end: 'wrong', refusal: secondFactorRefusal(code) },
    );
  }
}

function refuseOthers(actor: AccountActor): void {
  refusePair(actor);
  if (actor.impersonatorId !== undefined) throw new DomainError('FORBIDDEN', 'Who acts as somebody else does not change how they sign in.');
}

function isOn(): DomainError {
  return new DomainError('ALREADY_CONFIRMED', 'The second factor is on already.');
}

function isOff(): DomainError {
  return new DomainError('INVALID_ARGUMENT', 'The second factor is off.');
}
