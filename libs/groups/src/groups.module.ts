import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';

import { GroupDirectory } from './group-directory.service.js';
import { GroupListeners } from './group-listeners.js';
import { GroupMembers } from './group-members.service.js';
import { GroupService } from './group.service.js';
import { GroupIdentityRepository } from './repositories/group-identity.repository.js';
import { GroupRepository } from './repositories/group.repository.js';

/** Groups of a company, their members and their policies. */
@Module({
  imports: [DatabaseModule, AccountsModule],
  providers: [
    { provide: Clock, useClass: SystemClock },
    GroupRepository,
    GroupIdentityRepository,
    GroupListeners,
    GroupDirectory,
    GroupService,
    GroupMembers,
  ],
  exports: [GroupDirectory, GroupService, GroupMembers, GroupListeners],
})
export class GroupsModule {}
