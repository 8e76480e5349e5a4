import { Module } from '@nestjs/common';

import { AuditModule } from '#libs/audit';
import { BlobStoreModule } from '#libs/blob-store';
import { BucketsModule } from '#libs/buckets';
import { Clock, SystemClock } from '#libs/kernel';
import { ServiceKeysModule } from '#libs/service-keys';

import { FileSender } from '../../blobs/file-sender.js';
import { DialectMounts } from '../../http/dialect/dialect-mounts.js';
import { HttpModule } from '../../http/http.module.js';
import { Bearer } from './auth/bearer.js';
import { BucketsController } from './buckets/buckets.controller.js';
import { MediaController } from './bytes/media.controller.js';
import { UploadsController } from './bytes/uploads.controller.js';
import { FilePresenter } from './files/file.presenter.js';
import { FilesController } from './files/files.controller.js';
import { MEDIASAUR } from './http/dialect.js';

/** Every controller of the dialect. */
export const MEDIASAUR_CONTROLLERS = [BucketsController, FilesController, UploadsController, MediaController];

/** /mediasaur/v1 */
@Module({
  imports: [HttpModule, AuditModule, BlobStoreModule, BucketsModule, ServiceKeysModule],
  controllers: MEDIASAUR_CONTROLLERS,
  providers: [Bearer, FilePresenter, FileSender, { provide: Clock, useClass: SystemClock }],
})
export class MediasaurModule {
  constructor(mounts: DialectMounts) {
    mounts.mount(MEDIASAUR, MEDIASAUR_CONTROLLERS);
  }
}
