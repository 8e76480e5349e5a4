export { AnalyticsJobsModule, AnalyticsModule } from './analytics.module.js';
export { Analytics, type MetricPoint, type TimeRange } from './analytics.service.js';
export { type CsvReportResult, CsvReports, CsvReportTask, REPORT_TYPES } from './csv-report.js';
export { type Metric, METRICS } from './metrics.js';
export { RollUpJob } from './roll-up.job.js';
