import { Module } from '@nestjs/common';

import { AuditModule } from '#libs/audit';
import { BlobStoreModule } from '#libs/blob-store';
import { ContentIdsModule } from '#libs/content-ids';
import { Clock, SystemClock } from '#libs/kernel';
import { RoomsModule } from '#libs/rooms';
import { ServiceKeysModule } from '#libs/service-keys';
import { SignalsModule } from '#libs/signals';
import { WalletsModule } from '#libs/wallets';

import { FileSender } from '../../blobs/file-sender.js';
import { DialectMounts } from '../../http/dialect/dialect-mounts.js';
import { HttpModule } from '../../http/http.module.js';
import { QuicksyncTokens } from './auth/tokens.js';
import { BucketsController } from './buckets/buckets.controller.js';
import { PartsController } from './buckets/parts.controller.js';
import { QUICKSYNC } from './http/dialect.js';
import { HubController } from './hub/hub.controller.js';
import { SessionHub } from './hub/session-hub.js';
import { SessionController } from './session/session.controller.js';
import { WalletController } from './session/wallet.controller.js';

/** Every controller of the dialect. */
export const QUICKSYNC_CONTROLLERS = [WalletController, SessionController, BucketsController, PartsController, HubController];

/** /quicksync/v1, and bare paths and /v1 on a host name of its own. */
@Module({
  imports: [HttpModule, AuditModule, BlobStoreModule, ContentIdsModule, RoomsModule, ServiceKeysModule, SignalsModule, WalletsModule],
  controllers: QUICKSYNC_CONTROLLERS,
  providers: [QuicksyncTokens, SessionHub, FileSender, { provide: Clock, useClass: SystemClock }],
})
export class QuicksyncModule {
  constructor(mounts: DialectMounts) {
    mounts.mount(QUICKSYNC, QUICKSYNC_CONTROLLERS);
  }
}
