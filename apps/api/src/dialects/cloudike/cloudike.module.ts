import { Module } from '@nestjs/common';

import { Authenticator } from '#libs/accounts';
import { ArchivesModule } from '#libs/archives';
import { AuditModule } from '#libs/audit';
import { DiffsModule, FilesModule } from '#libs/files';
import { NodeFactsModule } from '#libs/node-facts';
import { TasksModule } from '#libs/tasks';
import { TrashModule } from '#libs/trash';
import { VersionsModule } from '#libs/versions';

import { ACCOUNT_CONTROLLERS, ACCOUNT_MODULES } from './accounts/index.js';
import { ADMIN_CONTROLLERS, ADMIN_MODULES } from './admin/index.js';
import { ANALYTICS_CONTROLLERS, ANALYTICS_MODULES } from './analytics/index.js';
import { AUDIT_CONTROLLERS, AUDIT_MODULES } from './audit/index.js';
import { COMMENT_CONTROLLERS, COMMENT_MODULES } from './comments/index.js';
import { COMPANY_CONTROLLERS, COMPANY_MODULES, COMPANY_PROVIDERS } from './companies/index.js';
import { COPYRIGHT_CONTROLLERS, COPYRIGHT_MODULES } from './copyright/index.js';
import { GROUP_CONTROLLERS, GROUP_MODULES } from './groups/index.js';
import { EVENT_CONTROLLERS, EVENT_MODULES, EVENT_PROVIDERS } from './events/index.js';
import { HANDOVER_CONTROLLERS, HANDOVER_MODULES } from './handover/index.js';
import { CloudikeCredentials, CloudikeHttpModule } from './http/index.js';
import { KEY_CONTROLLERS, KEY_MODULES } from './keys/index.js';
import { LINK_CONTROLLERS, LINK_MODULES, LINK_PROVIDERS } from './links/index.js';
import { OFFICE_CONTROLLERS, OFFICE_MODULES } from './office/index.js';
import { NodeWire } from './presenters/node-wire.js';
import { PREVIEW_CONTROLLERS, PREVIEW_MODULES, PREVIEW_PROVIDERS } from './previews/index.js';
import { SETTINGS_CONTROLLERS, SETTINGS_MODULES } from './settings/index.js';
import { SHARE_CONTROLLERS, SHARE_MODULES } from './shares/index.js';
import { SIGN_IN_CONTROLLERS, SIGN_IN_MODULES } from './sign-in/index.js';
import { SOFT_CONTROLLERS, SOFT_MODULES } from './soft/index.js';
import { ArchiveSender } from './storage/archive-sender.js';
import { ArchivesController } from './storage/archives.controller.js';
import { DiffsController } from './storage/diffs.controller.js';
import { DownloadsController } from './storage/downloads.controller.js';
import { FileopsController } from './storage/fileops.controller.js';
import { MetadataController } from './storage/metadata.controller.js';
import { MetadataReader } from './storage/metadata-reader.js';
import { TrashController } from './storage/trash.controller.js';
import { UploadsController } from './storage/uploads.controller.js';
import { VersionsController } from './storage/versions.controller.js';
import { FolderSizePoll } from './tasks/folder-size-poll.js';
import { LongReadsController } from './tasks/long-reads.controller.js';
import { TaskResultWire } from './tasks/task-result.wire.js';
import { TasksController } from './tasks/tasks.controller.js';

/** Every controller of the dialect. */
export const CLOUDIKE_CONTROLLERS = [
  ...ACCOUNT_CONTROLLERS,
  ...SIGN_IN_CONTROLLERS,
  ...KEY_CONTROLLERS,
  ...ADMIN_CONTROLLERS,
  ...ANALYTICS_CONTROLLERS,
  ...SETTINGS_CONTROLLERS,
  ...SOFT_CONTROLLERS,
  ...AUDIT_CONTROLLERS,
  ...GROUP_CONTROLLERS,
  ...COMPANY_CONTROLLERS,
  ...COMMENT_CONTROLLERS,
  ...OFFICE_CONTROLLERS,
  ...LINK_CONTROLLERS,
  ...EVENT_CONTROLLERS,
  ...COPYRIGHT_CONTROLLERS,
  ...PREVIEW_CONTROLLERS,
  ...SHARE_CONTROLLERS,
  ...HANDOVER_CONTROLLERS,
  MetadataController,
  FileopsController,
  TrashController,
  UploadsController,
  DownloadsController,
  VersionsController,
  DiffsController,
  ArchivesController,
  TasksController,
  LongReadsController,
];

/** /api/1 and /api/0. */
@Module({
  imports: [
    CloudikeHttpModule,
    AuditModule,
    ...ACCOUNT_MODULES,
    ...SIGN_IN_MODULES,
    ...KEY_MODULES,
    ...ADMIN_MODULES,
    ...ANALYTICS_MODULES,
    ...SETTINGS_MODULES,
    ...SOFT_MODULES,
    ...AUDIT_MODULES,
    ...GROUP_MODULES,
    ...COMPANY_MODULES,
    ...COMMENT_MODULES,
    ...OFFICE_MODULES,
    ...LINK_MODULES,
    ...EVENT_MODULES,
    ...COPYRIGHT_MODULES,
    ...PREVIEW_MODULES,
    ...SHARE_MODULES,
    ...HANDOVER_MODULES,
    FilesModule,
    DiffsModule,
    TrashModule,
    VersionsModule,
    TasksModule,
    ArchivesModule,
    NodeFactsModule,
  ],
  controllers: CLOUDIKE_CONTROLLERS,
  providers: [
    { provide: CloudikeCredentials, useExisting: Authenticator },
    NodeWire,
    MetadataReader,
    TaskResultWire,
    FolderSizePoll,
    ArchiveSender,
    ...LINK_PROVIDERS,
    ...EVENT_PROVIDERS,
    ...PREVIEW_PROVIDERS,
    ...COMPANY_PROVIDERS,
  ],
})
export class CloudikeModule {}
