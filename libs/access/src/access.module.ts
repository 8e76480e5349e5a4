import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { GroupsModule } from '#libs/groups';
import { Clock, SystemClock } from '#libs/kernel';
import { NodesModule } from '#libs/nodes';

import { AccessService } from './access.service.js';
import { GrantService } from './grant.service.js';
import { GroupFollower } from './group-follower.js';
import { InvitedFollower } from './invited-follower.js';
import { InvitationService } from './invitation.service.js';
import { MountKeeper } from './mount-keeper.js';
import { Policies } from './policies.service.js';
import { FolderRepository } from './repositories/folder.repository.js';
import { GrantRepository } from './repositories/grant.repository.js';
import { InvitationRepository } from './repositories/invitation.repository.js';
import { PassRepository } from './repositories/pass.repository.js';
import { PolicyRepository } from './repositories/policy.repository.js';
import { RightRepository } from './repositories/right.repository.js';
import { SharingLog } from './sharing-log.js';

/** Who may do what to which node, and how that comes and goes. */
@Module({
  imports: [DatabaseModule, AccountsModule, NodesModule, GroupsModule],
  providers: [
    { provide: Clock, useClass: SystemClock },
    RightRepository,
    PassRepository,
    PolicyRepository,
    Policies,
    GrantRepository,
    InvitationRepository,
    FolderRepository,
    SharingLog,
    MountKeeper,
    GroupFollower,
    InvitedFollower,
    AccessService,
    GrantService,
    InvitationService,
  ],
  exports: [AccessService, Policies, GrantService, InvitationService, InvitationRepository, FolderRepository],
})
export class AccessModule {}
