import { Analytics, CsvReports } from '#libs/analytics';
import type { AccountActor } from '#libs/kernel';

import { CloudikeController, CurrentActor, ok, Params, Route } from '../http/index.js';
import { CsvDownloadDto, GetDataDto, GetMultipleDataDto } from './analytics.dto.js';
import { presentMetric, presentPoint } from './analytics.presenter.js';

/** Figures and lists for administrators (contract 2 and 3). */
@CloudikeController('analytics')
export class AnalyticsController {
  constructor(
    private readonly analytics: Analytics,
    private readonly reports: CsvReports,
  ) {}

  @Route('analytics/get_metrics', { auth: 'account', summary: 'The metrics that there are' })
  async metrics(@CurrentActor() actor: AccountActor) {
    return Object.fromEntries((await this.analytics.metrics(actor)).map((metric) => [metric.name, presentMetric(metric)]));
  }

  @Route('analytics/get_data', { auth: 'account', summary: 'The values of a metric by day, week or month' })
  async data(@CurrentActor() actor: AccountActor, @Params(GetDataDto) { metric, dateFrom, dateTo, ...options }: GetDataDto) {
    const { period, region, points } = await this.analytics.read(actor, metric, { fromSeconds: dateFrom, toSeconds: dateTo }, options);
    return points.map((point) => ({ region, period, name: metric, ...presentPoint(point) }));
  }

  @Route('analytics/get_multiple_data', { auth: 'account', summary: 'The values of several metrics by day' })
  async multipleData(@CurrentActor() actor: AccountActor, @Params(GetMultipleDataDto) { metrics, dateFrom, dateTo }: GetMultipleDataDto) {
    const found = await this.analytics.readMany(actor, metrics, { fromSeconds: dateFrom, toSeconds: dateTo });
    return Object.fromEntries([...found].map(([name, points]) => [name, points.map(presentPoint)]));
  }

  @Route('csv_download', { auth: 'account', head: false, summary: 'Mails a list of users or companies as CSV' })
  async csv(@CurrentActor() actor: AccountActor, @Params(CsvDownloadDto) params: CsvDownloadDto) {
    const { publicId } = await this.reports.start(actor, params);
    return { ...ok('The list will be sent by mail.'), taskid: publicId };
  }
}
