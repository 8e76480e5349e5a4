import { Injectable } from '@nestjs/common';

import { UnitOfWork } from '#libs/database';
import { Clock, DomainError } from '#libs/kernel';

import { WopiLockRepository } from './repositories/wopi-lock.repository.js';

/** A lock that nobody renews ends after this time. */
const LOCK_LIFE_MS = 30 * 60_000;
const MAX_LOCK_LENGTH = 1024;

/**
 * Locks of editing sessions: one a file, whoever of the editors set it; the office server knows its sessions by the lock's id. They bind office
 * servers alone: an upload by other ways makes a version like any other, and does not wait.
 */
@Injectable()
export class WopiLocks {
  constructor(
    private readonly locks: WopiLockRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Locks the file, or renews the same lock. LOCK_MISMATCH with the lock that is there, INVALID_ARGUMENT. */
  lock(nodeId: string, lockId: string): Promise<void> {
    return this.exclusively(nodeId, lockId, async (current) => {
      if (current !== null && current !== lockId) throw lockMismatch(current, 'The file is locked by another editing session.');
      await this.set(nodeId, lockId);
    });
  }

  /** Replaces the lock `oldLockId`. LOCK_MISMATCH, INVALID_ARGUMENT. */
  relock(nodeId: string, lockId: string, oldLockId: string): Promise<void> {
    return this.exclusively(nodeId, lockId, async (current) => {
      if (current !== oldLockId) throw lockMismatch(current, 'The file does not have the old lock.');
      await this.set(nodeId, lockId);
    });
  }

  /** LOCK_MISMATCH, also for a file that is not locked; INVALID_ARGUMENT. */
  refresh(nodeId: string, lockId: string): Promise<void> {
    return this.exclusively(nodeId, lockId, async (current) => {
      if (current !== lockId) throw lockMismatch(current, 'The file does not have this lock.');
      await this.set(nodeId, lockId);
    });
  }

  /** LOCK_MISMATCH, also for a file that is not locked; INVALID_ARGUMENT. */
  unlock(nodeId: string, lockId: string): Promise<void> {
    return this.exclusively(nodeId, lockId, async (current) => {
      if (current !== lockId) throw lockMismatch(current, 'The file does not have this lock.');
      await this.locks.remove(nodeId);
    });
  }

  /** Id of the lock, or null. */
  current(nodeId: string): Promise<string | null> {
    return this.locks.current(nodeId, this.clock.now());
  }

  /** Does `work` in a transaction while no lock of the file can change; it is given the lock that is there, or null. */
  whileHeld<T>(nodeId: string, work: (current: string | null) => Promise<T>): Promise<T> {
    return this.unitOfWork.run(async () => {
      await this.locks.hold(nodeId);
      return work(await this.current(nodeId));
    });
  }

  private async exclusively(nodeId: string, lockId: string, work: (current: string | null) => Promise<void>): Promise<void> {
    checkLock(lockId);
    await this.whileHeld(nodeId, work);
  }

  private async set(nodeId: string, lockId: string): Promise<void> {
    const now = this.clock.now();
    await this.locks.set(nodeId, lockId, new Date(now.getTime() + LOCK_LIFE_MS), now);
  }
}

/** Whether content may be written under the lock `given`: it must be the file's, and a file without one may only be filled for the first time. */
export function judgeWrite(current: string | null, given: string | null, sizeBytes: number): void {
  if (current === null ? sizeBytes > 0 : current !== given) throw lockMismatch(current, 'The file does not have the lock of this editing session.');
}

/** LOCK_MISMATCH; `details.lock` is the lock that is there, empty when there is none. */
export function lockMismatch(current: string | null, message: string): DomainError {
  return new DomainError('LOCK_MISMATCH', message, { lock: current ?? '' });
}

function checkLock(lockId: string): void {
  if (lockId === '' || lockId.length > MAX_LOCK_LENGTH || !/^[\x20-\x7e]+$/.test(lockId))
    throw new DomainError('INVALID_ARGUMENT', `A lock has 1 to ${MAX_LOCK_LENGTH} ASCII characters.`);
}
