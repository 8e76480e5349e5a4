import { Injectable, type OnModuleInit } from '@nestjs/common';

import { type Group, type GroupListener, GroupListeners } from '#libs/groups';

import { GrantService } from './grant.service.js';

/** Lets invitations, access and mounts follow the members of groups. */
@Injectable()
export class GroupFollower implements GroupListener, OnModuleInit {
  constructor(
    private readonly listeners: GroupListeners,
    private readonly grants: GrantService,
  ) {}

  onModuleInit(): void {
    this.listeners.add(this);
  }

  membersAdded(group: Group, accountIds: readonly number[], actorId: number): Promise<void> {
    return this.grants.groupMembersAdded(group.id, accountIds, actorId);
  }

  membersRemoved(group: Group, accountIds: readonly number[], actorId: number): Promise<void> {
    return this.grants.groupMembersRemoved(group.id, accountIds, actorId);
  }
}
