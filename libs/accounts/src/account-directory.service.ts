import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

import { Clock } from '#libs/kernel';

import { AccountRepository } from './repositories/account.repository.js';

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

  /** Makes a changed name visible at once in this process. */
  forget(accountId: number): void {
    this.people.delete(accountId);
  }
}
