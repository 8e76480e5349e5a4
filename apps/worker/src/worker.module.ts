import { type DynamicModule, Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { AnalyticsJobsModule } from '#libs/analytics';
import { ArchiveJobsModule } from '#libs/archives';
import { AuditJobsModule } from '#libs/audit';
import { type AppConfig, ConfigModule } from '#libs/config';
import { CompanyJobsModule } from '#libs/companies';
import { ContentIdJobsModule } from '#libs/content-ids';
import { DatabaseModule } from '#libs/database';
import { ErasingJobsModule } from '#libs/erasing';
import { EventsJobsModule } from '#libs/events';
import { FilesJobsModule } from '#libs/files';
import { HandoverJobsModule } from '#libs/handover';
import { LinkJobsModule } from '#libs/links';
import { MailModule } from '#libs/mail';
import { type Logger, ObservabilityModule } from '#libs/observability';
import { PreviewJobsModule } from '#libs/previews';
import { QueueWorkerModule } from '#libs/queue';
import { BucketJobsModule } from '#libs/buckets';
import { RoomJobsModule } from '#libs/rooms';
import { TaskRunnerModule } from '#libs/tasks';
import { TrashJobsModule } from '#libs/trash';

const STATEMENT_TIMEOUT_MS = 10 * 60_000;

/** Jobs and tasks of all libs. No controller lives here. */
@Module({})
export class WorkerModule {
  static forRoot(config: AppConfig, logger: Logger): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        ConfigModule.forRoot(config),
        ObservabilityModule.forRoot(logger),
        DatabaseModule.forRoot({
          url: config.database.url,
          poolSize: config.database.poolSize,
          statementTimeoutMs: STATEMENT_TIMEOUT_MS,
          applicationName: 'stowage-worker',
          onPoolError: (error) => logger.warn('a database connection was lost', { error }),
        }),
        QueueWorkerModule,
        TaskRunnerModule,
        MailModule,
        AccountsModule,
        FilesJobsModule,
        TrashJobsModule,
        ArchiveJobsModule,
        PreviewJobsModule,
        ContentIdJobsModule,
        EventsJobsModule,
        AuditJobsModule,
        LinkJobsModule,
        HandoverJobsModule,
        AnalyticsJobsModule,
        CompanyJobsModule,
        ErasingJobsModule,
        RoomJobsModule,
        BucketJobsModule,
      ],
    };
  }
}
