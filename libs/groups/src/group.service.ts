import { Injectable } from '@nestjs/common';

import { AdminRights, Authenticator, checkedName, companyNotFound } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Clock, DomainError } from '#libs/kernel';

import { checkedIps } from './allowed-ips.js';
import { GroupListeners } from './group-listeners.js';
import { type Group, groupNotFound, type GroupPolicies, GroupRepository } from './repositories/group.repository.js';

export type GroupOrder = 'name' | '-name' | 'members_count' | '-members_count';

export interface ListGroups {
  /** Of another company than the actor's own: system administrators only. */
  readonly companyId?: number | undefined;
  readonly orderBy: GroupOrder;
  readonly offset: number;
  /** 0 = as many as one page may hold. */
  readonly limit: number;
}

export interface GroupPage {
  readonly groups: readonly Group[];
  readonly count: number;
}

/** Most groups that one page holds. */
const MAX_PAGE = 1000;

/** Groups of a company: made, named, given policies and removed by who administrates the company. */
@Injectable()
export class GroupService {
  constructor(
    private readonly groups: GroupRepository,
    private readonly rights: AdminRights,
    private readonly listeners: GroupListeners,
    private readonly authenticator: Authenticator,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** FORBIDDEN, COMPANY_NOT_FOUND, GROUP_EXISTS, INVALID_ARGUMENT. */
  async create(
    actor: AccountActor,
    { name: text, companyId: wanted }: { readonly name: string; readonly companyId?: number | undefined },
  ): Promise<Group> {
    const companyId = await this.companyOf(actor, wanted);
    const name = groupName(text);
    const id = await this.groups.insert(companyId, name, groupKey(name), this.clock.now());
    const group = id === null ? null : await this.groups.find(id);
    if (group === null) throw new DomainError('GROUP_EXISTS', 'The company has a group of this name already.');
    return group;
  }

  /** Removes the group of this name, and with it what was shared with it; answers it as it was. GROUP_NOT_FOUND, FORBIDDEN, COMPANY_NOT_FOUND. */
  async remove(actor: AccountActor, { name, companyId: wanted }: { readonly name: string; readonly companyId?: number | undefined }): Promise<Group> {
    const companyId = await this.companyOf(actor, wanted);
    return this.unitOfWork.run(async () => {
      const id = await this.groups.idByName(companyId, groupKey(name.trim()));
      const group = id === null ? null : await this.groups.lock(id);
      if (group === null) throw groupNotFound();
      const members = await this.groups.removeAllMembers(group.id);
      await this.listeners.removed(group, members, actor.accountId);
      await this.groups.remove(group.id);
      await this.unitOfWork.afterCommit(() => this.authenticator.forgetAll());
      return group;
    });
  }

  /** FORBIDDEN, COMPANY_NOT_FOUND. */
  async list(actor: AccountActor, { companyId: wanted, orderBy, offset, limit }: ListGroups): Promise<GroupPage> {
    const companyId = await this.companyOf(actor, wanted);
    const rows = limit === 0 ? MAX_PAGE : Math.min(limit, MAX_PAGE);
    return { groups: await this.groups.list(companyId, orderBy, offset, rows), count: await this.groups.count(companyId) };
  }

  /** FORBIDDEN, GROUP_NOT_FOUND, GROUP_EXISTS, INVALID_ARGUMENT. */
  async rename(actor: AccountActor, groupId: number, text: string): Promise<Group> {
    const name = groupName(text);
    return this.change(actor, groupId, () => this.groups.rename(groupId, name, groupKey(name)));
  }

  /** Changes the policies that are given. FORBIDDEN, GROUP_NOT_FOUND, INVALID_ARGUMENT. */
  async setPolicies(actor: AccountActor, groupId: number, change: Partial<GroupPolicies>): Promise<Group> {
    const { allowedIps } = change;
    const checked = allowedIps === undefined ? change : { ...change, allowedIps: checkedIps(allowedIps) };
    return this.change(actor, groupId, async () => {
      await this.groups.setPolicies(groupId, checked);
      // what is allowed to its members was read with their credentials
      await this.unitOfWork.afterCommit(() => this.authenticator.forgetAll());
    });
  }

  /** The group, when the actor administrates its company. FORBIDDEN for who administrates none, GROUP_NOT_FOUND for the groups of others. */
  async get(actor: AccountActor, groupId: number): Promise<Group> {
    return this.judged(actor, await this.groups.find(groupId));
  }

  /** The same, held until the surrounding transaction ends. */
  async lock(actor: AccountActor, groupId: number): Promise<Group> {
    return this.judged(actor, await this.groups.lock(groupId));
  }

  private change(actor: AccountActor, groupId: number, work: () => Promise<void>): Promise<Group> {
    return this.unitOfWork.run(async () => {
      await this.lock(actor, groupId);
      await work();
      return (await this.groups.find(groupId))!;
    });
  }

  private async judged(actor: AccountActor, group: Group | null): Promise<Group> {
    const { isSystemAdmin, companyId } = await this.rights.requireAnyAdmin(actor);
    if (group === null || (!isSystemAdmin && group.companyId !== companyId)) throw groupNotFound();
    return group;
  }

  /** The company that is meant, and that the actor administrates. */
  private async companyOf(actor: AccountActor, wanted: number | undefined): Promise<number> {
    const meant = wanted ?? (await this.rights.requireAnyAdmin(actor)).companyId;
    if (meant === null) throw companyNotFound();
    await this.rights.requireCompanyAdmin(actor, meant);
    return meant;
  }
}

function groupName(text: string): string {
  const name = checkedName(text, 'The name of a group');
  if (name === '' || /[\ud800-\udfff]/u.test(name)) throw new DomainError('INVALID_ARGUMENT', 'A group needs a name of valid Unicode.');
  return name;
}

/** Names that differ by case or composition alone are one name. */
function groupKey(name: string): string {
  return name.normalize('NFC').toLowerCase().normalize('NFC');
}
