import { Injectable } from '@nestjs/common';

import type { Group } from './repositories/group.repository.js';

/** Whoever must follow the members of groups: what is shared with a group is shared with whoever is in it. */
export interface GroupListener {
  /** Accounts that are in the group since this transaction; `actorId` put them there. */
  membersAdded(group: Group, accountIds: readonly number[], actorId: number): Promise<void>;
  /** Accounts that are out of the group since this transaction, also because the group is being removed: its row is still there. */
  membersRemoved(group: Group, accountIds: readonly number[], actorId: number): Promise<void>;
}

/** The listeners of this process. Higher libs add theirs when their module starts; each runs in the transaction of the change. */
@Injectable()
export class GroupListeners {
  private readonly listeners: GroupListener[] = [];

  add(listener: GroupListener): void {
    this.listeners.push(listener);
  }

  async added(group: Group, accountIds: readonly number[], actorId: number): Promise<void> {
    if (accountIds.length === 0) return;
    for (const listener of this.listeners) await listener.membersAdded(group, accountIds, actorId);
  }

  async removed(group: Group, accountIds: readonly number[], actorId: number): Promise<void> {
    if (accountIds.length === 0) return;
    for (const listener of this.listeners) await listener.membersRemoved(group, accountIds, actorId);
  }
}
