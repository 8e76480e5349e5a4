import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { AuditModule } from '#libs/audit';
import { BlobStoreModule } from '#libs/blob-store';
import { FilesModule } from '#libs/files';
import { GroupsModule } from '#libs/groups';
import { PlacesModule } from '#libs/places';

import { FileSender } from '../../blobs/file-sender.js';
import { DialectMounts } from '../../http/dialect/dialect-mounts.js';
import { HttpModule } from '../../http/http.module.js';
import { AuthController } from './auth/auth.controller.js';
import { AvatarController } from './auth/avatar.controller.js';
import { BearerStrategy } from './auth/bearer.strategy.js';
import { SessionTokens } from './auth/session-tokens.js';
import { DownloadsController } from './bytes/downloads.controller.js';
import { UploadsController } from './bytes/uploads.controller.js';
import { GroupsController } from './groups.controller.js';
import { FILEAGO } from './http/dialect.js';
import { NodesController } from './nodes/nodes.controller.js';

/** Every controller of the dialect. */
export const FILEAGO_CONTROLLERS = [AuthController, AvatarController, NodesController, UploadsController, DownloadsController, GroupsController];

/** /fileago, and the bare paths of its document. */
@Module({
  imports: [HttpModule, AuditModule, AccountsModule, GroupsModule, FilesModule, BlobStoreModule, PlacesModule],
  controllers: FILEAGO_CONTROLLERS,
  providers: [BearerStrategy, SessionTokens, FileSender],
})
export class FileagoModule {
  constructor(mounts: DialectMounts) {
    mounts.mount(FILEAGO, FILEAGO_CONTROLLERS);
  }
}
