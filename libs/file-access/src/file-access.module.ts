import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { LimiterModule } from '#libs/limiter';
import { LinksModule } from '#libs/links';
import { MailModule } from '#libs/mail';
import { NodesModule } from '#libs/nodes';
import { OwnTreeModule } from '#libs/own-tree';

import { DeclaredTypes } from './declared-types.service.js';
import { FileDoor } from './file-door.js';
import { FileSharing } from './file-sharing.service.js';
import { DeclaredTypeRepository } from './repositories/declared-type.repository.js';
import { FileAccessRepository } from './repositories/file-access.repository.js';
import { FileKeyRepository } from './repositories/file-key.repository.js';

/** Who may have a file by its id, keys that open one file for a while, and what files were declared to be. */
@Module({
  imports: [DatabaseModule, AccountsModule, NodesModule, AccessModule, LinksModule, LimiterModule, MailModule, OwnTreeModule],
  providers: [
    FileSharing,
    FileDoor,
    DeclaredTypes,
    DeclaredTypeRepository,
    FileAccessRepository,
    FileKeyRepository,
    { provide: Clock, useClass: SystemClock },
  ],
  exports: [FileSharing, FileDoor, DeclaredTypes],
})
export class FileAccessModule {}
