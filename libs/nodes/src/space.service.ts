import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

import { AppConfig } from '#libs/config';
import { Database, UnitOfWork } from '#libs/database';
import { type Actor, Call, Clock, DomainError, newId } from '#libs/kernel';

import { QuotaLedger } from './ledger/repositories/quota-ledger.repository.js';
import { SpaceRepository } from './repositories/space.repository.js';

export interface Home {
  readonly spaceId: string;
  readonly rootId: string;
}

/** Where an account's files live. */
@Injectable()
export class SpaceService {
  // Never goes stale: the home of an account is made once and keeps its ids.
  private readonly homes = new LRUCache<number, Home>({ max: 100_000 });

  constructor(
    private readonly spaces: SpaceRepository,
    private readonly quotas: QuotaLedger,
    private readonly unitOfWork: UnitOfWork,
    private readonly database: Database,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /** Space and root folder of an account, made (with its quota row) at the first use. */
  async homeOf(accountId: number): Promise<Home> {
    const known = this.homes.get(accountId);
    if (known) return known;
    const home = (await this.spaces.findHome(accountId)) ?? (await this.makeHome(accountId));
    // Not at once: what a surrounding transaction has made may still be rolled back.
    await this.unitOfWork.afterCommit(() => void this.homes.set(accountId, home));
    return home;
  }

  /** The home of an actor. INVALID_ARGUMENT for the system, which has none. */
  async homeOfActor(actor: Actor): Promise<Home> {
    if (actor.kind === 'account') return this.homeOf(actor.accountId);
    throw new DomainError('INVALID_ARGUMENT', 'A path needs an account; name the node by its id.');
  }

  /** Waits until this transaction alone may move things around in the space. A statement of its own, before what it protects is read. */
  async lock(spaceId: string): Promise<void> {
    await this.database.lock(`space:${spaceId}`);
  }

  /** Those of the accounts that were not erased: nothing is kept for the others any more. */
  living(accountIds: readonly number[]): Promise<number[]> {
    return this.spaces.living(accountIds);
  }

  private async makeHome(accountId: number): Promise<Home> {
    // it comes with the first use, also when that is a read or is refused
    return Call.aside(() => this.insertHome(accountId));
  }

  private insertHome(accountId: number): Promise<Home> {
    return this.unitOfWork.run(async () => {
      const home = { spaceId: newId(), rootId: newId() };
      const made = await this.spaces.insertHome(accountId, home.spaceId, home.rootId, this.clock.nowMs());
      await this.quotas.ensure(accountId, this.config.accounts.defaultQuotaBytes);
      if (made) return home;
      const other = await this.spaces.findHome(accountId);
      if (!other) throw new Error(`account ${accountId} has no home space`);
      return other;
    });
  }
}
