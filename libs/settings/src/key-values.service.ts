import { Injectable } from '@nestjs/common';

import { AdminRights, checkedJson } from '#libs/accounts';
import { type AccountActor, Clock, DomainError, isDomainError } from '#libs/kernel';

import { KeyValueRepository } from './repositories/key-value.repository.js';

const MAX_KEY_BYTES = 256;

/** Who may read a value: anybody, everybody with an account, or administrators of the system. */
export type KeyRights = 'all' | 'user' | 'admin';

export interface KeyValue {
  readonly key: string;
  readonly value: unknown;
}

/** Values that administrators of the system keep for all clients. */
@Injectable()
export class KeyValues {
  constructor(
    private readonly rows: KeyValueRepository,
    private readonly rights: AdminRights,
    private readonly clock: Clock,
  ) {}

  /**
   * The value of a key. NODE_NOT_FOUND when there is none that this person may read; UNAUTHENTICATED instead for who has not signed in, so that nothing
   * can be learned about other keys.
   */
  async get(actor: AccountActor | null, key: string): Promise<KeyValue> {
    const row = isKey(key) ? await this.rows.find(key) : null;
    if (row?.rights !== 'all' && actor === null) throw new DomainError('UNAUTHENTICATED', 'Sign in first.');
    if (row === null || (row.rights === 'admin' && !(await this.isAdmin(actor)))) throw new DomainError('NODE_NOT_FOUND', 'There is no such key.');
    return { key, value: row.value };
  }

  /** The value of a key as the house itself reads it; undefined when there is none. */
  async read(key: string): Promise<unknown> {
    return (await this.rows.find(key))?.value;
  }

  /** Keeps any JSON value of up to 64 KiB; without `rights` those of before, `user` at first. FORBIDDEN for who is no administrator of the system, INVALID_ARGUMENT. */
  async set(actor: AccountActor | null, key: string, value: unknown, rights?: KeyRights): Promise<void> {
    if (actor === null) throw new DomainError('UNAUTHENTICATED', 'Sign in first.');
    await this.rights.requireSystemAdmin(actor);
    if (!isKey(key)) throw new DomainError('INVALID_ARGUMENT', `A key has 1 to ${MAX_KEY_BYTES} bytes and no NUL character.`);
    await this.rows.put(key, checkedJson(value), rights ?? null, actor.accountId, this.clock.now());
  }

  private async isAdmin(actor: AccountActor | null): Promise<boolean> {
    try {
      if (actor === null) return false;
      await this.rights.requireSystemAdmin(actor);
      return true;
    } catch (error) {
      if (isDomainError(error, 'FORBIDDEN')) return false;
      throw error;
    }
  }
}

function isKey(key: string): boolean {
  return key !== '' && Buffer.byteLength(key) <= MAX_KEY_BYTES && !key.includes('\0');
}
