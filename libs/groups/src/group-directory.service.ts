import { Injectable } from '@nestjs/common';

import { type AccountActor, isUuid } from '#libs/kernel';

import { type GroupIdentity, GroupIdentityRepository } from './repositories/group-identity.repository.js';

/** Most groups of one person that are told. */
const MAX_GROUPS = 1000;

/** The groups as their members know them. */
@Injectable()
export class GroupDirectory {
  constructor(private readonly identities: GroupIdentityRepository) {}

  /** The groups that the actor is in, by name; at most 1,000. */
  mine(actor: AccountActor): Promise<GroupIdentity[]> {
    return this.identities.ofMember(actor.accountId, MAX_GROUPS);
  }

  /** By id; unknown ids are absent. */
  async of(ids: Iterable<number>): Promise<Map<number, GroupIdentity>> {
    const wanted = [...new Set(ids)];
    const found = wanted.length === 0 ? [] : await this.identities.ofIds(wanted);
    return new Map(found.map((group) => [group.id, group]));
  }

  /** By public id; unknown ids, and what is no UUID, are absent. */
  async find(publicIds: Iterable<string>): Promise<Map<string, GroupIdentity>> {
    const wanted = [...new Set(publicIds)].filter(isUuid);
    const found = wanted.length === 0 ? [] : await this.identities.ofPublicIds(wanted);
    return new Map(found.map((group) => [group.publicId, group]));
  }

  /** Whether the actor is in the group now. */
  has(group: Pick<GroupIdentity, 'id'>, actor: AccountActor): Promise<boolean> {
    return this.identities.isMember(group.id, actor.accountId);
  }
}
