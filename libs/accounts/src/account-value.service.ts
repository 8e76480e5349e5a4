import { Injectable } from '@nestjs/common';

import { type AccountActor, Clock, DomainError } from '#libs/kernel';

import { ValueRepository } from './repositories/value.repository.js';
import { checkedJson } from './texts.js';

const MAX_KEY_BYTES = 256;
const MAX_KEYS = 1_000;

/** A small key-value store for each account: settings of its clients. */
@Injectable()
export class AccountValueService {
  constructor(
    private readonly values: ValueRepository,
    private readonly clock: Clock,
  ) {}

  /** Keeps any JSON value of up to 64 KiB. INVALID_ARGUMENT; QUOTA_EXCEEDED beyond 1,000 keys. */
  async set(actor: AccountActor, key: string, value: unknown): Promise<'written' | 'updated'> {
    if (!isKey(key)) throw new DomainError('INVALID_ARGUMENT', `A key has 1 to ${MAX_KEY_BYTES} bytes and no NUL character.`);
    const outcome = await this.values.put(actor.accountId, key, checkedJson(value), MAX_KEYS, this.clock.now());
    if (outcome === 'full') throw new DomainError('QUOTA_EXCEEDED', `An account keeps at most ${MAX_KEYS} values.`);
    return outcome;
  }

  /** One value, or all of them when no key is given. */
  read(actor: AccountActor, key?: string): Promise<Record<string, unknown>> {
    return key ? this.get(actor, key) : this.all(actor);
  }

  /** `{key: value}`, with null when there is none. */
  async get(actor: AccountActor, key: string): Promise<Record<string, unknown>> {
    const value = isKey(key) ? await this.values.find(actor.accountId, key) : undefined;
    // fromEntries makes a property of its own, whatever the name.
    return Object.fromEntries([[key, value ?? null]]);
  }

  /** All values of the actor by key. */
  async all(actor: AccountActor): Promise<Record<string, unknown>> {
    return Object.fromEntries((await this.values.list(actor.accountId)).map(({ key, value }) => [key, value]));
  }
}

function isKey(key: string): boolean {
  return key !== '' && Buffer.byteLength(key) <= MAX_KEY_BYTES && !key.includes('\0');
}
