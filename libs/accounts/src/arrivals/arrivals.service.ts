import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Clock, DomainError } from '#libs/kernel';

import { type LoginName, readOrNull } from '../login-name.js';
import { type AccountRecord, AccountRepository } from '../repositories/account.repository.js';
import { type PersonKey, PersonLinkRepository } from './repositories/person-link.repository.js';

/** Somebody whom a provider or a directory has just proven to us. */
export interface ProvenPerson extends PersonKey {
  /** An address that the provider vouches for; null = none. */
  readonly email: string | null;
  readonly name: string;
}

/** What a provider may do. */
export interface ArrivalRules {
  /** Only members of this company; null = any account. */
  readonly companyId: number | null;
  /** Whether an account that carries the address may be linked to the person. */
  readonly mayLink: boolean;
  /** Makes the account of a person whom nobody knows; null = none is made. In the surrounding transaction. */
  readonly create: ((login: LoginName | null, name: string) => Promise<number>) | null;
}

/**
 * Which account a proven person has: the one that was linked before; else the one with the address that the provider vouches for; else a new one. A
 * provider of a company reaches that company's members alone, and never its owner; no provider reaches those who administrate the system: whoever may
 * set a provider would else sign in as them.
 */
@Injectable()
export class Arrivals {
  constructor(
    private readonly links: PersonLinkRepository,
    private readonly accounts: AccountRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** The account that the person will have by these rules, as far as it exists and may be reached; null otherwise. Changes nothing. */
  async expected(person: ProvenPerson, { companyId, mayLink }: Pick<ArrivalRules, 'companyId' | 'mayLink'>): Promise<number | null> {
    const login = person.email === null || !mayLink ? null : readOrNull(`email:${person.email}`);
    const accountId = (await this.links.find(person)) ?? (login && (await this.accounts.findLogin(login))?.accountId) ?? null;
    const account = accountId === null ? null : await this.accounts.find(accountId);
    return account !== null && (companyId === null || account.companyId === companyId) ? account.id : null;
  }

  /** The account's id. FORBIDDEN when there is none for this person, ACCOUNT_DISABLED; throws as `rules.create` does. */
  of(person: ProvenPerson, rules: ArrivalRules): Promise<number> {
    return this.unitOfWork.run(async () => {
      await this.links.lock(person);
      const known = await this.links.find(person);
      if (known !== null) {
        const account = await this.reachable(known, rules);
        // a link does not wake what waits for its mail: it may have been made before the account was taken back
        if (account.state === 'pending') throw noAccount();
        return known;
      }
      const login = person.email === null ? null : readOrNull(`email:${person.email}`);
      const accountId = (login && (await this.linked(login, rules))) ?? (await this.created(login, person.name, rules));
      await this.links.insert(person, accountId, this.clock.now());
      return accountId;
    });
  }

  /** The account of the address, made ready for its owner; null when nobody has it. */
  private async linked(login: LoginName, rules: ArrivalRules): Promise<number | null> {
    const found = await this.accounts.findLogin(login);
    if (found === null) return null;
    if (!rules.mayLink) throw noAccount();
    await this.accounts.lock(found.accountId);
    const account = await this.reachable(found.accountId, rules);
    if (account.state === 'pending') {
      // Whoever registered had not shown yet that the address is theirs; its owner must not share a password with them.
      await this.accounts.dropPassword(account.id);
      await this.accounts.confirmLogin(found.id, this.clock.now());
      await this.accounts.activate(account.id, this.clock.now());
    } else if (found.confirmedMs === null) {
      // An address that somebody added to a living account and never confirmed is not theirs yet.
      throw noAccount();
    }
    return account.id;
  }

  private async created(login: LoginName | null, name: string, { create }: ArrivalRules): Promise<number> {
    if (create === null) throw noAccount();
    return create(login, name);
  }

  private async reachable(accountId: number, { companyId }: ArrivalRules): Promise<AccountRecord> {
    const account = await this.accounts.find(accountId);
    if (account === null || account.state === 'deleted' || account.role !== 'user') throw noAccount();
    if (companyId !== null && (account.companyId !== companyId || (await this.links.ownsCompany(accountId)))) throw noAccount();
    const hasEnded = account.expiresMs !== null && account.expiresMs <= this.clock.nowMs();
    if (account.state === 'disabled' || account.companyClosed || hasEnded) throw new DomainError('ACCOUNT_DISABLED', 'This account is switched off.');
    return account;
  }
}

function noAccount(): DomainError {
  return new DomainError('FORBIDDEN', 'There is no account here that may be used this way; ask an administrator, or sign in with a password.');
}
