import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { AuditModule } from '#libs/audit';
import { BlobStoreModule } from '#libs/blob-store';
import { ContentIdsModule } from '#libs/content-ids';
import { FileAccessModule } from '#libs/file-access';
import { FilesModule } from '#libs/files';
import { OwnTreeModule } from '#libs/own-tree';
import { SealingModule } from '#libs/sealing';
import { ServiceKeysModule } from '#libs/service-keys';

import { FileSender } from '../../blobs/file-sender.js';
import { DialectMounts } from '../../http/dialect/dialect-mounts.js';
import { HttpModule } from '../../http/http.module.js';
import { AccountController } from './account/account.controller.js';
import { DirectoriesController } from './directories/directories.controller.js';
import { ByteSender } from './files/byte-sender.js';
import { DownloadsController } from './files/downloads.controller.js';
import { FilePresenter } from './files/file.presenter.js';
import { FilesController } from './files/files.controller.js';
import { SharingController } from './files/sharing.controller.js';
import { UploadsController } from './files/uploads.controller.js';
import { KONEKSI } from './http/dialect.js';
import { PublicFilesController } from './public/public-files.controller.js';

/** Every controller of the dialect. */
export const KONEKSI_CONTROLLERS = [
  AccountController,
  DirectoriesController,
  FilesController,
  UploadsController,
  DownloadsController,
  SharingController,
  PublicFilesController,
];

/** /clients/v1 and /api/clients/v1, and what anybody may read. */
@Module({
  imports: [
    HttpModule,
    AuditModule,
    AccountsModule,
    ServiceKeysModule,
    FilesModule,
    BlobStoreModule,
    OwnTreeModule,
    FileAccessModule,
    ContentIdsModule,
    SealingModule,
  ],
  controllers: KONEKSI_CONTROLLERS,
  providers: [FilePresenter, ByteSender, FileSender],
})
export class KoneksiModule {
  constructor(mounts: DialectMounts) {
    mounts.mount(KONEKSI, KONEKSI_CONTROLLERS);
  }
}
