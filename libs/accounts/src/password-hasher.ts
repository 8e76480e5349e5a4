import { availableParallelism } from 'node:os';

import { Injectable } from '@nestjs/common';
import { hash, verify } from 'argon2';

import { DomainError } from '#libs/kernel';

// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
const OPTIONS = { type: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
export const MAX_SECRET_BYTES = 256;
const MAX_WAITING = 500;

/** What it costs to make a key. */
export interface KeySettings {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/**
 * argon2id. At most as many hashes at once as there are cores: each takes 19 MiB and a thread of the pool that file reads share. Callers
 * beyond that wait their turn, and beyond 500 of them are refused (BUSY).
 */
@Injectable()
export class PasswordHasher {
  private free = Math.max(1, Math.min(3, availableParallelism()));
  private readonly waiting: (() => void)[] = [];
  private readonly decoy = this.hash('no password of anybody');

  /** What is stored instead of `password`. */
  hash(password: string): Promise<string> {
    return this.inTurn(() => hash(password, OPTIONS));
  }

  /** True when `password` made `digest`. Without a digest the same work is done, so that an unknown login takes as long as a wrong password. */
  async verify(digest: string | null, password: string): Promise<boolean> {
    const against = digest ?? (await this.decoy);
    const matches = await this.inTurn(() => verify(against, password));
    return matches && digest !== null;
  }

  /** A key made of a passphrase, by argon2id as well, and in the same turn. */
  async key(passphrase: string, salt: Buffer, { memoryKib, passes, lanes }: KeySettings, keyBytes: number): Promise<Buffer> {
    const options = { type: 2, memoryCost: memoryKib, timeCost: passes, parallelism: lanes, salt, hashLength: keyBytes, raw: true } as const;
    return this.inTurn(() => hash(passphrase, options));
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else {
      if (this.waiting.length >= MAX_WAITING) throw new DomainError('BUSY', 'Too many people are signing in at the moment; try again.');
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free++;
    }
  }
}

/** Refuses (INVALID_ARGUMENT) what cannot be a password: nothing, or more than 256 bytes. */
export function checkNewPassword(password: string): void {
  if (password === '' || Buffer.byteLength(password) > MAX_SECRET_BYTES) {
    throw new DomainError('INVALID_ARGUMENT', `A password has 1 to ${MAX_SECRET_BYTES} bytes.`);
  }
}
