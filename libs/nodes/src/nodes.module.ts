import { Module } from '@nestjs/common';

import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';

import { FolderMaker } from './folder-maker.js';
import { LedgerModule } from './ledger/ledger.module.js';
import { NodeResolver } from './node-resolver.js';
import { NodeRepository } from './repositories/node.repository.js';
import { SpaceRepository } from './repositories/space.repository.js';
import { SpaceService } from './space.service.js';

const PUBLIC = [SpaceService, SpaceRepository, NodeRepository, NodeResolver, FolderMaker];

/** The tree: rows, names, places, and (re-exported) the ledgers of bytes. It knows nothing of permission. */
@Module({
  imports: [DatabaseModule, LedgerModule],
  providers: [...PUBLIC, { provide: Clock, useClass: SystemClock }],
  exports: [...PUBLIC, LedgerModule],
})
export class NodesModule {}
