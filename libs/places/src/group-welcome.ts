import { Injectable, type OnModuleInit } from '@nestjs/common';

import { type Group, type GroupListener, GroupListeners } from '#libs/groups';

import { PlaceFolders } from './place-folders.service.js';

/** Lets whoever joins a group into its home without being asked; who leaves loses it by libs/access. */
@Injectable()
export class GroupWelcome implements GroupListener, OnModuleInit {
  constructor(
    private readonly listeners: GroupListeners,
    private readonly folders: PlaceFolders,
  ) {}

  onModuleInit(): void {
    this.listeners.add(this);
  }

  membersAdded(group: Group): Promise<void> {
    return this.folders.welcome(group.id);
  }

  membersRemoved(): Promise<void> {
    return Promise.resolve();
  }
}
