import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { LimiterModule } from '#libs/limiter';
import { NodesModule } from '#libs/nodes';

import { CompanyShareService } from './company-share.service.js';
import { CompanyShareRepository } from './repositories/company-share.repository.js';
import { ShareListRepository } from './repositories/share-list.repository.js';
import { ShareRepository } from './repositories/share.repository.js';
import { RequestLog } from './request-log.js';
import { ShareAnswers } from './share-answers.js';
import { ShareDoor } from './share-door.js';
import { ShareFolders } from './share-folders.js';
import { ShareListService } from './share-list.service.js';
import { ShareMembers } from './share-members.js';
import { ShareService } from './share.service.js';

const PUBLIC = [ShareService, ShareAnswers, ShareListService, CompanyShareService, ShareDoor];

/** Folders that their owners share: with people, groups, a company, or whoever knows a hash. */
@Module({
  imports: [DatabaseModule, LimiterModule, AccountsModule, NodesModule, AccessModule],
  providers: [
    { provide: Clock, useClass: SystemClock },
    ShareRepository,
    ShareListRepository,
    CompanyShareRepository,
    RequestLog,
    ShareFolders,
    ShareMembers,
    ...PUBLIC,
  ],
  exports: PUBLIC,
})
export class SharesModule {}
