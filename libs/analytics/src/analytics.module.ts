import { Module } from '@nestjs/common';

import { AccountsModule } from '#libs/accounts';
import { BlobStoreModule } from '#libs/blob-store';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { LimiterModule } from '#libs/limiter';
import { MailModule } from '#libs/mail';
import { NodesModule } from '#libs/nodes';
import { TasksModule } from '#libs/tasks';

import { Analytics } from './analytics.service.js';
import { CsvReports, CsvReportTask } from './csv-report.js';
import { FigureRepository } from './repositories/figure.repository.js';
import { ReportRepository } from './repositories/report.repository.js';
import { RollUpRepository } from './repositories/roll-up.repository.js';
import { RollUpJob } from './roll-up.job.js';

/** Figures of days, weeks and months, and lists by mail, for administrators. */
@Module({
  imports: [DatabaseModule, AccountsModule, LimiterModule, TasksModule],
  providers: [Analytics, CsvReports, FigureRepository],
  exports: [Analytics, CsvReports],
})
export class AnalyticsModule {}

/** Its job and its task, for the worker. */
@Module({
  imports: [DatabaseModule, AccountsModule, NodesModule, BlobStoreModule, MailModule],
  providers: [{ provide: Clock, useClass: SystemClock }, RollUpRepository, ReportRepository, RollUpJob, CsvReportTask],
})
export class AnalyticsJobsModule {}
