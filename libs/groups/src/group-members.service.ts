import { Injectable } from '@nestjs/common';

import { type AccountProfile, Authenticator, ProfileService } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';

import { GroupListeners } from './group-listeners.js';
import { GroupService } from './group.service.js';
import { type Group, GroupRepository } from './repositories/group.repository.js';

/** What became of one of the accounts named. */
export interface MemberOutcome {
  readonly accountId: number;
  readonly error: DomainError | null;
}

export interface MembersPage {
  readonly profiles: readonly AccountProfile[];
  readonly count: number;
  readonly offset: number;
  readonly limit: number;
}

/** Most accounts that one call may name, and that one page holds. */
const MAX_ACCOUNTS = 1000;
const MAX_PAGE = 100;

/** Who is in a group. */
@Injectable()
export class GroupMembers {
  constructor(
    private readonly access: GroupService,
    private readonly groups: GroupRepository,
    private readonly listeners: GroupListeners,
    private readonly profiles: ProfileService,
    private readonly authenticator: Authenticator,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Puts accounts of the company into the group; who is in it already stays. An outcome for each account in the order given: ACCOUNT_NOT_FOUND
   * for who does not belong to the company. FORBIDDEN, GROUP_NOT_FOUND, INVALID_ARGUMENT.
   */
  async add(actor: AccountActor, groupId: number, accountIds: readonly number[]): Promise<MemberOutcome[]> {
    const wanted = distinct(accountIds);
    return this.unitOfWork.run(async () => {
      const group = await this.access.lock(actor, groupId);
      const fit = await this.groups.ofCompany(group.companyId, wanted);
      const added = await this.groups.addMembers(
        group.id,
        wanted.filter((id) => fit.has(id)),
        this.clock.now(),
      );
      await this.listeners.added(group, added, actor.accountId);
      await this.unitOfWork.afterCommit(() => added.forEach((id) => this.authenticator.forget(id)));
      return outcomes(wanted, fit);
    });
  }

  /** Takes accounts out of the group. An outcome for each: ACCOUNT_NOT_FOUND for who is not in it. FORBIDDEN, GROUP_NOT_FOUND, INVALID_ARGUMENT. */
  async remove(actor: AccountActor, groupId: number, accountIds: readonly number[]): Promise<MemberOutcome[]> {
    const wanted = distinct(accountIds);
    return this.unitOfWork.run(async () => {
      const group = await this.access.lock(actor, groupId);
      const removed = await this.groups.removeMembers(group.id, wanted);
      await this.listeners.removed(group, removed, actor.accountId);
      await this.unitOfWork.afterCommit(() => removed.forEach((id) => this.authenticator.forget(id)));
      return outcomes(wanted, new Set(removed));
    });
  }

  /** A page of the members by id; `limit` 0 = as many as one page may hold. FORBIDDEN, GROUP_NOT_FOUND. */
  async list(actor: AccountActor, groupId: number, offset: number, limit: number): Promise<MembersPage> {
    const group = await this.access.get(actor, groupId);
    const rows = limit === 0 ? MAX_PAGE : Math.min(limit, MAX_PAGE);
    const members = await this.groups.members([group.id], offset, rows);
    return { profiles: await this.profiles.ofAccounts(members.map((member) => member.accountId)), count: group.membersCount, offset, limit: rows };
  }

  /** The first members of each of the groups, at most 100 in all. For groups that `GroupService.list` gave to the actor. */
  async firstOf(groups: readonly Group[]): Promise<Map<number, AccountProfile[]>> {
    const each = Math.max(1, Math.floor(MAX_PAGE / Math.max(1, groups.length)));
    const members = await this.groups.members(
      groups.map((group) => group.id),
      0,
      each,
    );
    const profiles = new Map((await this.profiles.ofAccounts(members.map((member) => member.accountId))).map((found) => [found.account.id, found]));
    const first = new Map<number, AccountProfile[]>(groups.map((group) => [group.id, []]));
    for (const { groupId, accountId } of members) {
      const profile = profiles.get(accountId);
      if (profile) first.get(groupId)!.push(profile);
    }
    return first;
  }
}

function distinct(accountIds: readonly number[]): number[] {
  if (accountIds.length > MAX_ACCOUNTS) throw new DomainError('INVALID_ARGUMENT', `One call can name ${MAX_ACCOUNTS} accounts at most.`);
  return [...new Set(accountIds)];
}

function outcomes(wanted: readonly number[], done: ReadonlySet<number>): MemberOutcome[] {
  return wanted.map((accountId) => ({ accountId, error: done.has(accountId) ? null : new DomainError('ACCOUNT_NOT_FOUND', 'User not found') }));
}
