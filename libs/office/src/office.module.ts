import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { AccountsModule } from '#libs/accounts';
import { BlobStoreModule } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { FilesModule } from '#libs/files';
import { Clock, SystemClock } from '#libs/kernel';
import { LinksModule } from '#libs/links';
import { NodesModule } from '#libs/nodes';
import { TrashModule } from '#libs/trash';

import { OfficeDiscovery } from './discovery/office-discovery.service.js';
import { OfficeLinks } from './office-links.service.js';
import { ProofCheck } from './proof-check.service.js';
import { WopiLockRepository } from './repositories/wopi-lock.repository.js';
import { WopiTokenRepository } from './repositories/wopi-token.repository.js';
import { WopiAccess } from './wopi-access.service.js';
import { WopiFiles } from './wopi-files.service.js';
import { WopiLocks } from './wopi-locks.service.js';

const PUBLIC = [OfficeLinks, WopiAccess, WopiFiles, WopiLocks, ProofCheck];

/** Documents in the browser: the host side of WOPI. */
@Module({
  imports: [DatabaseModule, BlobStoreModule, NodesModule, AccessModule, AccountsModule, FilesModule, TrashModule, LinksModule],
  providers: [{ provide: Clock, useClass: SystemClock }, OfficeDiscovery, WopiTokenRepository, WopiLockRepository, ...PUBLIC],
  exports: PUBLIC,
})
export class OfficeModule {}
