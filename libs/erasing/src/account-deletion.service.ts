import { Injectable } from '@nestjs/common';

import { AccountDirectory, type AccountProfile, Authenticator, Devices, ProfileService, SystemAdmins } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { HomeHandover } from '#libs/handover';
import { type AccountActor, Clock, DomainError, SYSTEM_ACTOR } from '#libs/kernel';
import { TaskService } from '#libs/tasks';

import type { EraseInput } from './erase-account.task.js';
import { ErasingRepository } from './repositories/erasing.repository.js';

export interface DeleteAccount {
  readonly accountId: number;
  /** True: all data are erased now; false: the account can be restored. */
  readonly immediately: boolean;
  /** Whose the files are then: a login; empty = the owner of the company; null = nobody's. */
  readonly heir: string | null;
}

/** An account on its way out, and the task that does it; null when there is none. */
export interface Ending {
  readonly profile: AccountProfile;
  readonly taskId: string | null;
}

/** Administrators of the system end accounts. FORBIDDEN for everybody else. */
@Injectable()
export class AccountDeletion {
  constructor(
    private readonly admins: SystemAdmins,
    private readonly rows: ErasingRepository,
    private readonly handovers: HomeHandover,
    private readonly devices: Devices,
    private readonly directory: AccountDirectory,
    private readonly authenticator: Authenticator,
    private readonly profiles: ProfileService,
    private readonly tasks: TaskService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Lets nobody in by the account from now on, and starts what takes time. One that is deleted already is erased by `immediately`. ACCOUNT_NOT_FOUND
   * for an unknown or erased account, for a deleted one otherwise, and for an heir who is nobody; FORBIDDEN for the last administrator of the system;
   * INVALID_ARGUMENT when nobody could be the heir; QUOTA_EXCEEDED when he has no room; TASK_RUNNING while the files are being handed over.
   */
  async delete(actor: AccountActor, { accountId, immediately, heir }: DeleteAccount): Promise<Ending> {
    const taskId = await this.unitOfWork.run(async () => {
      const held = await this.admins.hold(actor, accountId, { deletedToo: immediately });
      const account = await this.rows.lock(accountId);
      if (account === null || account.erased) throw notFound();
      if (await this.rows.hasTask(accountId)) {
        if (account.eraseStarted) return null;
        throw new DomainError('TASK_RUNNING', 'The files of this user are being handed over; try again when that has ended.');
      }
      await this.admins.keepOne(held);
      const heirId = heir === null || account.eraseStarted ? null : await this.heirOf(accountId, heir);
      if (heirId !== null) await this.handovers.requireRoom(accountId, heirId);
      const now = this.clock.now();
      await this.rows.markDeleted(accountId, now);
      await this.devices.endAccess([accountId]);
      if (!immediately && heirId === null) return null;
      if (immediately && heirId === null) await this.rows.beginErasing(accountId, now);
      // The task of somebody who erases himself would end with him.
      const starter = actor.accountId === accountId ? SYSTEM_ACTOR : actor;
      const input = { accountId, heirId, erase: immediately } satisfies EraseInput;
      return (await this.tasks.start(starter, 'accounts.erase', input)).publicId;
    });
    this.authenticator.forget(accountId);
    this.directory.forget(accountId);
    return { profile: await this.profiles.ofAccount(accountId), taskId };
  }

  private async heirOf(accountId: number, login: string): Promise<number> {
    if (login === '') {
      const ownerId = await this.rows.companyOwnerOf(accountId);
      if (ownerId === null || ownerId === accountId)
        throw new DomainError('INVALID_ARGUMENT', 'Say by "migrate_login" who gets the files: there is no owner of a company who could.');
      return this.active(ownerId);
    }
    const heir = await this.directory.named(login);
    if (heir === null) throw notFound('There is no such user who could get the files.');
    if (heir.id === accountId) throw new DomainError('INVALID_ARGUMENT', 'The files must go to somebody else.');
    return this.active(heir.id);
  }

  private async active(heirId: number): Promise<number> {
    if ((await this.directory.account(heirId))?.state !== 'active') throw notFound('Whoever gets the files must be able to sign in.');
    return heirId;
  }
}

function notFound(message = 'There is no such user.'): DomainError {
  return new DomainError('ACCOUNT_NOT_FOUND', message);
}
