import { Injectable } from '@nestjs/common';

import { AdminRights } from '#libs/accounts';
import { type AccountActor, DomainError } from '#libs/kernel';

import { dayOf, type Period, periodOf, PERIODS } from './calendar.js';
import { isMetric, type Metric, METRICS } from './metrics.js';
import { FigureRepository, type FigureScope } from './repositories/figure.repository.js';

/** One value of a metric. Times are seconds since the epoch, at the first midnight (UTC) of the period. */
export interface MetricPoint {
  readonly timeSeconds: number;
  /** A whole number as text: sums may be larger than a number is exact. */
  readonly value: string;
}

/** Of which time. Moments are seconds since the epoch; the periods that they lie in belong to it. */
export interface TimeRange {
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

const ALL_REGIONS = 'all';
const MAX_SECONDS = 253_402_300_799;

/** Figures of the house for its administrators, and of a company for those of the company. FORBIDDEN for everybody else. */
@Injectable()
export class Analytics {
  constructor(
    private readonly rights: AdminRights,
    private readonly figures: FigureRepository,
  ) {}

  /** What may be asked for. */
  async metrics(actor: AccountActor): Promise<readonly Metric[]> {
    await this.rights.requireAnyAdmin(actor);
    return METRICS;
  }

  /** The values of one metric, oldest first. METRIC_NOT_FOUND, INVALID_ARGUMENT. Two statements. */
  async read(
    actor: AccountActor,
    name: string,
    range: TimeRange,
    options: { readonly period?: string | undefined; readonly region?: string | undefined } = {},
  ): Promise<{ readonly period: Period; readonly region: string; readonly points: readonly MetricPoint[] }> {
    const { period = 'day', region = ALL_REGIONS } = options;
    const rows = await this.readMany(actor, [name], range, { period, region });
    return { period: period as Period, region: region || ALL_REGIONS, points: rows.get(name)! };
  }

  /** The values of several metrics by name. METRIC_NOT_FOUND, INVALID_ARGUMENT. Two statements. */
  async readMany(
    actor: AccountActor,
    names: readonly string[],
    range: TimeRange,
    { period = 'day', region = ALL_REGIONS }: { readonly period?: string; readonly region?: string } = {},
  ): Promise<Map<string, readonly MetricPoint[]>> {
    const scope = await this.scopeOf(actor, region);
    const wanted = new Set(names);
    const unknown = names.find((name) => !isMetric(name));
    if (unknown !== undefined) throw new DomainError('METRIC_NOT_FOUND', 'There is no such metric.');
    if (!isPeriod(period)) throw new DomainError('INVALID_ARGUMENT', `"period" is one of ${PERIODS.join(', ')}.`);
    const rows = await this.figures.read(period, daysOf(range, period), scope);
    const points = (index: number) => rows.map(({ timeSeconds, values }) => ({ timeSeconds, value: values[index]! }));
    return new Map(METRICS.flatMap(({ name }, index) => (wanted.has(name) ? [[name, points(index)] as const] : [])));
  }

  private async scopeOf(actor: AccountActor, region: string): Promise<FigureScope> {
    const own = await this.rights.requireAnyAdmin(actor);
    return { companyId: own.isSystemAdmin ? null : own.companyId, region: region === ALL_REGIONS || region === '' ? null : region };
  }
}

function isPeriod(text: string): text is Period {
  return (PERIODS as readonly string[]).includes(text);
}

function daysOf({ fromSeconds, toSeconds }: TimeRange, period: Period): { readonly firstDay: string; readonly lastDay: string } {
  if (fromSeconds > toSeconds) throw new DomainError('INVALID_ARGUMENT', '"date_from" lies behind "date_to".');
  if (toSeconds > MAX_SECONDS) throw new DomainError('INVALID_ARGUMENT', 'Dates are seconds since the epoch.');
  return { firstDay: periodOf(period, dayOf(fromSeconds * 1_000)).startsOn, lastDay: dayOf(toSeconds * 1_000) };
}
