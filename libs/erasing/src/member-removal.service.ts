import { Injectable } from '@nestjs/common';

import { AccountDirectory, type AccountProfile, Authenticator, Devices, ProfileService } from '#libs/accounts';
import { CompanyMembers } from '#libs/companies';
import { UnitOfWork } from '#libs/database';
import { HomeHandover } from '#libs/handover';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';
import { TaskService } from '#libs/tasks';

import type { Ending } from './account-deletion.service.js';
import type { EraseInput } from './erase-account.task.js';
import { type EndingAccount, ErasingRepository } from './repositories/erasing.repository.js';

export interface RemoveMember {
  readonly companyId: number;
  readonly accountId: number;
  /** True: his devices are wiped. */
  readonly wipe: boolean;
  /** Which member gets his files: a login; empty = who removes him, or the owner; null = nobody, they are erased. */
  readonly heir: string | null;
  /** True: nobody has to confirm it. */
  readonly confirmed: boolean;
}

/**
 * Administrators of a company remove its members: first they are kept out, then, when that is confirmed, their files go to somebody else or are erased,
 * with all else. COMPANY_NOT_FOUND for the companies of others, FORBIDDEN for plain members, ACCOUNT_NOT_FOUND for who is no member, in every method.
 */
@Injectable()
export class MemberRemoval {
  constructor(
    private readonly people: CompanyMembers,
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
   * Keeps a member out until his removing is confirmed or cancelled; with `confirmed` it begins at once. Saying it again changes who gets the files.
   * FORBIDDEN also for oneself, for the last administrator, and for the owner and administrators of the system unless one of the latter does it;
   * ACCOUNT_NOT_FOUND also for an heir who is no active member; INVALID_ARGUMENT, QUOTA_EXCEEDED.
   */
  async remove(actor: AccountActor, { companyId, accountId, wipe, heir, confirmed }: RemoveMember): Promise<Ending> {
    return this.ending(accountId, async () => {
      let taskId: string | null = null;
      await this.people.changeOne(actor, { accountId, companyId }, async (member) => {
        if (accountId === actor.accountId) throw new DomainError('FORBIDDEN', 'Nobody removes himself.');
        await this.people.requireHigher(actor, member);
        await this.people.keepAdmins(companyId, member);
        const heirId = heir === null ? null : await this.heirOf(actor, companyId, accountId, heir);
        if (heirId !== null) await this.handovers.requireRoom(accountId, heirId);
        await this.rows.markRemoving(accountId, heirId, this.clock.now());
        if (wipe) await this.devices.wipeAll([accountId]);
        await this.devices.endAccess([accountId]);
        if (confirmed) taskId = await this.begin(actor, (await this.rows.lock(accountId))!);
      });
      return taskId;
    });
  }

  /** Begins what cannot be taken back. WRONG_STATE when the member is not being removed, or it has begun. */
  async confirm(actor: AccountActor, companyId: number, accountId: number): Promise<Ending> {
    return this.ending(accountId, () => this.changeRemoving(actor, companyId, accountId, (account) => this.begin(actor, account)));
  }

  /** Lets the member be what he was. WRONG_STATE when he is not being removed, or it has begun. */
  async cancel(actor: AccountActor, companyId: number, accountId: number): Promise<AccountProfile> {
    const { profile } = await this.ending(accountId, () =>
      this.changeRemoving(actor, companyId, accountId, async () => {
        await this.rows.unmarkRemoving(accountId);
        return null;
      }),
    );
    return profile;
  }

  private async changeRemoving<T>(
    actor: AccountActor,
    companyId: number,
    accountId: number,
    work: (account: EndingAccount) => Promise<T>,
  ): Promise<T> {
    return this.people.change(actor, companyId, [], async () => {
      const account = await this.rows.lock(accountId);
      if (account === null || account.companyId !== companyId) throw notFound();
      if (!account.isRemoving) throw new DomainError('WRONG_STATE', 'This user is not waiting to be removed.');
      return work(account);
    });
  }

  /** The last administrator may have gone since: who is being removed cannot sign in, so that is no matter here. */
  private async begin(actor: AccountActor, account: EndingAccount): Promise<string> {
    const heirId = account.removingHeirId;
    const now = this.clock.now();
    if (heirId !== null) await this.requireActive(heirId, account.companyId);
    await this.rows.markDeleted(account.id, now);
    if (heirId === null) await this.rows.beginErasing(account.id, now);
    await this.devices.endAccess([account.id]);
    const input = { accountId: account.id, heirId, erase: true } satisfies EraseInput;
    return (await this.tasks.start(actor, 'accounts.erase', input)).publicId;
  }

  private async heirOf(actor: AccountActor, companyId: number, accountId: number, login: string): Promise<number> {
    if (login !== '') {
      const heir = await this.directory.named(login);
      if (heir === null || heir.companyId !== companyId) throw notFound('There is no such member who could get the files.');
      if (heir.id === accountId) throw new DomainError('INVALID_ARGUMENT', 'The files must go to somebody else.');
      return this.requireActive(heir.id, companyId);
    }
    const own = await this.directory.account(actor.accountId);
    const heirId = own?.companyId === companyId ? own.id : await this.rows.companyOwnerOf(accountId);
    if (heirId === null || heirId === accountId)
      throw new DomainError('INVALID_ARGUMENT', 'Say by "transfer_login" who gets the files: nobody else could.');
    return this.requireActive(heirId, companyId);
  }

  private async requireActive(heirId: number, companyId: number | null): Promise<number> {
    const heir = await this.directory.account(heirId);
    if (heir?.state !== 'active' || heir.companyId !== companyId) throw notFound('Whoever gets the files must be an active member.');
    return heirId;
  }

  private async ending(accountId: number, work: () => Promise<string | null>): Promise<Ending> {
    const taskId = await this.unitOfWork.run(work);
    this.authenticator.forget(accountId);
    this.directory.forget(accountId);
    return { profile: await this.profiles.ofAccount(accountId), taskId };
  }
}

function notFound(message = 'There is no such user.'): DomainError {
  return new DomainError('ACCOUNT_NOT_FOUND', message);
}
