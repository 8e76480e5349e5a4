import { Module } from '@nestjs/common';

import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { SignalsModule } from '#libs/signals';

import { ChangeLog } from './changes/change-log.js';
import { ChangeRepository } from './changes/repositories/change.repository.js';
import { NoticeWriter } from './changes/repositories/notice-writer.repository.js';
import { FolderLimits } from './folder-limits.js';
import { FolderMaker } from './folder-maker.js';
import { FreeNames } from './free-names.js';
import { LedgerModule } from './ledger/ledger.module.js';
import { NodeResolver } from './node-resolver.js';
import { Purger } from './purger.js';
import { CopyRepository } from './repositories/copy.repository.js';
import { CrossingRepository } from './repositories/crossing.repository.js';
import { LimitRepository } from './repositories/limit.repository.js';
import { ListingRepository } from './repositories/listing.repository.js';
import { MountRepository } from './repositories/mount.repository.js';
import { NodeRepository } from './repositories/node.repository.js';
import { PurgeRepository } from './repositories/purge.repository.js';
import { SearchRepository } from './repositories/search.repository.js';
import { SpaceRepository } from './repositories/space.repository.js';
import { SubtreeRepository } from './repositories/subtree.repository.js';
import { TrashRepository } from './repositories/trash.repository.js';
import { SpaceService } from './space.service.js';
import { SpaceCrossing } from './space-crossing.js';
import { TrashBin } from './trash-bin.js';

const PUBLIC = [
  SpaceService,
  SpaceRepository,
  MountRepository,
  NodeRepository,
  NodeResolver,
  FolderMaker,
  FreeNames,
  FolderLimits,
  SpaceCrossing,
  ChangeLog,
  ListingRepository,
  SubtreeRepository,
  SearchRepository,
  CopyRepository,
  TrashRepository,
  TrashBin,
  PurgeRepository,
  Purger,
];

/** The tree: rows, names, places, and (re-exported) the ledgers of bytes. It knows nothing of permission. */
@Module({
  imports: [DatabaseModule, LedgerModule, SignalsModule],
  providers: [...PUBLIC, CrossingRepository, LimitRepository, ChangeRepository, NoticeWriter, { provide: Clock, useClass: SystemClock }],
  exports: [...PUBLIC, LedgerModule],
})
export class NodesModule {}
