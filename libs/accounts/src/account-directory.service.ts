import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

import { Clock } from '#libs/kernel';

import { readOrNull } from './login-name.js';
import { type AccountRecord, AccountRepository } from './repositories/account.repository.js';

/** How an account appears beside a file. `login` is written `kind:value`. */
export interface Person {
  readonly name: string;
  readonly lang: string;
  readonly login: string;
}

const FRESH_MS = 5_000;

/** Names of accounts, up to 5 seconds old. */
@Injectable()
export class AccountDirectory {
  private readonly people = new LRUCache<number, { readonly person: Person; readonly readMs: number }>({ max: 20_000 });

  constructor(
    private readonly accounts: AccountRepository,
    private readonly clock: Clock,
  ) {}

  /** The people behind `ids`; ids that name nobody are absent. At most one statement. */
  async find(ids: Iterable<number>): Promise<Map<number, Person>> {
    const found = new Map<number, Person>();
    const missing = new Set<number>();
    const nowMs = this.clock.nowMs();
    for (const id of ids) {
      const cached = this.people.get(id);
      if (cached !== undefined && nowMs - cached.readMs < FRESH_MS) found.set(id, cached.person);
      else missing.add(id);
    }
    if (missing.size === 0) return found;
    for (const { id, ...person } of await this.accounts.listPeople([...missing])) {
      this.people.set(id, { person, readMs: nowMs });
      found.set(id, person);
    }
    return found;
  }

  /** The account with this id, fresh; null for an unknown or deleted one. */
  async account(id: number): Promise<AccountRecord | null> {
    const account = await this.accounts.find(id);
    return account?.state === 'deleted' ? null : account;
  }

  /**
   * The account that a client names by a login (`email:a@b.c`, a bare address or number) or as `userid:7`; null for nobody. A login that is not
   * confirmed counts only while its account waits for that very proof: else anybody could add an address of somebody else and receive for him.
   */
  async named(text: string): Promise<AccountRecord | null> {
    const id = /^userid:(\d{1,15})$/.exec(text.trim())?.[1];
    if (id !== undefined) return this.account(Number(id));
    const name = readOrNull(text);
    const login = name && (await this.accounts.findLogin(name));
    if (login === null || (login.confirmedMs === null && login.state !== 'pending')) return null;
    return this.account(login.accountId);
  }

  /** Makes a changed name visible at once in this process. */
  forget(accountId: number): void {
    this.people.delete(accountId);
  }
}
